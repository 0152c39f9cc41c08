//! Messages of QoS 1 and 2 that were sent to a client and are not done with, and their packet
//! identifiers. Clients acknowledge in order, so that the oldest is looked at first.

use std::collections::VecDeque;

use ringside_wire::mqtt::QualityOfService;

/// Packet identifiers are 1 to 65,535, given out in turn.
const IDENTIFIERS: u64 = u16::MAX as u64;

/// What is in flight; `T` is what is needed to send a message again.
#[derive(Debug)]
pub(crate) struct InFlight<T> {
    /// Sent and without an acknowledgement.
    sent: VecDeque<Sent<T>>,
    /// At QoS 2: PUBREC came, PUBREL went, PUBCOMP is to come.
    released: VecDeque<u64>,
    /// The number of the next message, counted from the first.
    next: u64,
    /// Nothing in flight has a lower number.
    base: u64,
    /// Messages of this number and higher ones wait to be sent again, on another connection.
    again_from: u64,
}

#[derive(Debug)]
struct Sent<T> {
    number: u64,
    quality: QualityOfService,
    again: T,
}

/// The packet identifier of a message by its number.
pub(crate) fn identifier(number: u64) -> u16 {
    (number % IDENTIFIERS + 1) as u16
}

impl<T> Default for InFlight<T> {
    fn default() -> Self {
        Self {
            sent: VecDeque::new(),
            released: VecDeque::new(),
            next: 0,
            base: 0,
            again_from: u64::MAX,
        }
    }
}

impl<T> InFlight<T> {
    /// Messages in flight.
    pub(crate) fn len(&self) -> usize {
        self.sent.len() + self.released.len()
    }

    /// The number of a message that is to be sent, whose packet identifier is free; fewer than 65,535 are in
    /// flight.
    pub(crate) fn take_number(&mut self) -> u64 {
        loop {
            if self.len() == 0 {
                self.base = self.next;
            }
            let number = self.next;
            self.next += 1;
            // Those in flight were numbered within one turn mostly, and then none is met again.
            if number - self.base < IDENTIFIERS {
                return number;
            }
            let numbers = || {
                self.sent
                    .iter()
                    .map(|sent| sent.number)
                    .chain(self.released.iter().copied())
            };
            self.base = numbers().min().unwrap_or(number);
            if numbers().all(|used| identifier(used) != identifier(number)) {
                return number;
            }
        }
    }

    /// The message with the number was sent. Numbers rise.
    pub(crate) fn push(&mut self, number: u64, quality: QualityOfService, again: T) {
        self.next = self.next.max(number + 1);
        if self.waiting_again() == 0 {
            self.again_from = u64::MAX;
        }
        self.sent.push_back(Sent {
            number,
            quality,
            again,
        });
    }

    /// PUBACK or PUBCOMP, or a PUBREC that refuses. The number of the message; `None` when nothing has that
    /// identifier.
    pub(crate) fn finish(&mut self, acknowledged: u16) -> Option<u64> {
        let at = |number: u64| identifier(number) == acknowledged;
        if let Some(place) = self.released.iter().position(|&number| at(number)) {
            return self.released.remove(place);
        }
        let place = self.sent.iter().position(|sent| at(sent.number))?;
        self.sent.remove(place).map(|sent| sent.number)
    }

    /// PUBREC: the message is with the client. Its number, also when it was there before.
    pub(crate) fn release(&mut self, received: u16) -> Option<u64> {
        let at = |number: u64| identifier(number) == received;
        let place = self
            .sent
            .iter()
            .position(|sent| at(sent.number) && sent.quality == QualityOfService::ExactlyOnce);
        match place.and_then(|place| self.sent.remove(place)) {
            Some(sent) => {
                self.released.push_back(sent.number);
                Some(sent.number)
            }
            None => self.released.iter().copied().find(|&number| at(number)),
        }
    }

    /// The message with the number is with the client, whether it is known or not: what an earlier broker
    /// said.
    pub(crate) fn release_again(&mut self, number: u64) {
        self.next = self.next.max(number + 1);
        self.sent.retain(|sent| sent.number != number);
        if !self.released.contains(&number) {
            self.released.push_back(number);
        }
    }

    /// What was sent and is not released, with its numbers, in order.
    pub(crate) fn unacknowledged(&self) -> impl Iterator<Item = (u64, &T)> {
        self.sent.iter().map(|sent| (sent.number, &sent.again))
    }

    /// Another connection: all of it is to be sent again.
    pub(crate) fn begin_again(&mut self) {
        self.again_from = 0;
    }

    /// The next that is to be sent again.
    pub(crate) fn next_again(&self) -> Option<(u64, &T)> {
        let next = self.sent.get(self.sent.len() - self.waiting_again())?;
        Some((next.number, &next.again))
    }

    /// It was sent again.
    pub(crate) fn sent_again(&mut self, number: u64) {
        self.again_from = number + 1;
    }

    /// Messages that wait to be sent again.
    pub(crate) fn waiting_again(&self) -> usize {
        if self.again_from == u64::MAX {
            return 0;
        }
        let before = |sent: &Sent<T>| sent.number < self.again_from;
        self.sent.len() - self.sent.partition_point(before)
    }

    /// The numbers of those whose PUBREL is to be sent again.
    pub(crate) fn released(&self) -> impl Iterator<Item = u64> {
        self.released.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use QualityOfService::{AtLeastOnce, ExactlyOnce};

    /// Sends a message; its packet identifier.
    fn send(
        flight: &mut InFlight<&'static str>,
        quality: QualityOfService,
        again: &'static str,
    ) -> u16 {
        let number = flight.take_number();
        flight.push(number, quality, again);
        identifier(number)
    }

    #[test]
    fn identifiers_come_round_and_leave_out_those_in_use() {
        let mut flight = InFlight::default();
        assert_eq!(send(&mut flight, AtLeastOnce, "first"), 1);
        for expected in 2..=u16::MAX {
            assert_eq!(send(&mut flight, AtLeastOnce, "other"), expected);
            assert!(flight.finish(expected).is_some());
        }
        // 1 is still in flight.
        assert_eq!(send(&mut flight, AtLeastOnce, "again"), 2);
        assert_eq!(flight.finish(1), Some(0));
        assert!(flight.finish(2).is_some() && flight.finish(2).is_none());
        assert_eq!(
            (flight.len(), send(&mut flight, AtLeastOnce, "third")),
            (0, 3)
        );
    }

    #[test]
    fn a_message_of_qos_2_is_released_before_it_is_done() {
        let mut flight = InFlight::default();
        for again in ["a", "b"] {
            send(&mut flight, ExactlyOnce, again);
        }
        assert_eq!([2, 2].map(|number| flight.release(number)), [Some(1); 2]);
        assert_eq!(flight.release(3), None);
        assert_eq!(flight.unacknowledged().collect::<Vec<_>>(), [(0, &"a")]);
        assert_eq!(flight.released().collect::<Vec<_>>(), [1]);
        assert_eq!(
            [2, 1].map(|number| flight.finish(number)),
            [Some(1), Some(0)]
        );
        assert_eq!(flight.len(), 0);
        // QoS 1 has no PUBREC.
        let number = send(&mut flight, AtLeastOnce, "c");
        assert_eq!(flight.release(number), None);
    }

    #[test]
    fn what_an_earlier_broker_sent_keeps_its_identifiers() {
        let mut flight = InFlight::default();
        flight.push(70_000, ExactlyOnce, "a");
        flight.push(70_001, ExactlyOnce, "b");
        flight.release_again(70_001);
        flight.release_again(69_999);
        assert_eq!(
            flight.unacknowledged().collect::<Vec<_>>(),
            [(70_000, &"a")]
        );
        assert_eq!(flight.released().collect::<Vec<_>>(), [70_001, 69_999]);
        assert_eq!(send(&mut flight, AtLeastOnce, "c"), identifier(70_002));
    }

    #[test]
    fn what_is_sent_again_waits_in_order_and_what_comes_behind_it_does_not() {
        let mut flight = InFlight::default();
        for again in ["a", "b", "c"] {
            send(&mut flight, AtLeastOnce, again);
        }
        assert_eq!((flight.waiting_again(), flight.next_again()), (0, None));
        flight.begin_again();
        assert_eq!(
            (flight.waiting_again(), flight.next_again()),
            (3, Some((0, &"a")))
        );
        flight.sent_again(0);
        flight.finish(identifier(1));
        assert_eq!(
            (flight.waiting_again(), flight.next_again()),
            (1, Some((2, &"c")))
        );
        flight.sent_again(2);
        assert_eq!((flight.waiting_again(), flight.next_again()), (0, None));
        send(&mut flight, AtLeastOnce, "d");
        assert_eq!(flight.waiting_again(), 0);
    }
}
