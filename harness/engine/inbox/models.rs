//! A call to a loop that goes to sleep is never lost: tried by loom in every order (`just loom`).
//!
//! The inbox is the real one. When a loop sleeps, and what it does first when it woke up, is written down here
//! as the loop has it that each model names. Where one would sleep for ever, loom reports a deadlock.
//!
//! All four were seen to fail with a `call` that raises the flag before it pushes the key, and with a `may_sleep`
//! that looks under one lock and says under another that the loop sleeps, or does not say it. The first two
//! were seen to fail with a `woke` that forgets calls.

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use super::*;

/// Connections of the loop; each is called once, from a thread of its own.
const CONNECTIONS: u64 = 2;

/// A loop as far as it has to do with calls.
struct Loop {
    inbox: Arc<Inbox>,
    /// What callers left with the core, a bit for each connection. Relaxed: the call gives the order.
    left: Arc<AtomicU64>,
    answered: u64,
}

impl Loop {
    /// Takes the calls that wait. True when that were all.
    fn answer_calls(&mut self) -> bool {
        let mut keys = Vec::new();
        self.inbox.take(&mut keys);
        for key in keys {
            let left = self.left.load(Ordering::Relaxed);
            assert!(left & 1 << key != 0, "what was left is not seen");
            self.answered += 1;
        }
        self.answered == CONNECTIONS
    }
}

/// Calls a loop that begins with `begin`; `serve` runs it until it answered all.
fn calls_reach(
    begin: impl Fn(&Inbox) + Send + Sync + 'static,
    serve: impl Fn(&mut Loop) + Send + Sync + 'static,
) {
    loom::model(move || {
        let mut called = Loop {
            inbox: Inbox::new().expect("a descriptor is left"),
            left: Arc::default(),
            answered: 0,
        };
        begin(&called.inbox);
        let call = |key| {
            let (caller, left) = (called.inbox.caller(key), Arc::clone(&called.left));
            thread::spawn(move || {
                left.fetch_or(1 << key, Ordering::Relaxed);
                caller.call();
            })
        };
        let callers: Vec<_> = (0..CONNECTIONS).map(call).collect();
        serve(&mut called);
        for caller in callers {
            caller.join().expect("no caller panics");
        }
    });
}

/// `epoll.rs`, which never lowers the flag.
#[test]
fn a_call_wakes_a_loop_that_watches_for_edges() {
    calls_reach(
        |_| {},
        |called| {
            let mut seen = 0;
            loop {
                if called.inbox.may_sleep() {
                    called.inbox.flag.wait_for_edge(&mut seen);
                }
                called.inbox.woke();
                if called.answer_calls() {
                    break;
                }
            }
        },
    );
}

/// `uring/worker.rs`: the ring reports the flag once, and is asked again before the calls are taken.
#[test]
fn a_call_wakes_a_loop_that_watches_the_level() {
    calls_reach(
        |_| {},
        |called| {
            loop {
                let slept = called.inbox.may_sleep();
                if slept {
                    called.inbox.flag.wait_for_level();
                }
                called.inbox.woke();
                if slept {
                    called.inbox.lower();
                }
                if called.answer_calls() {
                    break;
                }
            }
        },
    );
}

/// `blocking.rs`.
#[test]
fn a_call_wakes_the_thread_of_one_connection() {
    calls_reach(
        |_| {},
        |called| {
            loop {
                if called.inbox.may_sleep() {
                    called.inbox.flag.wait_for_level();
                    called.inbox.lower();
                }
                if called.answer_calls() {
                    break;
                }
            }
        },
    );
}

/// `blocking_pool.rs`: nobody looks before the flag is up, and who looked asks whether he may stop.
#[test]
fn a_call_wakes_a_thread_of_a_pool() {
    let begin = |inbox: &Inbox| _ = inbox.may_sleep();
    calls_reach(begin, |called| {
        loop {
            called.inbox.flag.wait_for_level();
            called.inbox.lower();
            loop {
                if called.answer_calls() {
                    return;
                }
                if called.inbox.may_sleep() {
                    break;
                }
            }
        }
    });
}
