//! Maps that do one thing wrong.

use std::collections::HashMap;
use std::sync::Mutex;

use ringside_contract::operations::map::TestedMap;

/// A map that does one thing wrong.
pub(super) struct Wrong {
    map: Mutex<HashMap<u64, u64>>,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    None,
    /// An insert looks and writes under two locks.
    InsertsInTwoSteps,
    /// So does a remove.
    RemovesInTwoSteps,
    /// Above so many entries one in a thousand is forgotten.
    Forgets,
    /// A look-up gives the value of another key at times.
    MixesUp,
    /// A look-up finds nothing while there are from 1,024 to 2,048 entries.
    HidesWhileItGrows,
}

impl Wrong {
    pub(super) fn new(fault: Fault) -> Self {
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
            Fault::HidesWhileItGrows if (1 << 10..1 << 11).contains(&map.len()) => None,
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
