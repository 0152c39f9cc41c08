//! What all that carry events have in common: what threads do with one, and what has to hold of it.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use ringside_contract::operations::events::{
    BURST, Event, EventBus, EventTask, Publisher, SUBSCRIBERS_MAX, Subscriber, THREADS_MAX,
    TestedBus, TestedEvents,
};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Work, Workload};
use ringside_contract::{ImplementationMeta, Settings, StartError};
use ringside_metal::monotonic_ns;

/// What carries events, with its name.
pub(crate) trait NamedBus: EventBus + Sized {
    /// Name and technique.
    const META: &'static ImplementationMeta;

    /// Whether each subscriber gets each event. Where not, one of them does.
    const TELLS_ALL: bool = true;

    /// With so many subscribers and publishers.
    fn new(subscribers: u32, publishers: u32) -> Self;
}

/// What one subscriber is told by.
pub(super) trait Told {
    /// False where it has no room.
    fn tell(&self, event: &Event) -> bool;
}

/// What one subscriber takes from.
pub(super) trait Gives {
    /// The next event, if there is one.
    fn give(&self) -> Option<Event>;
}

/// A subscriber's end of what it has by itself.
pub(crate) struct Taking<'a, T>(pub(super) &'a T);

impl<T: Gives> Subscriber for Taking<'_, T> {
    #[inline]
    fn take(&mut self) -> Option<Event> {
        self.0.give()
    }
}

/// An end for publishing to each subscriber by itself.
pub(crate) struct ToEach<'a, T> {
    all: &'a [T],
    /// Those before it have the event that found no room.
    next: usize,
}

impl<'a, T> ToEach<'a, T> {
    pub(super) const fn new(all: &'a [T]) -> Self {
        Self { all, next: 0 }
    }
}

impl<T: Told> Publisher for ToEach<'_, T> {
    #[inline]
    fn publish(&mut self, event: &Event) -> bool {
        while let Some(one) = self.all.get(self.next) {
            if !one.tell(event) {
                return false;
            }
            self.next += 1;
        }
        self.next = 0;
        true
    }
}

/// A line of the list.
pub(crate) struct Entry<B>(PhantomData<fn() -> B>);

impl<B> Entry<B> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<B: NamedBus> InProcess for Entry<B> {
    fn meta(&self) -> &'static ImplementationMeta {
        B::META
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        let Task::Events(task) = &workload.task else {
            return Err(workload.task.refused());
        };
        Ok(Box::new(Carried::<B>::new(task, workload.threads)))
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Events(Box::new(Any::<B>(PhantomData))))
    }
}

struct Any<B>(PhantomData<fn() -> B>);

impl<B: NamedBus> TestedEvents for Any<B> {
    fn of(&self, subscribers: u32, publishers: u32) -> Box<dyn TestedBus> {
        Box::new(B::new(subscribers, publishers))
    }
}

/// Subscribers that are shared out among threads.
struct Carried<B> {
    bus: B,
    subscribers: u32,
    threads: u32,
    /// Events that came out of order, twice or not at all, and those for which there never was room.
    wrong: AtomicU64,
}

impl<B: NamedBus> Carried<B> {
    fn new(task: &EventTask, threads: u32) -> Self {
        let threads = threads.clamp(1, THREADS_MAX);
        let subscribers = task.subscribers.clamp(threads, SUBSCRIBERS_MAX);
        Self {
            bus: B::new(subscribers, threads),
            subscribers,
            threads,
            wrong: AtomicU64::new(0),
        }
    }
}

impl<B: NamedBus> Prepared for Carried<B> {
    fn work(&self, thread: u32) -> Box<dyn Work + '_> {
        let own = (thread..self.subscribers).step_by(self.threads as usize);
        Box::new(Thread::<B> {
            number: thread,
            publisher: self.bus.publisher(),
            published: 0,
            subscriptions: own
                .map(|number| Subscription {
                    end: self.bus.subscriber(number),
                    next: vec![0; self.threads as usize].into(),
                })
                .collect(),
            wrong: &self.wrong,
        })
    }

    fn check(&self) -> Result<(), String> {
        match self.wrong.load(Ordering::Relaxed) {
            0 => Ok(()),
            wrong => Err(format!(
                "{wrong} events came out of order, twice or not at all, or never found room"
            )),
        }
    }
}

/// What one thread works with.
struct Thread<'a, B: NamedBus> {
    number: u32,
    publisher: B::Publisher<'a>,
    published: u64,
    subscriptions: Box<[Subscription<B::Subscriber<'a>>]>,
    wrong: &'a AtomicU64,
}

/// A subscriber, and the number of the next event from each publisher.
struct Subscription<S> {
    end: S,
    next: Box<[u64]>,
}

impl<S: Subscriber> Subscription<S> {
    /// Takes all that is there, and counts what is wrong with it.
    fn drain<const ALL: bool>(&mut self, sum: &mut u64) -> u64 {
        let mut wrong = 0;
        while let Some(event) = self.end.take() {
            let next = &mut self.next[event.publisher as usize];
            wrong += u64::from(if ALL {
                event.number != *next
            } else {
                event.number < *next
            });
            *next = event.number + 1;
            *sum = sum.rotate_left(5) ^ event.connection;
        }
        wrong
    }
}

impl<B: NamedBus> Thread<'_, B> {
    fn drain(&mut self, sum: &mut u64) -> u64 {
        let all = self.subscriptions.iter_mut();
        if B::TELLS_ALL {
            all.map(|one| one.drain::<true>(sum)).sum()
        } else {
            all.map(|one| one.drain::<false>(sum)).sum()
        }
    }

    /// Publishes an event for which there was no room, once there is.
    #[cold]
    fn wait(&mut self, event: &Event, sum: &mut u64) -> u64 {
        let (began, mut wrong) = (monotonic_ns(), 0);
        while !self.publisher.publish(event) {
            // Another thread may wait for this one's subscribers.
            wrong += self.drain(sum);
            if monotonic_ns() - began > PATIENCE_NS {
                return wrong + 1;
            }
            std::thread::yield_now();
        }
        wrong
    }
}

impl<B: NamedBus> Work for Thread<'_, B> {
    fn run(&mut self, _: u64, count: u32) -> u64 {
        let (mut sum, mut wrong) = (0_u64, 0);
        for place in 1..=count {
            let event = Event {
                publisher: self.number,
                kind: 1,
                number: self.published,
                connection: self.published ^ 0x5555,
            };
            if !self.publisher.publish(&event) {
                wrong += self.wait(&event, &mut sum);
            }
            self.published += 1;
            if place % BURST == 0 || place == count {
                wrong += self.drain(&mut sum);
            }
        }
        if wrong > 0 {
            self.wrong.fetch_add(wrong, Ordering::Relaxed);
        }
        sum
    }
}

/// Longer than a thread may lose its core. Who has waited so long waits for one that has gone.
const PATIENCE_NS: u64 = 5_000_000_000;
