//! What running servers are counted at, for each operation: head against base. Chance has a part in it, so that
//! growth only warns.

use ringside_contract::{CountedChange, TripleRecord, TurnCount};

use super::counted::{Exactness, counted_state};
use crate::interval::{NOMINAL_CONFIDENCE, median_interval};

/// What one triple counted of one thing, for each operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServedCount {
    /// What was counted, in words.
    pub metric: &'static str,
    /// In both servers of base together.
    pub base: f64,
    /// In head.
    pub head: f64,
}

/// How a thing that is counted is read of a server's turns, with the operations that it was counted for; `None` where
/// it could not be counted.
type Reading = (&'static str, fn(&TurnCount) -> Option<(u64, u64)>);

/// All that is counted.
const READINGS: [Reading; 3] = [
    ("system calls an operation", |count| {
        Some((count.system_calls?, count.operations))
    }),
    ("allocations an operation", |count| {
        Some((count.allocations?, count.operations_probed))
    }),
    ("bytes an operation", |count| {
        Some((count.sent_bytes, count.operations))
    }),
];

/// What a triple counted; empty when it counted nothing, or a server did nothing meanwhile.
pub fn served_counts(record: &TripleRecord) -> Vec<ServedCount> {
    let of = |labels: &[&str], read: fn(&TurnCount) -> Option<(u64, u64)>| {
        let ours = |count: &&TurnCount| {
            let label = record.servers.get(count.server as usize);
            label.is_some_and(|label| labels.contains(&label.as_str()))
        };
        let (mut value, mut operations) = (0, 0);
        for count in record.counts.iter().filter(ours) {
            let counted = read(count)?;
            value += counted.0;
            operations += counted.1;
        }
        (operations > 0).then(|| value as f64 / operations as f64)
    };
    let count = |(metric, read): Reading| {
        Some(ServedCount {
            metric,
            base: of(&["base", "again"], read)?,
            head: of(&["head"], read)?,
        })
    };
    READINGS.into_iter().filter_map(count).collect()
}

/// A change for each thing that was counted in `triples` of the comparison `name`, by the medians. What neither server
/// ever did is left out: whether it could have been seen is not known.
pub fn served_changes(name: &str, triples: &[ServedCount], threshold: f64) -> Vec<CountedChange> {
    let change = |(metric, _): Reading| {
        let median = |figure: fn(&ServedCount) -> f64| {
            let ours = triples.iter().filter(|count| count.metric == metric);
            let figures: Vec<f64> = ours.map(figure).collect();
            median_interval(&figures, NOMINAL_CONFIDENCE).map(|interval| interval.point)
        };
        let (base, head) = (median(|count| count.base)?, median(|count| count.head)?);
        if base == 0.0 && head == 0.0 {
            return None;
        }
        Some(CountedChange {
            name: name.to_owned(),
            metric: metric.to_owned(),
            base: Some(base),
            head: Some(head),
            state: counted_state(Some(base), Some(head), threshold, Exactness::Approximate),
        })
    };
    READINGS.into_iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use ringside_contract::{CountedState, GATE_SCHEMA, Phase};

    use super::*;

    /// A triple whose servers (base, again, head) made so many system calls in 100 operations each.
    fn record(calls: [Option<u64>; 3]) -> TripleRecord {
        let count = |(server, system_calls)| TurnCount {
            server,
            operations: 100,
            system_calls,
            sent_bytes: 6_400,
            operations_probed: 50,
            allocations: Some(150),
        };
        TripleRecord {
            schema: GATE_SCHEMA,
            scenario: "echo/small".parse().unwrap(),
            implementation: "echo/epoll".parse().unwrap(),
            phase: Phase::First,
            number: 0,
            seed: 1,
            began_at: 0,
            servers: ["base", "again", "head"].map(str::to_owned).to_vec(),
            turns: Vec::new(),
            counts: (0..).zip(calls).map(count).collect(),
            cpu_busy: Vec::new(),
            uncounted: Vec::new(),
            failed: None,
        }
    }

    #[test]
    fn both_servers_of_base_count_together() {
        let counts = served_counts(&record([Some(200), Some(220), Some(230)]));
        let figures: Vec<_> = counts
            .iter()
            .map(|count| (count.metric, count.base, count.head))
            .collect();
        let expected = [
            ("system calls an operation", 2.1, 2.3),
            ("allocations an operation", 3.0, 3.0),
            ("bytes an operation", 64.0, 64.0),
        ];
        assert_eq!(figures, expected);
    }

    #[test]
    fn what_could_not_be_counted_is_no_figure() {
        let counts = served_counts(&record([Some(200), None, Some(230)]));
        let metrics: Vec<_> = counts.iter().map(|count| count.metric).collect();
        assert_eq!(metrics, ["allocations an operation", "bytes an operation"]);
        let mut idle = record([Some(0); 3]);
        idle.counts[2].operations = 0;
        idle.counts[2].operations_probed = 0;
        assert!(served_counts(&idle).is_empty());
        assert!(served_changes("a", &[], 0.05).is_empty());
    }

    #[test]
    fn what_neither_server_did_is_no_figure() {
        let mut none = record([Some(200); 3]);
        for count in &mut none.counts {
            count.allocations = Some(0);
        }
        let changes = |record| served_changes("a", &served_counts(&record), 0.05);
        let metrics: Vec<_> = changes(none.clone())
            .into_iter()
            .map(|change| change.metric)
            .collect();
        assert_eq!(metrics, ["system calls an operation", "bytes an operation"]);
        none.counts[2].allocations = Some(1);
        let changes = changes(none);
        assert_eq!(changes[1].state, CountedState::Warning, "{changes:?}");
    }

    #[test]
    fn growth_of_the_medians_warns() {
        let triples = [210, 215, 900].map(|head| record([Some(200), Some(200), Some(head)]));
        let counts: Vec<_> = triples.iter().flat_map(served_counts).collect();
        let states = |threshold| {
            let changes = served_changes("echo/epoll in echo/small", &counts, threshold);
            let states = changes.into_iter().map(|change| change.state);
            states.collect::<Vec<_>>()
        };
        const SAME: CountedState = CountedState::Same;
        assert_eq!(states(0.05), [CountedState::Warning, SAME, SAME]);
        assert_eq!(states(0.10), [SAME; 3]);
    }
}
