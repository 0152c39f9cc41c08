//! What is counted of both builds: instructions of the pure functions of the families that are compared, and what
//! the triples counted of their servers. Instructions come when all triples are done, since nothing that is timed
//! runs beside valgrind.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ringside_contract::{CountedChange, CountedState};
use ringside_judge::{Exactness, counted_state};
use ringside_run::{Callgrind, CallgrindError, GateCell, Stop};

use super::outcome::Compared;
use super::sides::{Side, Sides};

/// Instructions by the names of functions.
type Counts = BTreeMap<String, u64>;

/// What a gate counts.
pub(super) struct Counting<'a> {
    pub(super) sides: &'a Sides,
    pub(super) cells: &'a [GateCell],
    /// More of so large a share is a regression.
    pub(super) threshold: f64,
    /// A folder for valgrind's files.
    pub(super) scratch: &'a Path,
    pub(super) stop: &'a Stop,
}

impl Counting<'_> {
    /// A change for each function, or one that says why there is none. Empty where the families have no such
    /// functions, and when it was interrupted.
    pub(super) fn changes(&self) -> Vec<CountedChange> {
        let families: BTreeSet<&str> = self
            .cells
            .iter()
            .map(|cell| cell.scenario.id.family.as_str())
            .collect();
        let Sides { base, head, .. } = self.sides;
        let (Some(of_base), Some(of_head)) = (base.functions(), head.functions()) else {
            let because = "an outside program has no functions that could be counted by themselves";
            return vec![not_counted(&families, because)];
        };
        let [of_base, of_head] = [of_base, of_head].map(|names| chosen(names, &families));
        if self.stop.is_set() || (of_base.is_empty() && of_head.is_empty()) {
            return Vec::new();
        }
        if base.about.build.binary == head.about.build.binary {
            let because = "base and head are the same file, so that all counts are equal";
            return vec![not_counted(&families, because)];
        }
        let counted = Callgrind::find().map_err(|error| error.to_string());
        let counted = counted.and_then(|callgrind| {
            let base = self.count(&callgrind, "base", base, &of_base)?;
            Ok((base, self.count(&callgrind, "head", head, &of_head)?))
        });
        match counted {
            Ok((base, head)) => changes(&base, &head, self.threshold),
            Err(_) if self.stop.is_set() => Vec::new(),
            Err(because) => vec![not_counted(&families, &because)],
        }
    }

    fn count(
        &self,
        callgrind: &Callgrind,
        label: &str,
        side: &Side,
        functions: &[&str],
    ) -> Result<Counts, String> {
        if functions.is_empty() {
            return Ok(Counts::new());
        }
        let folder = self.scratch.join(format!("count-{label}"));
        let told = |error: &dyn std::fmt::Display| format!("{label}: {error}");
        std::fs::create_dir(&folder)
            .map_err(|error| told(&format!("failed to create {}: {error}", folder.display())))?;
        let counts = callgrind
            .instructions(side.executable(), functions, &folder, self.stop)
            .map_err(|error: CallgrindError| told(&error))?;
        let names = functions.iter().map(|&name| name.to_owned());
        Ok(names.zip(counts).collect())
    }
}

/// What servers were counted at. What could not be counted is told once, since it is so of all.
pub(super) fn served(compared: &[Compared]) -> Vec<CountedChange> {
    let figures = compared.iter().flat_map(|cell| cell.counted.clone());
    let mut told: BTreeMap<&str, &str> = BTreeMap::new();
    for one in compared.iter().flat_map(|cell| &cell.uncounted) {
        told.entry(&one.metric).or_insert(&one.because);
    }
    let refused = told.into_iter().map(|(metric, because)| CountedChange {
        name: "the servers".to_owned(),
        metric: metric.to_owned(),
        base: None,
        head: None,
        state: CountedState::NotCounted {
            because: because.to_owned(),
        },
    });
    figures.chain(refused).collect()
}

/// The functions of these families.
fn chosen<'a>(names: &'a BTreeSet<String>, families: &BTreeSet<&str>) -> Vec<&'a str> {
    let of_family = |name: &&str| {
        let family = name.split_once('/').map_or("", |(family, _)| family);
        families.contains(family)
    };
    names.iter().map(String::as_str).filter(of_family).collect()
}

fn changes(base: &Counts, head: &Counts, threshold: f64) -> Vec<CountedChange> {
    let names: BTreeSet<&String> = base.keys().chain(head.keys()).collect();
    let change = |name: &String| {
        // Counts are far below 2^53, so that floats hold them exactly.
        let [base, head] = [base, head].map(|counts| counts.get(name).map(|&count| count as f64));
        CountedChange {
            name: name.clone(),
            metric: METRIC.to_owned(),
            base,
            head,
            state: counted_state(base, head, threshold, Exactness::Exact),
        }
    };
    names.into_iter().map(change).collect()
}

fn not_counted(families: &BTreeSet<&str>, because: &str) -> CountedChange {
    let families: Vec<&str> = families.iter().copied().collect();
    CountedChange {
        name: format!("pure functions ({})", families.join(", ")),
        metric: METRIC.to_owned(),
        base: None,
        head: None,
        state: CountedState::NotCounted {
            because: because.to_owned(),
        },
    }
}

const METRIC: &str = "instructions";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_those_of_the_families_that_are_compared() {
        let names = ["hash/fnv1a", "http/request_short", "mqtt/topic_matched"];
        let names = names.map(str::to_owned).into();
        let families = BTreeSet::from(["echo", "hash", "mqtt"]);
        let expected = ["hash/fnv1a", "mqtt/topic_matched"];
        assert_eq!(chosen(&names, &families), expected);
        assert!(chosen(&names, &BTreeSet::from(["echo"])).is_empty());
    }

    #[test]
    fn each_function_of_either_build_is_told_once() {
        let counts = |all: &[(&str, u64)]| -> Counts {
            let all = all.iter();
            all.map(|&(name, count)| (name.to_owned(), count)).collect()
        };
        let base = counts(&[("hash/a", 100), ("hash/b", 100), ("hash/gone", 1)]);
        let head = counts(&[("hash/a", 106), ("hash/b", 105), ("hash/new", 1)]);
        let states: Vec<_> = changes(&base, &head, 0.05)
            .into_iter()
            .map(|change| (change.name, change.state))
            .collect();
        let expected = [
            ("hash/a", CountedState::Regression),
            ("hash/b", CountedState::Same),
            ("hash/gone", CountedState::Gone),
            ("hash/new", CountedState::New),
        ];
        assert_eq!(
            states,
            expected.map(|(name, state)| (name.to_owned(), state))
        );
    }
}
