//! A bounded channel of the crate crossbeam-channel for each subscriber.

use crossbeam_channel::{Receiver, Sender, bounded};
use ringside_contract::ImplementationMeta;
use ringside_contract::operations::events::{CAPACITY, Event, EventBus};

use super::work::{Gives, NamedBus, Taking, ToEach, Told};

/// `events/crossbeam`.
pub(crate) struct Channels {
    senders: Box<[Sender<Event>]>,
    receivers: Box<[Receiver<Event>]>,
}

static META: ImplementationMeta = ImplementationMeta {
    id: "events/crossbeam",
    about: "A bounded channel of the crate crossbeam-channel for each subscriber.",
    axes: &[],
    ranked: true,
};

impl NamedBus for Channels {
    const META: &'static ImplementationMeta = &META;

    fn new(subscribers: u32, _: u32) -> Self {
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..subscribers).map(|_| bounded(CAPACITY)).unzip();
        Self {
            senders: senders.into(),
            receivers: receivers.into(),
        }
    }
}

impl EventBus for Channels {
    type Publisher<'a> = ToEach<'a, Sender<Event>>;
    type Subscriber<'a> = Taking<'a, Receiver<Event>>;

    fn publisher(&self) -> Self::Publisher<'_> {
        ToEach::new(&self.senders)
    }

    fn subscriber(&self, number: u32) -> Taking<'_, Receiver<Event>> {
        Taking(&self.receivers[number as usize % self.receivers.len()])
    }
}

impl Told for Sender<Event> {
    #[inline]
    fn tell(&self, event: &Event) -> bool {
        self.try_send(*event).is_ok()
    }
}

impl Gives for Receiver<Event> {
    #[inline]
    fn give(&self) -> Option<Event> {
        self.try_recv().ok()
    }
}
