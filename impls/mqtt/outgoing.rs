//! Packets that wait for their connection to take them: one buffer, so that many of them leave in one send
//! and none is kept twice.

use ringside_wire::mqtt::header;

/// Memory that stays with a client for the next messages.
const SPARE_MAX: usize = 8 << 10;

/// How a connection takes what waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taking {
    /// Many packets at once; else one at a time.
    pub(crate) coalesce: bool,
    /// Packets at once.
    pub(crate) batch: u32,
}

/// What waits for one connection.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    bytes: Vec<u8>,
    /// Bytes at the front that were taken already, one packet after another.
    taken: u32,
    /// Packets that wait.
    packets: u32,
}

impl Outgoing {
    /// Memory that is in use.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends the packet that `write` writes, unless it is longer than `packet_max`; false then.
    #[inline]
    pub(crate) fn write(&mut self, packet_max: u32, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let before = self.bytes.len();
        write(&mut self.bytes);
        if self.bytes.len() - before > packet_max as usize {
            self.bytes.truncate(before);
            return false;
        }
        self.packets += 1;
        true
    }

    /// Moves to `out` as much as is taken at once. True when there is more.
    #[inline]
    pub(crate) fn take(&mut self, out: &mut Vec<u8>, taking: Taking) -> bool {
        let at_once = if taking.coalesce { taking.batch } else { 1 };
        if self.packets > at_once {
            self.take_some(out, at_once);
            return true;
        }
        if self.taken == 0 {
            out.append(&mut self.bytes);
        } else {
            out.extend_from_slice(&self.bytes[self.taken as usize..]);
            self.bytes.clear();
        }
        (self.taken, self.packets) = (0, 0);
        if self.bytes.capacity() > SPARE_MAX {
            self.bytes = Vec::new();
        }
        false
    }

    /// Moves the first `count` packets.
    fn take_some(&mut self, out: &mut Vec<u8>, count: u32) {
        let waiting = &self.bytes[self.taken as usize..];
        let mut length = 0;
        for _ in 0..count {
            let header = header::parse(&waiting[length..], usize::MAX);
            let header = header.ok().flatten().expect("what waits was written here");
            length += header.packet_length();
        }
        out.extend_from_slice(&waiting[..length]);
        self.packets -= count;
        // Far below 2^32: what waits is bounded.
        self.taken += length as u32;
        // Moved to the front once it costs no more than what was taken.
        if self.taken as usize > self.bytes.len() / 2 {
            self.bytes.drain(..self.taken as usize);
            self.taken = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PUBLISH on a topic of one letter with a number in it.
    fn packet(number: u8) -> [u8; 7] {
        [0x30, 5, 0, 1, b'a', b'n', number]
    }

    fn ten() -> Outgoing {
        let mut outgoing = Outgoing::default();
        for number in 0..10 {
            assert!(outgoing.write(100, |out| out.extend(packet(number))));
        }
        outgoing
    }

    #[test]
    fn every_way_to_take_gives_all_packets_in_order() {
        let all: Vec<u8> = (0..10).flat_map(packet).collect();
        for (coalesce, batch, calls) in [
            (true, 5000, 1),
            (true, 3, 4),
            (true, 10, 1),
            (false, 5000, 10),
        ] {
            let (mut outgoing, mut out, mut times) = (ten(), Vec::new(), 0);
            loop {
                times += 1;
                let before = out.len();
                let more = outgoing.take(&mut out, Taking { coalesce, batch });
                let packets = (out.len() - before) / 7;
                assert!(packets as u32 <= if coalesce { batch } else { 1 });
                if !more {
                    break;
                }
            }
            assert_eq!((times, &out), (calls, &all), "{coalesce} {batch}");
            assert_eq!(outgoing.len(), 0);
        }
    }

    #[test]
    fn what_comes_while_some_is_taken_stands_behind() {
        let (mut outgoing, mut out) = (ten(), Vec::new());
        let one = Taking {
            coalesce: false,
            batch: 1,
        };
        for number in 10..20 {
            assert!(outgoing.take(&mut out, one));
            assert!(outgoing.write(100, |out| out.extend(packet(number))));
        }
        while outgoing.take(&mut out, one) {}
        assert_eq!(out, (0..20).flat_map(packet).collect::<Vec<u8>>());
    }

    #[test]
    fn a_packet_that_is_too_long_is_not_there() {
        let mut outgoing = ten();
        assert!(!outgoing.write(6, |out| out.extend(packet(3))));
        let mut out = Vec::new();
        outgoing.take(
            &mut out,
            Taking {
                coalesce: true,
                batch: 5000,
            },
        );
        assert_eq!(out.len(), 70);
    }
}
