//! The conformance cases of tables of backends, over every implementation, and over some that are wrong.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Mutex;

use ringside_conform::backends::{cases, run};
use ringside_contract::Settings;
use ringside_contract::operations::Tested;
use ringside_contract::operations::backends::{BackendTable, TestedBackends, address};

#[test]
fn every_implementation_passes_every_case() {
    let all = ringside_operations::all();
    let tables: Vec<_> = all
        .iter()
        .filter(|one| one.meta().id.starts_with("backends/"))
        .collect();
    assert_eq!(tables.len(), 4);
    for operation in tables {
        let Tested::Backends(backends) = operation.tested(&Settings::default()).unwrap() else {
            panic!("{} has no backends", operation.meta().id);
        };
        for case in cases() {
            let outcome = run(case.name, backends.as_ref());
            assert_eq!(outcome, Ok(()), "{}: {}", operation.meta().id, case.name);
        }
    }
}

/// Tables that do one thing wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// The last one gets nothing.
    LeavesOutTheLast,
    /// Who is ill gets its requests all the same.
    IsBlind,
    /// Who was ill once stays so.
    Forgives,
    /// Where all are ill, one gets the request.
    PicksSomebody,
    /// A thread sees what it saw the last time, each second time.
    LooksLate,
}

struct Wrong(Fault);

struct Table(Fault, Mutex<Vec<bool>>);

impl TestedBackends for Wrong {
    fn of(&self, backends: u32) -> Box<dyn BackendTable> {
        Box::new(Table(self.0, Mutex::new(vec![true; backends as usize])))
    }
}

thread_local! {
    static SEEN: RefCell<Vec<bool>> = const { RefCell::new(Vec::new()) };
}

impl BackendTable for Table {
    fn pick(&self, turn: u32) -> Option<SocketAddr> {
        let now = self.1.lock().unwrap().clone();
        let is_late = self.0 == Fault::LooksLate && std::thread::current().name().is_none();
        let seen = if is_late {
            SEEN.replace(now.clone())
        } else {
            now
        };
        let well =
            |place: &u32| self.0 == Fault::IsBlind || seen.get(*place as usize) == Some(&true);
        let mut well: Vec<_> = (0..seen.len() as u32).filter(well).collect();
        if self.0 == Fault::LeavesOutTheLast && well.len() > 1 {
            well.pop();
        }
        if well.is_empty() {
            return (self.0 == Fault::PicksSomebody || is_late).then(|| address(3));
        }
        Some(address(well[turn as usize % well.len()]))
    }

    fn set_health(&self, backend: u32, is_well: bool) {
        if !(is_well && self.0 == Fault::Forgives) {
            self.1.lock().unwrap()[backend as usize] = is_well;
        }
    }
}

#[test]
fn a_table_that_is_wrong_fails_the_case_that_asks_for_it() {
    let failing = |fault| -> Vec<&str> {
        let names = cases().iter().map(|case| case.name);
        names
            .filter(|name| run(name, &Wrong(fault)).is_err())
            .collect()
    };
    assert_eq!(failing(Fault::None), Vec::<&str>::new());
    for (fault, case) in [
        (Fault::LeavesOutTheLast, "goes_round_among_all"),
        (Fault::IsBlind, "leaves_out_who_is_ill"),
        (Fault::Forgives, "takes_back_who_is_well_again"),
        (Fault::PicksSomebody, "picks_nobody_where_all_are_ill"),
        (Fault::LooksLate, "never_picks_who_was_ill_before"),
    ] {
        let failed = failing(fault);
        assert!(
            failed.contains(&case),
            "{fault:?}: {case} passed; {failed:?} failed"
        );
    }
}
