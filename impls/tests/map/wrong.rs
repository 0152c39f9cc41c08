//! Maps that do one thing wrong.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ringside_contract::operations::map::TestedMap;

/// A map that does one thing wrong.
pub(super) struct Wrong {
    map: Mutex<HashMap<u64, u64>>,
    fault: Fault,
    /// Threads that are between two steps.
    between: AtomicUsize,
    /// How often a thread still waits there for another one.
    meetings: AtomicUsize,
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
    /// A look-up finds nothing once there are 1,024 entries.
    HidesWhileItGrows,
}

impl Wrong {
    pub(super) fn new(fault: Fault) -> Self {
        Self {
            map: Mutex::default(),
            fault,
            between: AtomicUsize::new(0),
            meetings: AtomicUsize::new(200),
        }
    }

    /// Between two steps: lets another thread come there too, if there is one.
    fn meet(&self) {
        let left = |left: usize| left.checked_sub(1);
        if self
            .meetings
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, left)
            .is_err()
        {
            return std::thread::yield_now();
        }
        self.between.fetch_add(1, Ordering::Relaxed);
        for _ in 0..10_000 {
            if self.between.load(Ordering::Relaxed) > 1 {
                break;
            }
            std::thread::yield_now();
        }
        self.between.fetch_sub(1, Ordering::Relaxed);
    }
}

impl TestedMap for Wrong {
    fn get(&self, key: u64) -> Option<u64> {
        let map = self.map.lock().unwrap();
        let found = map.get(&key).copied()?;
        let other = || map.values().find(|&&value| value != found).copied();
        match self.fault {
            Fault::HidesWhileItGrows if map.len() >= 1 << 10 => None,
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
            self.meet();
            self.map.lock().unwrap().insert(key, value);
            return before;
        }
        map.insert(key, value)
    }

    fn remove(&self, key: u64) -> Option<u64> {
        if self.fault == Fault::RemovesInTwoSteps {
            let before = self.map.lock().unwrap().get(&key).copied();
            self.meet();
            self.map.lock().unwrap().remove(&key);
            return before;
        }
        self.map.lock().unwrap().remove(&key)
    }
}
