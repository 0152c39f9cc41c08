//! What planted units cost: each thread pays for its own operations, with nothing that threads share.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::hint::black_box;

use super::holder::Holder;
use super::variable::{Kind, Plant};

thread_local! {
    static COST: RefCell<Cost> = RefCell::default();
}

/// Does what `plant` asks for so many operations. With nothing planted it comes as far as with anything,
/// so that twins differ in the planted work alone.
pub(super) fn pay(plant: Plant, operations: u64) {
    COST.with_borrow_mut(|cost| cost.pay(plant, operations));
}

/// What one thread needs to pay.
#[derive(Debug, Default)]
struct Cost {
    credit: Credit,
    /// Opened by the thread that writes: it may have a table of descriptors of its own.
    nowhere: Option<File>,
    holder: Option<Holder>,
    state: u64,
}

impl Cost {
    /// Gives how many pieces of work were done.
    fn pay(&mut self, plant: Plant, operations: u64) -> u64 {
        let pieces = self.credit.due(plant.units, operations);
        match plant.kind {
            Kind::None => {}
            Kind::Processor => self.state = chain(self.state, pieces),
            Kind::Io => self.write(pieces),
            Kind::Lock => self.wait(pieces),
        }
        pieces
    }

    fn write(&mut self, pieces: u64) {
        if pieces == 0 {
            return;
        }
        let nowhere = self.nowhere.get_or_insert_with(|| {
            let opened = OpenOptions::new().write(true).open(NOWHERE);
            // Going on without would be a slowdown that was promised and is not there.
            opened.unwrap_or_else(|error| panic!("failed to open {NOWHERE}: {error}"))
        });
        for _ in 0..pieces {
            let written = rustix::io::write(&*nowhere, &[0]);
            assert!(written.is_ok(), "failed to write to {NOWHERE}: {written:?}");
        }
    }

    fn wait(&mut self, pieces: u64) {
        if pieces == 0 {
            return;
        }
        let holder = self.holder.get_or_insert_with(Holder::start);
        (0..pieces).for_each(|_| holder.hand_over());
    }
}

/// Makes whole pieces of work of millionths.
#[derive(Debug, Default)]
struct Credit {
    millionths: u64,
}

impl Credit {
    /// The pieces that are due with these operations. What is left over counts for the next ones.
    fn due(&mut self, units: u64, operations: u64) -> u64 {
        let owed = units
            .saturating_mul(operations)
            .saturating_add(self.millionths);
        self.millionths = owed % MILLION;
        owed / MILLION
    }
}

/// Steps that each need the one before. The shift keeps a compiler from making one of several. Not inlined, so that a
/// profile knows it by its name.
#[inline(never)]
fn chain(state: u64, steps: u64) -> u64 {
    let mut state = black_box(state);
    for _ in 0..steps {
        state = (state ^ (state >> 32) ^ 1).wrapping_mul(FACTOR);
    }
    black_box(state)
}

/// Units are counted for so many operations.
const MILLION: u64 = 1_000_000;
/// Where a byte is written to.
const NOWHERE: &str = "/dev/null";
/// Odd, and with no pattern in its bits.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    fn plant(kind: Kind, units: u64) -> Plant {
        Plant { kind, units }
    }

    /// Processor time of this thread.
    fn spent_ns() -> u64 {
        let thread = rustix::thread::gettid().as_raw_nonzero().get();
        crate::thread_cpu_ns(thread.try_into().unwrap()).unwrap()
    }

    #[test]
    fn millionths_add_up_to_pieces() {
        let due = |units, counts: &[u64]| {
            let mut credit = Credit::default();
            let due = counts.iter().map(|&count| credit.due(units, count));
            due.collect::<Vec<_>>()
        };
        assert_eq!(due(0, &[1, 1000]), [0, 0]);
        assert_eq!(due(250_000, &[1; 9]), [0, 0, 0, 1, 0, 0, 0, 1, 0]);
        assert_eq!(due(1_500_000, &[1, 1, 1, 3]), [1, 2, 1, 5]);
        assert_eq!(due(1, &[MILLION - 1, 1, 2 * MILLION]), [0, 1, 2]);
        // However they are counted, 1000 operations bring a thousandth of the units.
        for pieces in [1, 7, 999, 1001, 123_456] {
            let one_by_one: u64 = due(pieces * 1000, &[1; 1000]).iter().sum();
            let by_eights: u64 = due(pieces * 1000, &[8; 125]).iter().sum();
            assert_eq!((one_by_one, by_eights), (pieces, pieces));
        }
        assert_eq!(due(u64::MAX, &[u64::MAX]), [u64::MAX / MILLION]);
    }

    #[test]
    fn steps_of_the_chain_are_taken_one_by_one() {
        let together = chain(chain(5, 30), 12);
        assert_eq!(together, chain(5, 42));
        assert_eq!(together, (0..42).fold(5, |state, _| chain(state, 1)));
        assert_ne!(together, chain(5, 41));
    }

    #[test]
    fn ten_times_the_steps_take_many_times_the_processor() {
        let time = |units| {
            let tries = (0..10).map(|_| {
                let began = spent_ns();
                Cost::default().pay(plant(Kind::Processor, units), 1000);
                spent_ns() - began
            });
            tries.min().unwrap()
        };
        // The least of several: a disturbed one is not it. Ten is expected.
        let (few, many) = (time(100_000_000), time(1_000_000_000));
        assert!(many > few * 4, "{few} ns, {many} ns");
    }

    #[test]
    fn each_piece_of_io_is_a_system_call() {
        // The kernel counts the writes of each thread, where it was built with that.
        let writes = || {
            let text = std::fs::read_to_string("/proc/thread-self/io").ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix("syscw: "))?;
            line.parse::<u64>().ok()
        };
        let mut cost = Cost::default();
        for (units, operations, pieces) in [(500_000, 4, 2), (3_000_000, 100, 300), (0, 100, 0)] {
            let before = writes();
            assert_eq!(cost.pay(plant(Kind::Io, units), operations), pieces);
            let counted = writes().zip(before).map(|(after, before)| after - before);
            assert!(counted.is_none_or(|count| count == pieces), "{counted:?}");
        }
    }

    #[test]
    fn each_piece_of_lock_is_a_hand_over() {
        let mut cost = Cost::default();
        assert_eq!(cost.pay(plant(Kind::Lock, 100_000), 5), 0);
        assert!(cost.holder.is_none(), "no thread before it is needed");
        assert_eq!(cost.pay(plant(Kind::Lock, 2_500_000), 100), 250);
        assert_eq!(cost.holder.as_ref().unwrap().given_back(), 250);
    }

    #[test]
    fn nothing_planted_does_nothing() {
        let mut cost = Cost::default();
        cost.pay(plant(Kind::None, 5_000_000), 1000);
        assert!(cost.nowhere.is_none() && cost.holder.is_none() && cost.state == 0);
    }
}
