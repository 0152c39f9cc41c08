//! The conformance cases of maps, over every map, and over some that are wrong.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::collections::HashMap;
use std::sync::Mutex;

use ringside_contract::Settings;
use ringside_contract::operations::Tested;
use ringside_contract::operations::map::TestedMap;

#[test]
fn every_map_passes_every_case() {
    let mut maps = 0;
    for operation in ringside_operations::all() {
        if !operation.meta().id.starts_with("map/") {
            continue;
        }
        maps += 1;
        for case in ringside_conform::map::cases() {
            let Tested::Map(map) = operation.tested(&Settings::default()).unwrap();
            let outcome = ringside_conform::map::run(case.name, map.as_ref());
            assert_eq!(outcome, Ok(()), "{}: {}", operation.meta().id, case.name);
        }
    }
    assert!(maps > 0);
}

/// A map that does one thing wrong.
struct Wrong {
    map: Mutex<HashMap<u64, u64>>,
    fault: Fault,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// An insert looks and writes under two locks.
    InsertsInTwoSteps,
    /// So does a remove.
    RemovesInTwoSteps,
    /// Above so many entries one in a thousand is forgotten.
    Forgets,
    /// A look-up gives the value of another key at times.
    MixesUp,
}

impl Wrong {
    fn new(fault: Fault) -> Self {
        Self {
            map: Mutex::default(),
            fault,
        }
    }
}

impl TestedMap for Wrong {
    fn get(&self, key: u64) -> Option<u64> {
        let map = self.map.lock().unwrap();
        let found = map.get(&key).copied()?;
        let other = || map.values().find(|&&value| value != found).copied();
        match self.fault {
            Fault::MixesUp if found.is_multiple_of(64) => other().or(Some(found)),
            _ => Some(found),
        }
    }

    fn insert(&self, key: u64, value: u64) -> Option<u64> {
        let mut map = self.map.lock().unwrap();
        if self.fault == Fault::Forgets && map.len() % 1000 == 999 {
            map.insert(u64::MAX, 0);
            return map.get(&key).copied();
        }
        if self.fault == Fault::InsertsInTwoSteps {
            let before = map.get(&key).copied();
            drop(map);
            std::thread::yield_now();
            self.map.lock().unwrap().insert(key, value);
            return before;
        }
        map.insert(key, value)
    }

    fn remove(&self, key: u64) -> Option<u64> {
        if self.fault == Fault::RemovesInTwoSteps {
            let before = self.map.lock().unwrap().get(&key).copied();
            std::thread::yield_now();
            self.map.lock().unwrap().remove(&key);
            return before;
        }
        self.map.lock().unwrap().remove(&key)
    }
}

/// The cases that fail.
fn failing(fault: Fault) -> Vec<&'static str> {
    let fails = |name: &str| ringside_conform::map::run(name, &Wrong::new(fault)).is_err();
    let names = ringside_conform::map::cases().iter().map(|case| case.name);
    names.filter(|name| fails(name)).collect()
}

#[test]
fn a_map_that_is_wrong_fails_the_case_that_asks_for_it() {
    assert_eq!(failing(Fault::None), Vec::<&str>::new());
    for (fault, case) in [
        (Fault::InsertsInTwoSteps, "gives_each_value_back_once"),
        (Fault::RemovesInTwoSteps, "gives_a_removed_value_to_one"),
        (Fault::Forgets, "keeps_entries_while_it_grows"),
        (Fault::MixesUp, "never_goes_back"),
    ] {
        let failed = failing(fault);
        assert!(failed.contains(&case), "{case} passed; {failed:?} failed");
    }
}
