//! Conformance of everything that a run will time, before its first block. Cases mostly wait (the one
//! for a slow head takes 2 s with our servers and 10 s with outside programs), so many servers are
//! checked at the same time.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::catalogue::Subject;
use crate::qualify::{Passed, Qualifier, Refusal, check_conformance};
use crate::server::{Launch, StartFailure};

/// Servers checked at the same time. Each is a process with a few threads that wait; 16 of them finish
/// the 40 subjects of a quick plan in three waves, of which only the first has outside programs.
const AT_ONCE: usize = 16;

/// How the check of one subject ended: not started, failed cases, or passed.
pub(crate) type Checked = Result<Result<Passed, Refusal>, StartFailure>;

/// Checks every subject, each with a folder of its own below `folder`, and hands each outcome with the
/// subject's index to `each` as it comes.
pub(crate) fn check_all(
    launch: &Launch<'_>,
    subjects: &[Subject<'_>],
    folder: &Path,
    qualifier: &dyn Qualifier,
    mut each: impl FnMut(usize, Checked),
) {
    let mut order: Vec<usize> = (0..subjects.len()).collect();
    // Stable, and false comes first: outside programs, which take longest.
    order.sort_by_key(|&index| subjects[index].candidate.manifest().is_none());
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(subjects.len()) {
            let (sender, next, order) = (sender.clone(), &next, &order);
            scope.spawn(move || {
                loop {
                    // Relaxed: each place is taken once, nothing else is read through it.
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(&index) = order.get(place) else {
                        return;
                    };
                    let subject = &subjects[index];
                    if launch.stop.is_set() {
                        return;
                    }
                    let place = folder.join(index.to_string());
                    let outcome = check_conformance(launch, subject, &place, qualifier);
                    // The receiver lives as long as this scope.
                    let _ = sender.send((index, outcome));
                }
            });
        }
        drop(sender);
        for (index, outcome) in receiver {
            each(index, outcome);
        }
    });
}
