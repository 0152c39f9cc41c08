//! The conformance cases and the test of meaning of what carries events, over every implementation, and over some that are
//! wrong.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::collections::VecDeque;
use std::sync::Mutex;

use ringside_conform::events::{cases, quality, run};
use ringside_contract::Settings;
use ringside_contract::operations::Tested;
use ringside_contract::operations::events::{
    CAPACITY, Event, Publisher, Subscriber, TestedBus, TestedEvents,
};

#[test]
fn every_implementation_passes_every_case_and_only_the_shared_queue_means_something_else() {
    let all = ringside_operations::all();
    let carriers: Vec<_> = all
        .iter()
        .filter(|one| one.meta().id.starts_with("events/"))
        .collect();
    assert_eq!(carriers.len(), 5);
    for operation in carriers {
        let id = operation.meta().id;
        let Tested::Events(events) = operation.tested(&Settings::default()).unwrap() else {
            panic!("{id} carries no events");
        };
        for case in cases() {
            assert_eq!(
                run(case.name, events.as_ref()),
                Ok(()),
                "{id}: {}",
                case.name
            );
        }
        for test in quality() {
            let outcome = run(test.name, events.as_ref());
            assert_eq!(
                outcome.is_err(),
                id == "events/array_queue",
                "{id}: {outcome:?}"
            );
        }
    }
}

/// What does one thing wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Two events that stand side by side change places.
    Swaps,
    /// An event comes with another number of its connection.
    Tears,
    /// There is room for any number.
    IsBoundless,
    /// Each hundredth is lost.
    Loses,
}

struct Wrong(Fault);

struct Bus(Fault, Vec<Mutex<VecDeque<Event>>>);

impl TestedEvents for Wrong {
    fn of(&self, subscribers: u32, _: u32) -> Box<dyn TestedBus> {
        Box::new(Bus(
            self.0,
            (0..subscribers).map(|_| Mutex::default()).collect(),
        ))
    }
}

impl TestedBus for Bus {
    fn publisher(&self) -> Box<dyn Publisher + '_> {
        Box::new(End(self, 0))
    }

    fn subscriber(&self, number: u32) -> Box<dyn Subscriber + '_> {
        Box::new(End(self, number as usize))
    }
}

struct End<'a>(&'a Bus, usize);

impl Publisher for End<'_> {
    fn publish(&mut self, event: &Event) -> bool {
        let mut queues: Vec<_> = self.0.1.iter().map(|queue| queue.lock().unwrap()).collect();
        let is_full = queues.iter().any(|queue| queue.len() == CAPACITY);
        if is_full && self.0.0 != Fault::IsBoundless {
            return false;
        }
        let mut event = *event;
        let is_hundredth = event.number % 100 == 99;
        event.connection ^= u64::from(self.0.0 == Fault::Tears && is_hundredth);
        for queue in &mut queues {
            if !(self.0.0 == Fault::Loses && is_hundredth) {
                queue.push_back(event);
            }
            let length = queue.len();
            if self.0.0 == Fault::Swaps && length > 1 {
                queue.swap(length - 1, length - 2);
            }
        }
        true
    }
}

impl Subscriber for End<'_> {
    fn take(&mut self) -> Option<Event> {
        self.0.1[self.1].lock().unwrap().pop_front()
    }
}

#[test]
fn what_carries_events_wrongly_fails_the_case_that_asks_for_it() {
    let failing = |fault| -> Vec<&str> {
        let names = cases().iter().chain(quality()).map(|case| case.name);
        names
            .filter(|name| run(name, &Wrong(fault)).is_err())
            .collect()
    };
    assert_eq!(failing(Fault::None), Vec::<&str>::new());
    for (fault, case) in [
        (Fault::Swaps, "keeps_the_order_of_a_publisher"),
        (Fault::Tears, "makes_nothing_up"),
        (Fault::IsBoundless, "is_bounded"),
        (Fault::Loses, "tells_every_subscriber"),
    ] {
        let failed = failing(fault);
        assert!(
            failed.contains(&case),
            "{fault:?}: {case} passed; {failed:?} failed"
        );
    }
}
