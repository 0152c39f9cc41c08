//! A task that was called does not sleep, and sees what was left for it: tried by loom in every order
//! (`just loom`).

use std::sync::Arc;
use std::task::Wake;

use loom::sync::Notify;
use loom::sync::atomic::AtomicU64;
use loom::thread;

use super::*;

/// Callers, each with a thread of its own.
const CALLERS: u64 = 2;

/// A task that its runtime polls when it was woken.
struct Task(Notify);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

/// Seen to fail with a relaxed `ring`, a relaxed `is_heard`, a task that looks before it leaves its waker, and a
/// `ring` that wakes before it says so.
#[test]
fn a_ring_wakes_the_task_that_listens() {
    loom::model(|| {
        // What callers leave with the core, a bit each. Relaxed: the bell gives the order.
        let (bell, left) = (Arc::new(Bell::default()), Arc::new(AtomicU64::new(0)));
        let ring = |caller: u64| {
            let (bell, left) = (Arc::clone(&bell), Arc::clone(&left));
            thread::spawn(move || {
                left.fetch_or(1 << caller, Ordering::Relaxed);
                bell.ring();
            })
        };
        let callers: Vec<_> = (0..CALLERS).map(ring).collect();
        let task = Arc::new(Task(Notify::new()));
        let waker = Waker::from(Arc::clone(&task));
        let context = Context::from_waker(&waker);
        loop {
            if !bell.is_heard(&context) {
                task.0.wait();
            } else if left.load(Ordering::Relaxed) == (1 << CALLERS) - 1 {
                break;
            }
        }
        for caller in callers {
            caller.join().unwrap();
        }
    });
}
