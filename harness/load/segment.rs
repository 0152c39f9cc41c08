//! The segments of a load, one after another: what is offered in each and what is measured.

use ringside_contract::{Arrivals, BlockTiming};

/// One stretch of time with one offered load.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Segment {
    /// Its length in milliseconds.
    pub(crate) length_ms: u64,
    /// Number of the load: a schedule goes on through all segments with the same number.
    pub(crate) stage: usize,
    /// Operations a second over all connections; `None` in a closed loop.
    pub(crate) rate_per_s: Option<f64>,
    /// What is read at its ends.
    pub(crate) kind: Kind,
}

/// What a segment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The load runs, nobody looks.
    Warmup,
    /// The measured window.
    Measure,
    /// System calls are counted.
    Count,
    /// One turn of several servers: measured, without a histogram of latency.
    Turn,
    /// Another server has its turn: connections stay open, nothing is started.
    Rest,
}

/// The segments of one of several servers that take turns: it rests, and in each round warms up, is
/// measured, and rests again; where it is to be counted, there are [`COUNTED`] rounds more behind the others. Each round
/// has a schedule of its own, or an open loop would start all that it missed while it rested.
pub(crate) fn turns(arrivals: &Arrivals, timing: &BlockTiming, rounds: u32) -> Vec<Segment> {
    let rate_per_s = match arrivals {
        Arrivals::Open { rate_per_s, .. } => Some(*rate_per_s),
        Arrivals::Closed { .. } | Arrivals::Sweep { .. } => None,
    };
    let segment = |stage, length_ms, kind| Segment {
        length_ms,
        stage,
        rate_per_s,
        kind,
    };
    let round = |stage, length_ms, kind| {
        [
            segment(stage, timing.warmup_ms, Kind::Warmup),
            segment(stage, length_ms, kind),
            segment(stage, 0, Kind::Rest),
        ]
    };
    let rounds = rounds as usize;
    let counted = if timing.count_ms > 0 { COUNTED } else { 0 };
    let first = segment(0, 0, Kind::Rest);
    let timed = (1..=rounds).flat_map(|stage| round(stage, timing.measure_ms, Kind::Turn));
    let counted =
        (1..=counted).flat_map(|number| round(rounds + number, timing.count_ms, Kind::Count));
    std::iter::once(first).chain(timed).chain(counted).collect()
}

/// Rounds of counting: one for system calls, and one for allocations, whose traps would change how many calls are made.
const COUNTED: usize = 2;

/// The place among [`turns`] of the warm-up of a round; the turn and the rest stand behind it.
pub(crate) fn warmup_of(round: u32) -> usize {
    1 + 3 * round as usize
}

/// The segments of a load in order.
pub(crate) fn segments(arrivals: &Arrivals, timing: &BlockTiming) -> Vec<Segment> {
    let rates: Vec<Option<f64>> = match arrivals {
        Arrivals::Closed { .. } => vec![None],
        Arrivals::Open { rate_per_s, .. } => vec![Some(*rate_per_s)],
        Arrivals::Sweep { rates_per_s, .. } => rates_per_s.iter().copied().map(Some).collect(),
    };
    let sweep = matches!(arrivals, Arrivals::Sweep { .. });
    let mut segments = Vec::new();
    for (stage, &rate_per_s) in rates.iter().enumerate() {
        let mut push = |length_ms, kind| {
            if length_ms > 0 {
                segments.push(Segment {
                    length_ms,
                    stage,
                    rate_per_s,
                    kind,
                });
            }
        };
        push(timing.warmup_ms, Kind::Warmup);
        push(timing.measure_ms, Kind::Measure);
        // System calls of a sweep would belong to its last step, past the knee: they mean nothing.
        push(if sweep { 0 } else { timing.count_ms }, Kind::Count);
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: BlockTiming = BlockTiming {
        warmup_ms: 10,
        measure_ms: 40,
        count_ms: 5,
    };

    #[test]
    fn a_closed_loop_warms_up_measures_and_counts() {
        let kinds: Vec<_> = segments(&Arrivals::Closed { window: 1 }, &TIMING)
            .into_iter()
            .map(|segment| (segment.kind, segment.length_ms, segment.rate_per_s))
            .collect();
        assert_eq!(
            kinds,
            [
                (Kind::Warmup, 10, None),
                (Kind::Measure, 40, None),
                (Kind::Count, 5, None)
            ]
        );
    }

    #[test]
    fn a_window_of_no_length_is_left_out() {
        let timing = BlockTiming {
            warmup_ms: 0,
            count_ms: 0,
            ..TIMING
        };
        assert_eq!(segments(&Arrivals::Closed { window: 1 }, &timing).len(), 1);
    }

    #[test]
    fn a_server_rests_between_its_turns() {
        let segments = turns(&Arrivals::Closed { window: 1 }, &TIMING, 2);
        let kinds: Vec<_> = segments.iter().map(|segment| segment.kind).collect();
        let round = [Kind::Warmup, Kind::Turn, Kind::Rest];
        let counted = [Kind::Warmup, Kind::Count, Kind::Rest];
        let expected = [
            &[Kind::Rest][..],
            &round.repeat(2),
            &counted.repeat(COUNTED),
        ]
        .concat();
        assert_eq!(kinds, expected);
        assert_eq!(segments[warmup_of(1)].kind, Kind::Warmup);
        assert_ne!(segments[warmup_of(0)].stage, segments[warmup_of(1)].stage);
    }

    #[test]
    fn each_step_of_a_sweep_settles_before_it_is_measured() {
        let arrivals = Arrivals::Sweep {
            rates_per_s: vec![1.0, 2.0],
            poisson: false,
            window: 1,
        };
        let seen: Vec<_> = segments(&arrivals, &TIMING)
            .into_iter()
            .map(|segment| (segment.stage, segment.kind, segment.rate_per_s))
            .collect();
        let expected = [
            (0, Kind::Warmup, 1.0),
            (0, Kind::Measure, 1.0),
            (1, Kind::Warmup, 2.0),
            (1, Kind::Measure, 2.0),
        ];
        assert_eq!(
            seen,
            expected.map(|(stage, kind, rate)| (stage, kind, Some(rate)))
        );
    }
}
