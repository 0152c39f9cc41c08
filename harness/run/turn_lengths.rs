//! How long a turn has to be, and how many rounds of them make a triple.
//!
//! A shared machine is not equally fast for long: its speed over a second is as uncertain as that over a hundredth
//! of one. The sooner the other build has its turn, the more of that falls on both. But caches are cold at the
//! beginning of a turn, and the loop of the load has to go round several times before the turn tells of the server
//! and not of how it begins and ends.

use ringside_contract::{BlockTiming, Turn};

/// The turns of one triple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TurnLengths {
    /// The dropped and the measured part of a turn.
    pub timing: BlockTiming,
    /// Rounds, in each of which every server has a turn.
    pub rounds: u32,
}

impl TurnLengths {
    /// Long turns, few of them: what others are fitted by.
    pub const LONG: Self = Self::of(20, 80, 10);
    /// Enough of those to fit by.
    pub const PROBE: Self = Self::of(20, 80, 3);

    const fn of(warmup_ms: u64, measure_ms: u64, rounds: u32) -> Self {
        Self {
            timing: BlockTiming {
                warmup_ms,
                measure_ms,
                count_ms: 0,
            },
            rounds,
        }
    }

    /// The shortest turns in which the load goes round eight times and 30 operations end,
    /// by the slowest of `turns`, which were as long as [`Self::LONG`]. Long ones when there is no turn.
    pub fn fitted(turns: &[Turn]) -> Self {
        let needed = turns.iter().map(needed_ms).fold(0.0, f64::max);
        if turns.is_empty() || needed >= Self::LONG.timing.measure_ms as f64 {
            return Self::LONG;
        }
        let measure = (needed.ceil() as u64).max(MEASURE_MIN_MS);
        let warmup = measure.div_ceil(4);
        let rounds = (TRIPLE_MS / (SERVERS * (warmup + measure))).max(u64::from(Self::LONG.rounds));
        Self::of(warmup, measure, u32::try_from(rounds).unwrap_or(u32::MAX))
    }
}

/// What a turn needs in milliseconds. By Little's law an operation takes what is in flight over the rate.
fn needed_ms(turn: &Turn) -> f64 {
    let wall_ms = turn.wall_ns as f64 / 1e6;
    let each_ms = wall_ms / turn.operations as f64;
    let in_flight = turn.operations_behind as f64;
    each_ms * (in_flight * CYCLES_MIN).max(OPERATIONS_MIN)
}

/// The load goes round so often in a turn.
const CYCLES_MIN: f64 = 8.0;
/// So many operations end in a turn.
const OPERATIONS_MIN: f64 = 30.0;
/// Shorter turns show less of a slowdown: what they measure is cold caches.
const MEASURE_MIN_MS: u64 = 10;
/// The length of a triple without its starts.
const TRIPLE_MS: u64 = 1_600;
/// Servers of a triple.
const SERVERS: u64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    /// A turn of 80 ms.
    fn turn(operations: u64, operations_behind: u64) -> Turn {
        Turn {
            server: 0,
            round: 0,
            wall_ns: 80_000_000,
            operations,
            operations_before: 0,
            operations_behind,
            wrong: 0,
            server_cpu_ns: 1,
            whole_server_cpu_ns: 1,
            generator_cpu_ns: 1,
        }
    }

    fn check(turns: &[Turn], expected: TurnLengths) {
        assert_eq!(TurnLengths::fitted(turns), expected, "{turns:?}");
    }

    #[test]
    fn turns_are_as_short_as_the_load_allows() {
        // 1 ms each time round: 8 ms would do, and 10 is the least.
        check(&[turn(8_000, 100)], TurnLengths::of(3, 10, 41));
        // 4 ms each time round.
        check(&[turn(8_000, 400)], TurnLengths::of(8, 32, 13));
        // The slowest turn counts.
        let both = [turn(8_000, 100), turn(8_000, 400)];
        check(&both, TurnLengths::of(8, 32, 13));
        // An open loop has nothing in flight: 30 operations of 1 ms each.
        check(&[turn(80, 0)], TurnLengths::of(8, 30, 14));
    }

    #[test]
    fn a_load_that_goes_round_slowly_has_long_turns() {
        for long in [&[turn(8_000, 2_000)][..], &[turn(0, 0)], &[turn(0, 5)], &[]] {
            check(long, TurnLengths::LONG);
        }
    }
}
