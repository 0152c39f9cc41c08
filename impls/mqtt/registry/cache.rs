//! What look-ups found, kept by each thread for itself until any subscription changes.
//!
//! The version is read before a look-up and counted up after a change. So what was found under a version that
//! still stands holds every change that was made before the version was read; and who was told that a
//! change is made, reads a later version than that of what was found before.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
// A static needs a constant, which the atomics of a model are not.
use std::sync::atomic::{AtomicU64 as Numbers, Ordering};

use super::subscribers::{Found, Subscriber};
use super::sync::{AtomicU64, thread_local};

/// Topics that a thread remembers; beyond it it begins anew.
const TOPICS_MAX: usize = 4096;

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

/// What one thread remembers, all of it of one version.
#[derive(Default)]
struct Known {
    version: u64,
    topics: HashMap<Box<str>, Arc<[Subscriber]>>,
}

/// The version of a registry. It begins where no other registry's is, so that threads that serve several
/// tell them apart.
#[derive(Debug)]
pub(super) struct Version(AtomicU64);

impl Default for Version {
    fn default() -> Self {
        static REGISTRIES: Numbers = Numbers::new(1);
        // Relaxed: numbers need only differ. A registry would have to change for centuries to reach the next.
        let registry = REGISTRIES.fetch_add(1, Ordering::Relaxed);
        Self(AtomicU64::new(registry << 40))
    }
}

impl Version {
    /// A change was made.
    pub(super) fn advance(&self) {
        // Release, with the acquire below: who sees the version sees the change.
        self.0.fetch_add(1, Ordering::Release);
    }

    /// What is known of a topic, or what `look_up` finds.
    pub(super) fn find(&self, topic: &str, look_up: impl FnOnce() -> Found) -> Arc<[Subscriber]> {
        let version = self.0.load(Ordering::Acquire);
        let known = KNOWN.with(|known| known.borrow_mut().of(version).get(topic).cloned());
        known.unwrap_or_else(|| {
            let Found {
                subscribers,
                takes_turns,
                ..
            } = look_up();
            let found: Arc<[_]> = subscribers.into();
            if !takes_turns {
                let keep = Arc::clone(&found);
                KNOWN.with(|known| known.borrow_mut().of(version).insert(topic.into(), keep));
            }
            found
        })
    }
}

impl Known {
    /// The topics of a version; of another one none are known.
    fn of(&mut self, version: u64) -> &mut HashMap<Box<str>, Arc<[Subscriber]>> {
        if self.version != version || self.topics.len() >= TOPICS_MAX {
            self.topics.clear();
            self.version = version;
        }
        &mut self.topics
    }
}
