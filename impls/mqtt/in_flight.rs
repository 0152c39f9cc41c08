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
}

#[derive(Debug)]
struct Sent<T> {
    number: u64,
    quality: QualityOfService,
    again: T,
}

/// The packet identifier of a message by its number.
fn identifier(number: u64) -> u16 {
    (number % IDENTIFIERS + 1) as u16
}

impl<T> Default for InFlight<T> {
    fn default() -> Self {
        Self {
            sent: VecDeque::new(),
            released: VecDeque::new(),
            next: 0,
            base: 0,
        }
    }
}

impl<T> InFlight<T> {
    /// Messages in flight.
    pub(crate) fn len(&self) -> usize {
        self.sent.len() + self.released.len()
    }

    /// The packet identifier for a message that is to be sent; fewer than 65,535 are in flight.
    pub(crate) fn take_identifier(&mut self) -> u16 {
        loop {
            if self.len() == 0 {
                self.base = self.next;
            }
            let number = self.next;
            self.next += 1;
            // Those in flight were numbered within one turn mostly, and then none is met again.
            if number - self.base < IDENTIFIERS {
                return identifier(number);
            }
            let numbers = || {
                self.sent
                    .iter()
                    .map(|sent| sent.number)
                    .chain(self.released.iter().copied())
            };
            self.base = numbers().min().unwrap_or(number);
            if numbers().all(|used| identifier(used) != identifier(number)) {
                return identifier(number);
            }
        }
    }

    /// The message with the identifier that was taken last was sent.
    pub(crate) fn push(&mut self, quality: QualityOfService, again: T) {
        self.sent.push_back(Sent {
            number: self.next - 1,
            quality,
            again,
        });
    }

    /// PUBACK or PUBCOMP, or a PUBREC that refuses. False when nothing has that identifier.
    pub(crate) fn finish(&mut self, acknowledged: u16) -> bool {
        let at = |number: u64| identifier(number) == acknowledged;
        if let Some(place) = self.released.iter().position(|&number| at(number)) {
            return self.released.remove(place).is_some();
        }
        let place = self.sent.iter().position(|sent| at(sent.number));
        place.is_some_and(|place| self.sent.remove(place).is_some())
    }

    /// PUBREC: the message is with the client. True also when it was before.
    pub(crate) fn release(&mut self, received: u16) -> bool {
        let at = |number: u64| identifier(number) == received;
        let place = self
            .sent
            .iter()
            .position(|sent| at(sent.number) && sent.quality == QualityOfService::ExactlyOnce);
        match place.and_then(|place| self.sent.remove(place)) {
            Some(sent) => {
                self.released.push_back(sent.number);
                true
            }
            None => self.released.iter().any(|&number| at(number)),
        }
    }

    /// Those to be sent again on another connection, with their identifiers, in order.
    pub(crate) fn unacknowledged(&self) -> impl Iterator<Item = (u16, &T)> {
        self.sent
            .iter()
            .map(|sent| (identifier(sent.number), &sent.again))
    }

    /// The identifiers whose PUBREL is to be sent again.
    pub(crate) fn released(&self) -> impl Iterator<Item = u16> {
        self.released.iter().map(|&number| identifier(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use QualityOfService::{AtLeastOnce, ExactlyOnce};

    #[test]
    fn identifiers_come_round_and_leave_out_those_in_use() {
        let mut flight = InFlight::default();
        assert_eq!(flight.take_identifier(), 1);
        flight.push(AtLeastOnce, "first");
        for expected in 2..=u16::MAX {
            assert_eq!(flight.take_identifier(), expected);
            flight.push(AtLeastOnce, "other");
            assert!(flight.finish(expected));
        }
        // 1 is still in flight.
        assert_eq!(flight.take_identifier(), 2);
        flight.push(AtLeastOnce, "again");
        assert!(flight.finish(1) && flight.finish(2) && !flight.finish(2));
        assert_eq!((flight.len(), flight.take_identifier()), (0, 3));
    }

    #[test]
    fn a_message_of_qos_2_is_released_before_it_is_done() {
        let mut flight = InFlight::default();
        for again in ["a", "b"] {
            flight.take_identifier();
            flight.push(ExactlyOnce, again);
        }
        assert!(flight.release(2) && flight.release(2) && !flight.release(3));
        assert_eq!(flight.unacknowledged().collect::<Vec<_>>(), [(1, &"a")]);
        assert_eq!(flight.released().collect::<Vec<_>>(), [2]);
        assert!(flight.finish(2) && flight.finish(1));
        assert_eq!(flight.len(), 0);
        // QoS 1 has no PUBREC.
        flight.take_identifier();
        flight.push(AtLeastOnce, "c");
        assert!(!flight.release(3));
    }
}
