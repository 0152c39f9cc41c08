//! What each triple said of each head, as CSV: all that trials are formed of, in a hundredth of the space that the
//! turns take. That is what can be published, and counted again with what other recordings say.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, ensure};
use ringside_contract::TripleRecord;
use ringside_judge::{MetricEffect, TripleEffect, effect};
use serde::Deserialize;

use super::case::{CASES, Condition, Heads};
use super::recording::{About, PlantedHead};

/// What triples said of one head.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HeadEffects {
    pub(super) case: &'static str,
    pub(super) condition: Condition,
    pub(super) head: String,
    /// How much slower it should be, in per cent.
    pub(super) planted: u64,
    /// The triples of each recording: no trial is formed of two.
    pub(super) recordings: Vec<Vec<Said>>,
    /// Why triples say nothing.
    pub(super) lost: Vec<String>,
}

/// What one triple said of one head.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    number: u32,
    pub(super) effect: TripleEffect,
    /// No other head without a change is held against the same processes of base: where a triple has two, it is one's
    /// alone. Trials of both would say one thing twice.
    pub(super) is_alone: bool,
}

impl HeadEffects {
    /// The triples of all recordings.
    pub(super) fn all(&self) -> Vec<TripleEffect> {
        let said = self.recordings.iter().flatten();
        said.map(|said| said.effect.clone()).collect()
    }

    fn is_of(&self, other: &Self) -> bool {
        let key = |one: &Self| (one.case, one.condition, one.planted);
        key(self) == key(other) && self.head == other.head
    }
}

/// Above the lines of all recordings. Slowdowns are natural logarithms, positive where head is slower than base; those
/// of `again` are of base against itself. `decides` says whether the figure has a say.
pub(super) const HEAD: &str = "case,condition,head,planted_percent,triple,rate,rate_again,rate_decides,\
                               processor_time,processor_time_again,processor_time_decides,recording\n";

/// One line.
#[derive(Debug, Deserialize)]
struct Line {
    case: String,
    condition: String,
    head: String,
    planted_percent: u64,
    triple: u32,
    rate: f64,
    rate_again: f64,
    rate_decides: bool,
    processor_time: f64,
    processor_time_again: f64,
    processor_time_decides: bool,
    /// Triples of two recordings have the same numbers. A file of before has one.
    #[serde(default)]
    recording: String,
}

/// A line for each triple and head; a triple that says nothing has none.
pub(super) fn lines(about: &About, records: &[TripleRecord], recording: Heads) -> String {
    let mut lines = String::new();
    for head in &about.heads {
        for record in records
            .iter()
            .filter(|one| one.servers.contains(&head.label))
        {
            let Ok(effect) = effect(record, &head.label, &about.placement) else {
                continue;
            };
            // Writing into a string does not fail.
            let _ = writeln!(
                lines,
                "{},{},{},{},{},{},{},{}",
                about.case,
                about.condition,
                head.label,
                head.percent,
                record.number,
                figures(&effect.rate),
                figures(&effect.processor_time),
                recording.name(),
            );
        }
    }
    lines
}

/// Five digits are a thousandth of a per cent.
fn figures(metric: &MetricEffect) -> String {
    format!(
        "{:.5},{:.5},{}",
        metric.slowdown,
        metric.again,
        metric.left_out.is_none()
    )
}

/// What the triples of one recording said of each head.
///
/// # Errors
/// Its case or its condition is none that is known.
pub(super) fn of_recording(
    about: &About,
    records: &[TripleRecord],
) -> anyhow::Result<Vec<HeadEffects>> {
    let head = |head: &PlantedHead| {
        let mut found = none(&about.case, &about.condition, &head.label, head.percent)?;
        let mut all = Vec::new();
        // Not every triple has every head.
        for record in records
            .iter()
            .filter(|one| one.servers.contains(&head.label))
        {
            match effect(record, &head.label, &about.placement) {
                Ok(effect) => all.push(Said::new(record.number, effect)),
                Err(error) => found.lost.push(error.to_string()),
            }
        }
        found.recordings.push(all);
        Ok(found)
    };
    let mut heads: Vec<HeadEffects> = about
        .heads
        .iter()
        .map(head)
        .collect::<anyhow::Result<_>>()?;
    deal(&mut heads);
    Ok(heads)
}

impl Said {
    const fn new(number: u32, effect: TripleEffect) -> Self {
        Self {
            number,
            effect,
            is_alone: true,
        }
    }
}

/// Deals the triples of a recording out to the heads without a change that are in them, one after the other.
fn deal(heads: &mut [HeadEffects]) {
    type Key = (&'static str, &'static str, u32);
    let key = |head: &HeadEffects, said: &Said| -> Key {
        (head.case, head.condition.name(), said.number)
    };
    let mut takers: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (place, head) in heads
        .iter()
        .enumerate()
        .filter(|(_, head)| head.planted == 0)
    {
        for said in head.recordings.iter().flatten() {
            takers.entry(key(head, said)).or_default().push(place);
        }
    }
    for (place, head) in heads
        .iter_mut()
        .enumerate()
        .filter(|(_, head)| head.planted == 0)
    {
        let mut recordings = std::mem::take(&mut head.recordings);
        for said in recordings.iter_mut().flatten() {
            let takers = &takers[&key(head, said)];
            said.is_alone = takers[said.number as usize % takers.len()] == place;
        }
        head.recordings = recordings;
    }
}

/// Reads the lines of an earlier recording. Those of one head are told by what they say, wherever they stand.
///
/// # Errors
/// The file cannot be read, or a line is none of such a file.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<HeadEffects>> {
    let name = path.display();
    let text = std::fs::read(path).with_context(|| format!("failed to read {name}"))?;
    let mut recordings: BTreeMap<String, Vec<HeadEffects>> = BTreeMap::new();
    let mut reader = csv::Reader::from_reader(text.as_slice());
    for (number, line) in (2..).zip(reader.deserialize()) {
        let failed = || format!("failed to read {name}, line {number}, as effects of triples");
        let line: Line = line.with_context(failed)?;
        let (case, condition) = (&line.case, &line.condition);
        let one = none(case, condition, &line.head, line.planted_percent).with_context(failed)?;
        let said = Said::new(line.triple, line.effect().with_context(failed)?);
        let heads = recordings.entry(line.recording).or_default();
        match heads.iter_mut().find(|head| head.is_of(&one)) {
            Some(known) => known.recordings[0].push(said),
            None => heads.push(HeadEffects {
                recordings: vec![vec![said]],
                ..one
            }),
        }
    }
    ensure!(
        !recordings.is_empty(),
        "{name} has no line behind its heading"
    );
    recordings.values_mut().for_each(|heads| deal(heads));
    Ok(recordings.into_values().flatten().collect())
}

/// Each head once, with the triples of all its recordings, in the order of conditions and cases.
pub(super) fn together(all: Vec<HeadEffects>) -> Vec<HeadEffects> {
    let mut joined: Vec<HeadEffects> = Vec::new();
    for one in all {
        match joined.iter_mut().find(|known| known.is_of(&one)) {
            Some(known) => {
                known.recordings.extend(one.recordings);
                known.lost.extend(one.lost);
            }
            None => joined.push(one),
        }
    }
    let place = |name| CASES.iter().position(|case| case.name == name);
    joined.sort_by_key(|one| {
        (
            one.condition != Condition::Quiet,
            place(one.case),
            one.planted,
        )
    });
    joined
}

fn none(case: &str, condition: &str, head: &str, planted: u64) -> anyhow::Result<HeadEffects> {
    let known = CASES.iter().find(|known| known.name == case);
    let known = known.with_context(|| format!("there is no case `{case}`"))?;
    let mut conditions = Condition::ALL.into_iter();
    let condition = conditions
        .find(|known| known.name() == condition)
        .with_context(|| format!("there is no condition `{condition}`"))?;
    Ok(HeadEffects {
        case: known.name,
        condition,
        head: head.to_owned(),
        planted,
        recordings: Vec::new(),
        lost: Vec::new(),
    })
}

impl Line {
    fn effect(&self) -> anyhow::Result<TripleEffect> {
        Ok(TripleEffect {
            rate: metric(self.rate, self.rate_again, self.rate_decides)?,
            processor_time: metric(
                self.processor_time,
                self.processor_time_again,
                self.processor_time_decides,
            )?,
        })
    }
}

/// What was measured is not in the lines, only how both sides compare: base counts as 1.
fn metric(slowdown: f64, again: f64, decides: bool) -> anyhow::Result<MetricEffect> {
    ensure!(
        slowdown.is_finite() && again.is_finite(),
        "{slowdown} and {again} are not both finite"
    );
    Ok(MetricEffect {
        slowdown,
        again,
        base: 1.0,
        head: slowdown.exp(),
        left_out: (!decides).then(|| "it decided nothing when it was recorded".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(lines: &str) -> anyhow::Result<Vec<HeadEffects>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("effects.csv");
        std::fs::write(&path, format!("{HEAD}{lines}")).unwrap();
        read(&path)
    }

    #[test]
    fn lines_of_one_head_are_put_together_and_recordings_stay_apart() {
        let read = file(
            "mqtt,quiet,p05,5,0,0.05,0.00100,true,0.04,-0.00200,false,\n\
             http,quiet,nul0,0,0,0.01,0,true,0,0,true,\n\
             mqtt,quiet,p05,5,1,0.06,0,true,0.05,0,true,\n",
        )
        .unwrap();
        let all = together([read.clone(), read].concat());
        let found: Vec<_> = all
            .iter()
            .map(|head| (head.case, &*head.head, head.planted, head.recordings.len()))
            .collect();
        assert_eq!(found, [("http", "nul0", 0, 2), ("mqtt", "p05", 5, 2)]);
        let first = &all[1].recordings[0];
        assert_eq!(first.len(), 2);
        let rate = &first[0].effect.rate;
        assert_eq!((rate.slowdown, rate.again), (0.05, 0.001));
        assert!(first[0].effect.processor_time.left_out.is_some());
        assert!(first[1].effect.processor_time.left_out.is_none());
        assert_eq!(all[1].all().len(), 4);
        let summary = super::super::summary::summary(all[1].clone());
        assert!(summary.slowdown.is_some() && summary.triples == 4);
    }

    #[test]
    fn a_triple_counts_for_one_of_its_heads_without_a_change() {
        let line = |head: &str, percent: u64, triple: u32| {
            format!("http,quiet,{head},{percent},{triple},0,0,true,0,0,true,\n")
        };
        let both: String = (0..4)
            .flat_map(|triple| {
                [("nul0", 0), ("nul1", 0), ("p05", 5)]
                    .map(|(head, percent)| line(head, percent, triple))
            })
            .collect();
        // In the last two there is only one of them.
        let read = file(&format!(
            "{both}{}{}",
            line("nul0", 0, 5),
            line("nul1", 0, 6)
        ))
        .unwrap();
        let alone = |head: &HeadEffects| -> Vec<u32> {
            let said = head
                .recordings
                .iter()
                .flatten()
                .filter(|said| said.is_alone);
            said.map(|said| said.number).collect()
        };
        let found: Vec<_> = read.iter().map(|head| (&*head.head, alone(head))).collect();
        let expected = [
            ("nul0", vec![0, 2, 5]),
            ("nul1", vec![1, 3, 6]),
            ("p05", vec![0, 1, 2, 3]),
        ];
        assert_eq!(found, expected);
        assert_eq!(read[0].all().len(), 5);
    }

    #[test]
    fn recordings_of_one_file_stay_apart_though_their_triples_have_the_same_numbers() {
        let line = |head: &str, triple: u32, recording: &str| {
            format!("http,quiet,{head},0,{triple},0,0,true,0,0,true,{recording}\n")
        };
        // All heads in each triple, and one in its turn.
        let lines = [
            line("nul0", 0, "all"),
            line("nul1", 0, "all"),
            line("nul0", 0, "one_unchanged"),
            line("nul1", 1, "one_unchanged"),
        ];
        let read = together(file(&lines.concat()).unwrap());
        let alone = |head: &HeadEffects| -> Vec<Vec<bool>> {
            let of = |said: &Vec<Said>| said.iter().map(|said| said.is_alone).collect();
            head.recordings.iter().map(of).collect()
        };
        let found: Vec<_> = read.iter().map(|head| (&*head.head, alone(head))).collect();
        let expected = [
            ("nul0", vec![vec![true], vec![true]]),
            ("nul1", vec![vec![false], vec![true]]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_line_that_is_none_is_told_with_its_number() {
        let good = "http,quiet,nul0,0,0,0.01,0,true,0,0,true,\n";
        for (bad, says) in [
            ("http,quiet,nul0,0,0,0.01,0,true,0,0\n", "line 3"),
            ("http,quiet,nul0,0,0,x,0,true,0,0,true,\n", "line 3"),
            ("http,quiet,nul0,0,0,NaN,0,true,0,0,true,\n", "finite"),
            (
                "ftp,quiet,nul0,0,0,0.01,0,true,0,0,true,\n",
                "no case `ftp`",
            ),
            (
                "http,loud,nul0,0,0,0.01,0,true,0,0,true,\n",
                "no condition `loud`",
            ),
        ] {
            let error = format!("{:#}", file(&format!("{good}{bad}")).unwrap_err());
            assert!(
                error.contains(says) && error.contains("effects.csv"),
                "{error}"
            );
        }
        assert!(file("").unwrap_err().to_string().contains("no line"));
    }
}
