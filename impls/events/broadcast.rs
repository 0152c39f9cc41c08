//! tokio's broadcast channel: one ring that all subscribers read, which document 001 has to begin with.
//!
//! It never waits: a subscriber that is too far behind misses events. So that none does, who publishes asks how far the
//! last one is before each burst, which is a price of this channel where nothing may be lost.

use std::sync::{Mutex, PoisonError};

use ringside_contract::ImplementationMeta;
use ringside_contract::operations::events::{
    BURST, CAPACITY, Event, EventBus, Publisher, Subscriber,
};
use tokio::sync::broadcast::{self, Receiver, Sender};

use super::work::NamedBus;

/// `events/broadcast`.
pub(crate) struct Broadcast {
    sender: Sender<Event>,
    /// Those that nobody has taken; who subscribes later misses what came before.
    receivers: Mutex<Vec<Option<Receiver<Event>>>>,
    /// Events that may be under way when one asks how many there are.
    margin: usize,
}

static META: ImplementationMeta = ImplementationMeta {
    id: "events/broadcast",
    about: "tokio::sync::broadcast, as the document has it; before each burst the publisher asks whether the last subscriber has room.",
    axes: &[],
    ranked: true,
};

impl NamedBus for Broadcast {
    const META: &'static ImplementationMeta = &META;

    fn new(subscribers: u32, publishers: u32) -> Self {
        let (sender, _) = broadcast::channel(CAPACITY);
        let receivers = (0..subscribers).map(|_| Some(sender.subscribe()));
        Self {
            receivers: Mutex::new(receivers.collect()),
            margin: publishers as usize * BURST as usize,
            sender,
        }
    }
}

impl EventBus for Broadcast {
    type Publisher<'a> = Sending<'a>;
    type Subscriber<'a> = Receiving;

    fn publisher(&self) -> Sending<'_> {
        Sending {
            bus: self,
            credit: 0,
        }
    }

    fn subscriber(&self, number: u32) -> Receiving {
        let mut receivers = self
            .receivers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let receiver = receivers.get_mut(number as usize).and_then(Option::take);
        Receiving(receiver.unwrap_or_else(|| self.sender.subscribe()))
    }
}

/// An end for publishing.
pub(crate) struct Sending<'a> {
    bus: &'a Broadcast,
    /// Events for which there is room without asking.
    credit: u32,
}

impl Publisher for Sending<'_> {
    #[inline]
    fn publish(&mut self, event: &Event) -> bool {
        if self.credit == 0 {
            if self.bus.sender.len() + self.bus.margin > CAPACITY {
                return false;
            }
            self.credit = BURST;
        }
        self.credit -= 1;
        // Without subscribers there is nobody to be told.
        let _ = self.bus.sender.send(*event);
        true
    }
}

/// A subscriber's end.
pub(crate) struct Receiving(Receiver<Event>);

impl Subscriber for Receiving {
    #[inline]
    fn take(&mut self) -> Option<Event> {
        // What was missed shows as a gap, which whoever counts the events finds.
        self.0.try_recv().ok()
    }
}
