//! Events that are told to every subscriber.

use serde::{Deserialize, Serialize};

/// Events a thread may have published that a subscriber has not taken, at most. A thread publishes no more than
/// [`BURST`] without taking what came for its own subscribers.
pub const CAPACITY: usize = 1024;

/// Events between two looks of a thread at its own subscribers, and between two looks at the clock.
pub const BURST: u32 = 32;

/// The most threads: what all of them publish before one looks has room.
pub const THREADS_MAX: u32 = 4;

/// The most subscribers.
pub const SUBSCRIBERS_MAX: u32 = 64;

/// Threads publish events and take what came for the subscribers that they have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventTask {
    /// How many there are, shared out among the threads, each of which has at least one.
    pub subscribers: u32,
}

/// What is told: as much as says what happened to which connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Event {
    /// Who published it.
    pub publisher: u32,
    /// What happened.
    pub kind: u32,
    /// The publisher's count, from 0.
    pub number: u64,
    /// The connection.
    pub connection: u64,
}

/// One thread's end for publishing.
pub trait Publisher {
    /// Tells every subscriber. False where one has no room: then the same event is to be given again, until it is true.
    fn publish(&mut self, event: &Event) -> bool;
}

/// One subscriber's end.
pub trait Subscriber {
    /// The next event for it, if there is one.
    fn take(&mut self) -> Option<Event>;
}

/// What carries events, between threads. Each subscriber gets the events of a publisher in their order.
pub trait EventBus: Send + Sync + 'static {
    /// A thread's end for publishing.
    type Publisher<'a>: Publisher
    where
        Self: 'a;
    /// A subscriber's end.
    type Subscriber<'a>: Subscriber
    where
        Self: 'a;

    /// An end for publishing.
    fn publisher(&self) -> Self::Publisher<'_>;

    /// The end of subscriber `number`, which is asked for once.
    fn subscriber(&self, number: u32) -> Self::Subscriber<'_>;
}

/// The same behind a pointer, for conformance cases.
pub trait TestedBus: Send + Sync {
    /// An end for publishing.
    fn publisher(&self) -> Box<dyn Publisher + '_>;

    /// The end of subscriber `number`, which is asked for once.
    fn subscriber(&self, number: u32) -> Box<dyn Subscriber + '_>;
}

impl<B: EventBus> TestedBus for B {
    fn publisher(&self) -> Box<dyn Publisher + '_> {
        Box::new(EventBus::publisher(self))
    }

    fn subscriber(&self, number: u32) -> Box<dyn Subscriber + '_> {
        Box::new(EventBus::subscriber(self, number))
    }
}

/// One way to carry events, for conformance cases.
pub trait TestedEvents: Send + Sync {
    /// With so many subscribers and publishers, and room for [`CAPACITY`] events before each subscriber.
    fn of(&self, subscribers: u32, publishers: u32) -> Box<dyn TestedBus>;
}
