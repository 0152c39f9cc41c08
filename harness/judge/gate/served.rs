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

/// How a thing that is counted is read of a turn; `None` where it could not be counted.
type Reading = (&'static str, fn(&TurnCount) -> Option<u64>);

/// All that is counted.
const READINGS: [Reading; 3] = [
    ("system calls an operation", |count| count.system_calls),
    ("allocations an operation", |count| count.allocations),
    ("bytes an operation", |count| Some(count.sent_bytes)),
];

/// What a triple counted; empty when it counted nothing, or a server did nothing meanwhile.
pub fn served_counts(record: &TripleRecord) -> Vec<ServedCount> {
    let of = |labels: &[&str], read: fn(&TurnCount) -> Option<u64>| {
        let ours = |count: &&TurnCount| {
            let label = record.servers.get(count.server as usize);
            label.is_some_and(|label| labels.contains(&label.as_str()))
        };
        let (mut value, mut operations) = (0, 0);
        for count in record.counts.iter().filter(ours) {
            value += read(count)?;
            operations += count.operations;
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

/// A change for each thing that was counted in `triples` of the comparison `name`, by the medians.
pub fn served_changes(name: &str, triples: &[ServedCount], threshold: f64) -> Vec<CountedChange> {
    let change = |(metric, _): Reading| {
        let median = |figure: fn(&ServedCount) -> f64| {
            let ours = triples.iter().filter(|count| count.metric == metric);
            let figures: Vec<f64> = ours.map(figure).collect();
            median_interval(&figures, NOMINAL_CONFIDENCE).map(|interval| interval.point)
        };
        let (base, head) = (median(|count| count.base)?, median(|count| count.head)?);
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
            allocations: Some(300),
            sent_bytes: 6_400,
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
            not_counted: Vec::new(),
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
        assert!(served_counts(&idle).is_empty());
        assert!(served_changes("a", &[], 0.05).is_empty());
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
