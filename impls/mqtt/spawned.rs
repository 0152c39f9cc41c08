//! A thread for each subscriber of each message, as the documents' blocking broker has it: the axis
//! `fan_out`. It is here to be measured.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Does `work` for each item in a thread of its own, and waits for all of them. True when any of them gave
/// true. What no thread can be had for is done here.
pub(crate) fn for_each<T: Copy + Send>(
    items: impl Iterator<Item = T>,
    work: impl Fn(T) -> bool + Sync,
) -> bool {
    let any = AtomicBool::new(false);
    // Relaxed: the end of the scope puts everything in order.
    let note = |wanted: bool| any.fetch_or(wanted, Ordering::Relaxed);
    let (work, note) = (&work, &note);
    thread::scope(|scope| {
        for item in items {
            let begun = thread::Builder::new().spawn_scoped(scope, move || note(work(item)));
            if begun.is_err() {
                note(work(item));
            }
        }
    });
    any.into_inner()
}
