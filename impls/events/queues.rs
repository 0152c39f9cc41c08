//! A queue for each subscriber: the document's queue, with what the broadcast channel does.

use crossbeam_queue::ArrayQueue;
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::events::{CAPACITY, Event, EventBus};

use super::work::{Gives, NamedBus, Taking, ToEach, Told};

/// `events/queues`.
pub(crate) struct Queues(Box<[ArrayQueue<Event>]>);

static META: ImplementationMeta = ImplementationMeta {
    id: "events/queues",
    about: "A crossbeam ArrayQueue for each subscriber: the document's queue with the channel's meaning.",
    axes: &[],
    ranked: true,
};

impl NamedBus for Queues {
    const META: &'static ImplementationMeta = &META;

    fn new(subscribers: u32, _: u32) -> Self {
        let queue = |_| ArrayQueue::new(CAPACITY);
        Self((0..subscribers).map(queue).collect())
    }
}

impl Told for ArrayQueue<Event> {
    #[inline]
    fn tell(&self, event: &Event) -> bool {
        self.push(*event).is_ok()
    }
}

impl EventBus for Queues {
    type Publisher<'a> = ToEach<'a, ArrayQueue<Event>>;
    type Subscriber<'a> = Taking<'a, ArrayQueue<Event>>;

    fn publisher(&self) -> Self::Publisher<'_> {
        ToEach::new(&self.0)
    }

    fn subscriber(&self, number: u32) -> Taking<'_, ArrayQueue<Event>> {
        Taking(&self.0[number as usize % self.0.len()])
    }
}

impl Gives for ArrayQueue<Event> {
    #[inline]
    fn give(&self) -> Option<Event> {
        self.pop()
    }
}
