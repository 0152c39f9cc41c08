//! The registry while other threads change it: tried by loom in every order (`just loom`).
//!
//! Cache, shards and the ways through the map are the real ones, of loom's locks and atomics.

use std::sync::LazyLock;
use std::sync::atomic::Ordering;

use loom::sync::atomic::AtomicBool;
use loom::thread::{self, JoinHandle};

use super::tests::{found, sessions, subscriber};
use super::*;

/// Clients 0 and 1. Made once for all orders, since they have descriptors.
static SESSIONS: LazyLock<Vec<Arc<Session>>> = LazyLock::new(|| sessions(2));

fn subscribe(registry: &Registry, client: usize, filter: &str) {
    registry.insert(filter, None, subscriber(&SESSIONS[client], 1));
}

fn unsubscribe(registry: &Registry, client: usize, filter: &str) -> bool {
    registry.remove(filter, None, &SESSIONS[client])
}

/// Whether client 0 gets messages of `a/b`.
fn is_found(registry: &Registry) -> bool {
    found(registry, "a/b").iter().any(|found| found.0 == "0")
}

/// Tries `threads` with every registry that threads share, without and with a cache.
fn with_each(threads: impl Fn(&Arc<Registry>) + Clone + Send + Sync + 'static) {
    for guard in [Guard::ReadWriteLock, Guard::Sharded, Guard::LockFree] {
        for cached in [false, true] {
            let threads = threads.clone();
            loom::model(move || threads(&Arc::new(Registry::new(guard, cached))));
        }
    }
}

fn beside<R: 'static>(
    registry: &Arc<Registry>,
    work: impl FnOnce(&Registry) -> R + 'static,
) -> JoinHandle<R> {
    let registry = Arc::clone(registry);
    thread::spawn(move || work(&registry))
}

/// Looks twice while another thread makes the change and tells of it.
fn change_is_seen(
    registry: &Arc<Registry>,
    change: impl FnOnce(&Registry) + 'static,
    is_made: impl Fn(&Registry) -> bool,
) {
    let told = Arc::new(AtomicBool::new(false));
    let tell = Arc::clone(&told);
    let changing = beside(registry, move |registry| {
        change(registry);
        tell.store(true, Ordering::Release);
    });
    for _ in 0..2 {
        let told = told.load(Ordering::Acquire);
        assert!(is_made(registry) || !told, "told, and not seen");
    }
    changing.join().expect("the change does not panic");
    assert!(is_made(registry));
}

/// Both were seen to fail with a version that is counted up relaxed, read relaxed, counted up before the change,
/// or read behind the look-up. A relaxed `has_anywhere` of the shards passes: lock and version give its order.
#[test]
fn who_was_told_of_a_subscription_sees_it() {
    for filter in ["a/b", "+/b"] {
        with_each(move |registry| {
            let change = move |registry: &Registry| subscribe(registry, 0, filter);
            change_is_seen(registry, change, is_found);
        });
    }
}

#[test]
fn who_was_told_of_an_end_sees_it() {
    for filter in ["a/b", "+/b"] {
        with_each(move |registry| {
            subscribe(registry, 0, filter);
            let change = move |registry: &Registry| _ = unsubscribe(registry, 0, filter);
            change_is_seen(registry, change, |registry| !is_found(registry));
            assert!(registry.is_empty());
        });
    }
}

/// Seen to fail with shards that say outside of the lock whether there are filters that begin with a wildcard.
#[test]
fn a_neighbour_that_goes_hides_nobody() {
    for (own, other) in [("a/b", "a/c"), ("+/b", "+/c")] {
        with_each(move |registry| {
            subscribe(registry, 1, other);
            let going = beside(registry, move |registry| {
                assert!(unsubscribe(registry, 1, other));
            });
            subscribe(registry, 0, own);
            assert!(is_found(registry));
            going.join().unwrap();
            assert!(is_found(registry));
            assert!(unsubscribe(registry, 0, own) && registry.is_empty());
        });
    }
}

/// Seen to fail with a map that takes the old subscription away first.
#[test]
fn a_subscription_that_is_made_again_is_there_all_the_time() {
    with_each(|registry| {
        subscribe(registry, 0, "a/b");
        let again = beside(registry, |registry| subscribe(registry, 0, "a/b"));
        assert!(is_found(registry));
        again.join().unwrap();
        assert!(is_found(registry));
        assert!(unsubscribe(registry, 0, "a/b") && registry.is_empty());
    });
}

/// Seen to fail with a map that counts the beginnings up behind the subscriber, or down before it.
#[test]
fn one_subscription_is_made_and_ended_at_once() {
    with_each(|registry| {
        let ending = beside(registry, |registry| _ = unsubscribe(registry, 0, "a/b"));
        subscribe(registry, 0, "a/b");
        ending.join().unwrap();
        assert_eq!(is_found(registry), unsubscribe(registry, 0, "a/b"));
        assert!(registry.is_empty());
    });
}

/// Seen to fail with a map whose `change` says what its first attempt found.
#[test]
fn what_two_threads_do_at_once_counts_once() {
    with_each(|registry| {
        let making = beside(registry, |registry| subscribe(registry, 0, "a/b"));
        subscribe(registry, 0, "a/b");
        making.join().unwrap();
        assert!(is_found(registry));
        let ending = beside(registry, |registry| unsubscribe(registry, 0, "a/b"));
        let ended = unsubscribe(registry, 0, "a/b");
        assert!(ended != ending.join().unwrap());
        assert!(registry.is_empty());
    });
}
