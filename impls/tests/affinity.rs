//! The conformance cases of session tables, over every implementation in both forms, and over some that are wrong.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use ringside_conform::affinity::{cases, run};
use ringside_contract::Settings;
use ringside_contract::operations::Tested;
use ringside_contract::operations::affinity::{SessionTable, TestedAffinity};

#[test]
fn every_implementation_passes_every_case() {
    let all = ringside_operations::all();
    let tables = all
        .iter()
        .filter(|one| one.meta().id.starts_with("affinity/"));
    let mut tried = 0;
    for (operation, compact) in tables.flat_map(|one| [(one, "off"), (one, "on")]) {
        let mut axes = Settings::default();
        axes.set("compact", compact);
        let Tested::Affinity(affinity) = operation.tested(&axes).unwrap() else {
            panic!("{} keeps no sessions", operation.meta().id);
        };
        for case in cases() {
            let outcome = run(case.name, affinity.as_ref());
            assert_eq!(
                outcome,
                Ok(()),
                "{} {compact}: {}",
                operation.meta().id,
                case.name
            );
        }
        tried += 1;
    }
    assert_eq!(tried, 10);
}

/// Tables that do one thing wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// A client gets what is chosen for it now.
    Chooses,
    /// Two threads may both add a client, each with its choice.
    AddsTwice,
    /// Nobody ever goes.
    KeepsAll,
    /// Who came first goes first, used or not.
    FirstInFirstOut,
    /// Who came last goes first.
    LastInFirstOut,
}

struct Wrong(Fault);

struct Table {
    fault: Fault,
    most: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sessions: HashMap<u32, (u32, u32)>,
    order: VecDeque<u32>,
}

impl TestedAffinity for Wrong {
    fn of(&self, most: usize) -> Box<dyn SessionTable> {
        Box::new(Table {
            fault: self.0,
            most,
            inner: Mutex::default(),
        })
    }
}

impl SessionTable for Table {
    fn backend(&self, client: u32, now: u32, choice: u32) -> u32 {
        let mut inner = self.inner.lock().unwrap();
        if let Some((backend, used)) = inner.sessions.get_mut(&client) {
            *used = now;
            return match self.fault {
                Fault::Chooses => choice,
                // As if it had not been there a moment ago.
                Fault::AddsTwice if now == 1 => choice,
                _ => *backend,
            };
        }
        if inner.sessions.len() == self.most && self.fault != Fault::KeepsAll {
            let gone = match self.fault {
                Fault::FirstInFirstOut => inner.order.pop_front(),
                Fault::LastInFirstOut => inner.order.pop_back(),
                _ => inner
                    .sessions
                    .iter()
                    .min_by_key(|(_, session)| session.1)
                    .map(|(&client, _)| client),
            };
            inner.sessions.remove(&gone.unwrap());
        }
        inner.sessions.insert(client, (choice, now));
        inner.order.push_back(client);
        choice
    }

    fn sessions(&self) -> usize {
        self.inner.lock().unwrap().sessions.len()
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
        (Fault::Chooses, "keeps_a_client_at_its_backend"),
        (Fault::AddsTwice, "gives_threads_the_same_backend"),
        (Fault::KeepsAll, "keeps_to_its_limit"),
        (Fault::KeepsAll, "keeps_to_its_limit_for_threads"),
        (Fault::FirstInFirstOut, "keeps_who_comes_back"),
        (Fault::LastInFirstOut, "forgets_who_stays_away"),
    ] {
        let failed = failing(fault);
        assert!(
            failed.contains(&case),
            "{fault:?}: {case} passed; {failed:?} failed"
        );
    }
}
