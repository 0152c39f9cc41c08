//! The conformance cases and the tests of meaning of limits, over every implementation, and over some that are wrong.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::sync::Mutex;

use ringside_conform::rate_limit::{cases, quality, run};
use ringside_contract::Settings;
use ringside_contract::operations::Tested;
use ringside_contract::operations::rate_limit::{TestedLimit, TestedRate};

#[test]
fn every_implementation_passes_every_case_and_a_semaphore_is_no_limit_of_a_rate() {
    let all = ringside_operations::all();
    let limits: Vec<_> = all
        .iter()
        .filter(|one| one.meta().id.starts_with("rate_limit/"))
        .collect();
    assert_eq!(limits.len(), 2);
    for operation in limits {
        let id = operation.meta().id;
        let Tested::RateLimit(rate) = operation.tested(&Settings::default()).unwrap() else {
            panic!("{id} is no limit");
        };
        for case in cases() {
            assert_eq!(run(case.name, rate.as_ref()), Ok(()), "{id}: {}", case.name);
        }
        for test in quality() {
            let outcome = run(test.name, rate.as_ref());
            assert_eq!(
                outcome.is_err(),
                id == "rate_limit/semaphore",
                "{id}: {outcome:?}"
            );
        }
    }
}

/// Limits that do one thing wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// It lets through half of what it says.
    IsTight,
    /// It lets through all.
    IsOpen,
    /// It lets through one tenth more.
    IsLoose,
    /// Each thread has a limit of its own.
    IsOfAThread,
}

struct Wrong(Fault);

struct Limit {
    fault: Fault,
    each_ns: u64,
    next_ns: Mutex<Vec<(Option<std::thread::ThreadId>, u64)>>,
}

impl TestedRate for Wrong {
    fn of(&self, rate_per_s: u64) -> Box<dyn TestedLimit> {
        let each_ns = 1_000_000_000 / rate_per_s;
        Box::new(Limit {
            fault: self.0,
            each_ns: match self.0 {
                Fault::IsTight => 3 * each_ns,
                Fault::IsLoose => each_ns * 10 / 11,
                _ => each_ns,
            },
            next_ns: Mutex::default(),
        })
    }
}

impl TestedLimit for Limit {
    fn begin(&self, now_ns: u64) -> bool {
        let owner = (self.fault == Fault::IsOfAThread).then(|| std::thread::current().id());
        let mut all = self.next_ns.lock().unwrap();
        let place = all.iter().position(|(of, _)| *of == owner);
        let place = place.unwrap_or_else(|| {
            all.push((owner, 0));
            all.len() - 1
        });
        let next = &mut all[place].1;
        // A hundredth of a second at once.
        *next = (*next).max(now_ns);
        if self.fault == Fault::IsOpen {
            return true;
        }
        if *next + self.each_ns > now_ns + 10_000_000 {
            return false;
        }
        *next += self.each_ns;
        true
    }

    fn end(&self) {}
}

#[test]
fn a_limit_that_is_wrong_fails_the_case_that_asks_for_it() {
    let failing = |fault| -> Vec<&str> {
        let names = cases().iter().chain(quality()).map(|case| case.name);
        names
            .filter(|name| run(name, &Wrong(fault)).is_err())
            .collect()
    };
    assert_eq!(failing(Fault::None), Vec::<&str>::new());
    for (fault, case) in [
        (Fault::IsTight, "lets_a_slow_one_through"),
        (Fault::IsOpen, "refuses_a_flood_at_once"),
        (Fault::IsLoose, "lets_through_as_many_as_it_says"),
        (Fault::IsOfAThread, "holds_for_threads"),
    ] {
        let failed = failing(fault);
        assert!(
            failed.contains(&case),
            "{fault:?}: {case} passed; {failed:?} failed"
        );
    }
}
