//! Events: what a subscriber must be told of, and in which order.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ringside_contract::operations::events::{
    CAPACITY, Event, Publisher, Subscriber, TestedBus, TestedEvents,
};

use crate::case::{Case, Failure, ensure};
use crate::in_process::{THREADS, asked, together};

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// What makes events events: who does otherwise does other work.
pub fn quality() -> &'static [Case] {
    QUALITY
}

/// Runs a case in this process.
///
/// # Errors
/// What was carried wrongly, or that there is no such case.
pub fn run(name: &str, events: &dyn TestedEvents) -> Result<(), Failure> {
    match name {
        "keeps_the_order_of_a_publisher" => keeps_the_order_of_a_publisher(events),
        "makes_nothing_up" => makes_nothing_up(events),
        "is_bounded" => is_bounded(events),
        "tells_every_subscriber" => tells_every_subscriber(events),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

const CASES: &[Case] = &[
    asked!(
        "keeps_the_order_of_a_publisher",
        "A subscriber gets the events of each of two publishers in their order and none twice, while others take theirs."
    ),
    asked!(
        "makes_nothing_up",
        "An event comes as it was published; where nothing was, nothing comes."
    ),
    asked!(
        "is_bounded",
        "Where nobody takes events, a publisher is refused before there are many more than there is room for, and goes on when \
         there is room again."
    ),
];

const QUALITY: &[Case] = &[asked!(
    "tells_every_subscriber",
    "Each of two subscribers gets every event, while publishers and subscribers are at work."
)];

/// Longer than threads may lose their cores.
const PATIENCE: Duration = Duration::from_secs(20);

fn event(publisher: u32, number: u64) -> Event {
    Event {
        publisher,
        kind: 3,
        number,
        connection: number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(publisher),
    }
}

/// Events of each publisher.
const COUNT: u64 = 20_000;

/// Two threads publish, and two take for subscribers, until all is published and nothing more comes.
fn carried(bus: &dyn TestedBus) -> Result<Vec<Vec<Event>>, Failure> {
    let publishing = AtomicU32::new(THREADS as u32 / 2);
    let taken = together(|thread| {
        if thread < THREADS / 2 {
            let outcome = publish(bus.publisher().as_mut(), thread as u32);
            publishing.fetch_sub(1, Ordering::Release);
            return outcome.map(|()| Vec::new());
        }
        let number = (thread - THREADS / 2) as u32;
        Ok(take_all(bus.subscriber(number).as_mut(), &publishing))
    })?;
    let taken: Result<Vec<_>, Failure> = taken.into_iter().collect();
    Ok(taken?.split_off(THREADS as usize / 2))
}

fn publish(publisher: &mut dyn Publisher, number: u32) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    for event in (0..COUNT).map(|count| event(number, count)) {
        while !publisher.publish(&event) {
            ensure(Instant::now() < until, || {
                format!("event {} found no room for {PATIENCE:?}", event.number)
            })?;
            std::thread::yield_now();
        }
    }
    Ok(())
}

fn take_all(subscriber: &mut dyn Subscriber, publishing: &AtomicU32) -> Vec<Event> {
    let mut taken = Vec::new();
    loop {
        // Asked before nothing came: all that was published until then is there.
        let is_over = publishing.load(Ordering::Acquire) == 0;
        match subscriber.take() {
            Some(event) => taken.push(event),
            None if is_over => return taken,
            None => std::thread::yield_now(),
        }
    }
}

fn keeps_the_order_of_a_publisher(events: &dyn TestedEvents) -> Result<(), Failure> {
    let bus = events.of(2, 2);
    for (subscriber, taken) in carried(bus.as_ref())?.iter().enumerate() {
        let mut next = [0; 2];
        for got in taken {
            let next = next.get_mut(got.publisher as usize).ok_or_else(|| {
                Failure::new(format!("an event came of publisher {}", got.publisher))
            })?;
            ensure(
                got.number >= *next && *got == event(got.publisher, got.number),
                || {
                    format!(
                        "subscriber {subscriber} got {got:?} where number {next} or a later one was to come"
                    )
                },
            )?;
            *next = got.number + 1;
        }
    }
    Ok(())
}

fn makes_nothing_up(events: &dyn TestedEvents) -> Result<(), Failure> {
    let bus = events.of(1, 1);
    let (mut publisher, mut subscriber) = (bus.publisher(), bus.subscriber(0));
    for number in 0..3 * CAPACITY as u64 {
        let nothing = subscriber.take();
        ensure(nothing.is_none(), || {
            format!("{nothing:?} came, and nothing was published")
        })?;
        ensure(publisher.publish(&event(0, number)), || {
            format!("event {number} found no room where none is under way")
        })?;
        let got = subscriber.take();
        ensure(got == Some(event(0, number)), || {
            format!("{got:?} came where event {number} was published")
        })?;
    }
    Ok(())
}

fn is_bounded(events: &dyn TestedEvents) -> Result<(), Failure> {
    let bus = events.of(2, 1);
    let (mut publisher, mut subscribers) =
        (bus.publisher(), [bus.subscriber(0), bus.subscriber(1)]);
    let most = 2 * CAPACITY as u64;
    let refused = (0..most).find(|&number| !publisher.publish(&event(0, number)));
    let Some(refused) = refused else {
        return Err(Failure::new(format!(
            "{most} events that nobody took found room"
        )));
    };
    ensure(refused >= CAPACITY as u64 / 2, || {
        format!("event {refused} found no room, and there is some for {CAPACITY}")
    })?;
    let mut next = [0; 2];
    drain(&mut subscribers, &mut next);
    // The same event again, as it is to be.
    ensure(publisher.publish(&event(0, refused)), || {
        "there was no room when all had been taken".to_owned()
    })?;
    drain(&mut subscribers, &mut next);
    let came = next.into_iter().max();
    ensure(came == Some(refused + 1), || {
        format!(
            "{next:?} events came to two subscribers of {} that were published",
            refused + 1
        )
    })
}

/// Takes all that is there, and notes the number behind the last one.
fn drain(subscribers: &mut [Box<dyn Subscriber + '_>; 2], next: &mut [u64; 2]) {
    for (subscriber, next) in subscribers.iter_mut().zip(next) {
        while let Some(event) = subscriber.take() {
            *next = event.number + 1;
        }
    }
}

fn tells_every_subscriber(events: &dyn TestedEvents) -> Result<(), Failure> {
    let bus = events.of(2, 2);
    for (subscriber, taken) in carried(bus.as_ref())?.iter().enumerate() {
        let (came, published) = (taken.len() as u64, COUNT * THREADS / 2);
        ensure(came == published, || {
            format!("subscriber {subscriber} of two got {came} of {published} events")
        })?;
    }
    Ok(())
}
