//! The conformance cases of counters, over every counter, and over some that are wrong.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_conform::counters::{cases, run};
use ringside_contract::Settings;
use ringside_contract::operations::Tested;
use ringside_contract::operations::counters::{CounterHandle, TestedCounter};

#[test]
fn every_counter_passes_every_case() {
    let all = ringside_operations::all();
    let counters: Vec<_> = all
        .iter()
        .filter(|one| one.meta().id.starts_with("counters/"))
        .collect();
    assert!(!counters.is_empty());
    for operation in counters {
        for case in cases() {
            let Tested::Counter(counter) = operation.tested(&Settings::default()).unwrap() else {
                panic!("{} is no counter", operation.meta().id);
            };
            let outcome = run(case.name, counter.as_ref());
            assert_eq!(outcome, Ok(()), "{}: {}", operation.meta().id, case.name);
        }
    }
}

/// A counter that does one thing wrong.
struct Wrong {
    number: AtomicU64,
    reads: Mutex<u64>,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// It reads and writes in two steps.
    CountsInTwoSteps,
    /// A total is now and then that of before.
    ShowsAnOlderTotal,
    /// Every thousandth is not counted.
    Forgets,
}

struct Handle<'a>(&'a Wrong);

impl CounterHandle for Handle<'_> {
    fn count(&mut self) {
        let number = &self.0.number;
        match self.0.fault {
            Fault::CountsInTwoSteps => {
                let before = number.load(Ordering::Relaxed);
                std::thread::yield_now();
                number.store(before + 1, Ordering::Relaxed);
            }
            Fault::Forgets if number.load(Ordering::Relaxed) == 999 => {}
            _ => _ = number.fetch_add(1, Ordering::Relaxed),
        }
    }

    fn total(&mut self) -> u64 {
        let total = self.0.number.load(Ordering::Relaxed);
        let mut reads = self.0.reads.lock().unwrap();
        *reads += 1;
        if self.0.fault == Fault::ShowsAnOlderTotal && *reads > 2000 && reads.is_multiple_of(64) {
            return total / 2;
        }
        total
    }
}

impl TestedCounter for Wrong {
    fn with_handle(&self, act: &mut dyn FnMut(&mut dyn CounterHandle)) {
        act(&mut Handle(self));
    }
}

#[test]
fn a_counter_that_is_wrong_fails_the_case_that_asks_for_it() {
    let failing = |fault| -> Vec<&str> {
        let counter = || Wrong {
            number: AtomicU64::new(0),
            reads: Mutex::new(0),
            fault,
        };
        let names = cases().iter().map(|case| case.name);
        names
            .filter(|name| run(name, &counter()).is_err())
            .collect()
    };
    assert_eq!(failing(Fault::None), Vec::<&str>::new());
    for (fault, case) in [
        (Fault::CountsInTwoSteps, "loses_nothing_of_many_threads"),
        (Fault::ShowsAnOlderTotal, "never_goes_back"),
        (Fault::Forgets, "counts_what_a_thread_counts"),
    ] {
        let failed = failing(fault);
        assert!(
            failed.contains(&case),
            "{fault:?}: {case} passed; {failed:?} failed"
        );
    }
}
