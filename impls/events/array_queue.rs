//! One queue that all subscribers take from: what document 001 puts in the place of the broadcast channel. Each event
//! reaches one of them and no other, which is different work.

use crossbeam_queue::ArrayQueue;
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::events::{CAPACITY, Event, EventBus, Publisher, Subscriber};

use super::work::NamedBus;

/// `events/array_queue`.
pub(crate) struct Shared(ArrayQueue<Event>);

static META: ImplementationMeta = ImplementationMeta {
    id: "events/array_queue",
    about: "One crossbeam ArrayQueue for all, as the document has it: an event reaches one subscriber, and the others never hear of it.",
    axes: &[],
    ranked: true,
};

impl NamedBus for Shared {
    const META: &'static ImplementationMeta = &META;
    const TELLS_ALL: bool = false;

    fn new(_: u32, _: u32) -> Self {
        Self(ArrayQueue::new(CAPACITY))
    }
}

impl EventBus for Shared {
    type Publisher<'a> = &'a Self;
    type Subscriber<'a> = &'a Self;

    fn publisher(&self) -> &Self {
        self
    }

    fn subscriber(&self, _: u32) -> &Self {
        self
    }
}

impl Publisher for &Shared {
    #[inline]
    fn publish(&mut self, event: &Event) -> bool {
        self.0.push(*event).is_ok()
    }
}

impl Subscriber for &Shared {
    #[inline]
    fn take(&mut self) -> Option<Event> {
        self.0.pop()
    }
}
