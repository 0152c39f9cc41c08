//! Records grouped into cells, with what decides whether a cell's figures may be used.

use std::collections::BTreeMap;

use ringside_contract::{
    ImplementationSpec, Limit, Measures, Plan, RunRecord, ScenarioSpec, Side, Status,
};

use crate::figure::percent;

/// More late sends than this, and the generator did not offer what it was asked to.
pub(crate) const LATE_SHARE_MAX: f64 = 0.01;

/// More failed operations than this, and the rate is not that of the work that was asked for.
pub(crate) const ERROR_SHARE_MAX: f64 = 0.001;

/// A server that completes less of an offered rate than this is past its knee.
pub(crate) const KEPT_UP_MIN: f64 = 0.95;

/// More operations without an answer than this, and the high percentiles are how long it was waited.
pub(crate) const UNANSWERED_SHARE_MAX: f64 = 0.05;

/// Of so many rounds one may have had another limit than the cell: of the 8 of an interval that is all
/// that the extremes can bear.
const EXCEPTIONS_PER: usize = 8;

/// A server that uses this part of its cores counts as full. Below half it was seen to need 1.4 times
/// the processor time for an operation; from here on no difference showed.
const SATURATED_MIN: f64 = 0.90;

/// The key of a block among those that are compared pairwise.
pub(crate) type RoundKey = (u32, u32);

/// All rounds of one implementation in one scenario.
#[derive(Debug)]
pub(crate) struct Cell<'a> {
    pub(crate) scenario: &'a ScenarioSpec,
    pub(crate) implementation: &'a ImplementationSpec,
    pub(crate) replica: u8,
    /// Any record of the cell, for what all of them share.
    pub(crate) sample: &'a RunRecord,
    /// Every record, in the order of the file.
    pub(crate) records: Vec<&'a RunRecord>,
    /// Completed blocks by group and round; of two with one key the later one counts.
    pub(crate) rounds: BTreeMap<RoundKey, (&'a RunRecord, &'a Measures)>,
    pub(crate) failures: Vec<String>,
    pub(crate) skipped: Option<&'a str>,
    pub(crate) refused: Option<String>,
}

impl<'a> Cell<'a> {
    fn new(first: &'a RunRecord) -> Self {
        Self {
            scenario: &first.scenario,
            implementation: &first.implementation,
            replica: first.replica,
            sample: first,
            records: Vec::new(),
            rounds: BTreeMap::new(),
            failures: Vec::new(),
            skipped: None,
            refused: None,
        }
    }

    fn add(&mut self, record: &'a RunRecord) {
        self.records.push(record);
        match &record.status {
            Status::Completed => match &record.measures {
                Some(measures) => {
                    self.rounds
                        .insert((record.group, record.round), (record, measures));
                }
                None => self
                    .failures
                    .push(format!("round {}: it holds no measures", record.round)),
            },
            Status::Failed { because, .. } => {
                self.failures
                    .push(format!("round {}: {because}", record.round));
            }
            Status::Skipped { reason } => self.skipped = Some(reason),
            Status::Disqualified { because, .. } => self.refused = Some(because.clone()),
        }
    }

    /// The name of the cell: scenario and implementation.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.scenario, self.implementation)
    }

    pub(crate) fn measures(&self) -> impl Iterator<Item = &'a Measures> + '_ {
        self.rounds.values().map(|(_, measures)| *measures)
    }

    /// `closed`, `open` or `sweep`.
    pub(crate) fn load(&self) -> &'a str {
        self.sample.params.value("load").unwrap_or("closed")
    }

    /// Why it is not to be chosen: the proof of wrong answers, or of bad ones.
    pub(crate) fn disqualified(&self) -> Option<String> {
        self.wrong_answers()
            .or_else(|| self.quality_fault().map(str::to_owned))
    }

    /// The proof of wrong answers, if there were any.
    pub(crate) fn wrong_answers(&self) -> Option<String> {
        if let Some(because) = &self.refused {
            return Some(because.clone());
        }
        let corrupt: u64 = self.measures().map(|measures| measures.corrupt).sum();
        let sample = self
            .measures()
            .find(|m| m.corrupt > 0)
            .and_then(|m| m.error_samples.first());
        let were = if corrupt == 1 {
            "answer was"
        } else {
            "answers were"
        };
        (corrupt > 0).then(|| match sample {
            Some(sample) => format!("{corrupt} {were} wrong under load; the first: {sample}"),
            None => format!("{corrupt} {were} wrong under load"),
        })
    }

    /// The quality tests that it failed, though its answers are those that it has to give.
    pub(crate) fn quality_fault(&self) -> Option<&'a str> {
        let mut faults = self
            .records
            .iter()
            .map(|record| record.quality_fault.as_deref());
        faults.find_map(|fault| fault)
    }

    /// Share of operations that got no right answer.
    pub(crate) fn error_share(&self) -> f64 {
        let bad: u64 = self
            .measures()
            .map(|m| m.errors + m.corrupt + m.timeouts)
            .sum();
        let all: u64 = self.measures().map(|m| m.operations + m.timeouts).sum();
        share(bad, all)
    }

    /// Share of the operations of an open loop that started late; 0 for the other loads. A sweep goes
    /// on until it cannot keep up, so its late sends belong to its last steps and not to the cell.
    pub(crate) fn late_share(&self) -> f64 {
        if self.load() != "open" {
            return 0.0;
        }
        let late: u64 = self.measures().map(|m| m.late_sends).sum();
        let offered: u64 = self.measures().map(|m| m.offered).sum();
        share(late, offered)
    }

    /// What limited the cell. A few rounds in which it was something else do not move a median; more of
    /// them do, and then the cell counts as what says less for the server. So does an open loop whose late
    /// sends leave it no figure.
    pub(crate) fn limited_by(&self) -> Option<Limit> {
        let limits = || self.measures().filter_map(|m| m.limited_by);
        let rounds = limits().count();
        let count = |limit| limits().filter(|&seen| seen == limit).count();
        let few = |count: usize| count * EXCEPTIONS_PER <= rounds;
        if rounds == 0 {
            None
        } else if !few(count(Limit::Generator)) || self.late().is_some() {
            Some(Limit::Generator)
        } else if few(rounds - count(Limit::Server)) {
            Some(Limit::Server)
        } else {
            Some(Limit::Neither)
        }
    }

    /// Whether the server was full, which is what its processor time an operation depends on: with more to
    /// do at a time it needs less for each. It does not matter whether the generator was full too, as that
    /// only bounds the rate.
    pub(crate) fn saturated(&self) -> bool {
        let servers = || self.measures().filter_map(|m| m.server.as_ref());
        let full = |side: &&Side| side.cores_busy >= SATURATED_MIN * side.cores;
        let (rounds, idle) = (
            servers().count(),
            servers().filter(|side| !full(side)).count(),
        );
        rounds > 0 && idle * EXCEPTIONS_PER <= rounds
    }

    /// A closed loop whose generator was the limit: its rates are lower bounds.
    pub(crate) fn generator_limited(&self) -> bool {
        self.load() == "closed" && self.limited_by() == Some(Limit::Generator)
    }

    /// Why none of the cell's figures may be used.
    pub(crate) fn invalid(&self) -> Option<String> {
        let besides = self.invalid_besides_errors();
        besides
            .or_else(|| self.fell_behind())
            .or_else(|| self.failing())
    }

    /// The same without a look at when operations were sent, for claims about what clients cost that stay.
    pub(crate) fn invalid_besides_pace(&self) -> Option<String> {
        self.failed().or_else(|| self.failing())
    }

    fn failing(&self) -> Option<String> {
        let errors = self.error_share();
        (errors > ERROR_SHARE_MAX).then(|| format!("{} of the operations failed", percent(errors)))
    }

    /// The same without a look at the share of failed operations, for claims about just that.
    pub(crate) fn invalid_besides_errors(&self) -> Option<String> {
        self.failed().or_else(|| self.late())
    }

    fn late(&self) -> Option<String> {
        let late = self.late_share();
        (late > LATE_SHARE_MAX).then(|| {
            format!(
                "the generator was the limit: {} of the sends were late",
                percent(late)
            )
        })
    }

    /// Why its blocks are no measurement at all: wrong answers, failed rounds, or none.
    pub(crate) fn failed(&self) -> Option<String> {
        if let Some(because) = self.disqualified() {
            return Some(because);
        }
        if self.rounds.is_empty() {
            let first = self
                .failures
                .first()
                .map_or("it was not measured", String::as_str);
            return Some(first.to_owned());
        }
        if !self.failures.is_empty() {
            let all = self.rounds.len() + self.failures.len();
            return Some(format!(
                "{} of {all} rounds failed; {}",
                self.failures.len(),
                self.failures[0]
            ));
        }
        None
    }

    /// Why an open loop was past what its server could do: the latency of what was answered is then
    /// not that of the offered rate.
    fn fell_behind(&self) -> Option<String> {
        if self.load() != "open" {
            return None;
        }
        let (kept_up, unanswered) = (self.kept_up(), self.unanswered_share());
        let how = if kept_up < KEPT_UP_MIN {
            format!("it completed only {} of it", percent(kept_up))
        } else if unanswered > UNANSWERED_SHARE_MAX {
            format!("{} of the operations had no answer", percent(unanswered))
        } else {
            return None;
        };
        Some(format!(
            "the server did not keep up with the offered rate: {how}"
        ))
    }

    /// Share of the window's operations that had no answer.
    pub(crate) fn unanswered_share(&self) -> f64 {
        let unanswered: u64 = self.measures().map(|m| m.unanswered).sum();
        let all: u64 = self
            .measures()
            .map(|m| m.offered.max(m.operations + m.unanswered))
            .sum();
        share(unanswered, all)
    }

    /// Share of the offered operations of an open loop that were completed in its window.
    fn kept_up(&self) -> f64 {
        let completed: u64 = self.measures().map(|m| m.operations).sum();
        let offered: u64 = self.measures().map(|m| m.offered).sum();
        if offered == 0 {
            1.0
        } else {
            completed as f64 / offered as f64
        }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// All cells of a run.
#[derive(Debug)]
pub(crate) struct Index<'a> {
    /// In the order of the plan, or of group and name without one.
    pub(crate) cells: Vec<Cell<'a>>,
}

impl<'a> Index<'a> {
    pub(crate) fn new(records: &'a [RunRecord], plan: Option<&Plan>) -> Self {
        let mut cells = BTreeMap::new();
        for record in records {
            let key = (&record.scenario, &record.implementation, record.replica);
            cells
                .entry(key)
                .or_insert_with(|| Cell::new(record))
                .add(record);
        }
        let places = places(plan);
        let mut cells: Vec<Cell<'a>> = cells.into_values().collect();
        // Stable: what the plan does not tell apart stays sorted by name.
        cells.sort_by_cached_key(|cell| {
            let group = cell
                .records
                .iter()
                .map(|record| record.group)
                .min()
                .unwrap_or(0);
            let key = (cell.scenario, cell.implementation, cell.replica);
            places
                .get(&key)
                .copied()
                .unwrap_or((group as usize, usize::MAX))
        });
        Self { cells }
    }

    /// The first copies: what verdicts and rankings rest on.
    pub(crate) fn first_copies(&self) -> impl Iterator<Item = &Cell<'a>> {
        self.cells.iter().filter(|cell| cell.replica == 0)
    }
}

type Place<'a> = (&'a ScenarioSpec, &'a ImplementationSpec, u8);

/// Where each cell of a plan stands, by its group and its position there.
fn places(plan: Option<&Plan>) -> BTreeMap<Place<'_>, (usize, usize)> {
    let mut places = BTreeMap::new();
    for (number, group) in plan.iter().flat_map(|plan| plan.groups.iter().enumerate()) {
        for (position, cell) in group.cells.iter().enumerate() {
            let key = (&group.scenario, &cell.implementation, cell.replica);
            places.entry(key).or_insert((number, position));
        }
    }
    places
}
