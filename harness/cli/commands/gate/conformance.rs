//! Conformance before timing: what answers wrongly is not compared, however fast it is.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;

use ringside_run::{Launch, check_conformance};

use super::measure::{Comparison, Contender};
use crate::session::Session;

/// A server that is to be checked.
struct Candidate<'a> {
    /// `base` or `head`.
    label: &'static str,
    implementation: String,
    contender: &'a Contender<'a>,
}

/// Runs the cases of its family on each implementation of both builds, all at the same time, since cases mostly wait.
/// Gives why an implementation cannot be compared, by its name; what was interrupted says nothing.
pub(super) fn wrong(
    comparisons: &[&Comparison<'_>],
    session: &Session,
    tmp: &Path,
) -> BTreeMap<String, String> {
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for comparison in comparisons {
        let implementation = comparison.cell.implementation.to_string();
        let known = |one: &Candidate<'_>| one.implementation == implementation;
        let ranked = comparison.head.subject.candidate.meta().ranked;
        if candidates.iter().any(known) || !ranked {
            continue;
        }
        let both = [("base", &comparison.base), ("head", &comparison.head)];
        // The same file needs to be asked only once.
        let all = if comparison.base.side.is_same_file(comparison.head.side) {
            &both[1..]
        } else {
            &both[..]
        };
        candidates.extend(all.iter().map(|&(label, contender)| Candidate {
            label,
            implementation: implementation.clone(),
            contender,
        }));
    }
    let check = |(index, candidate): (usize, &Candidate<'_>)| {
        let folder = tmp.with_file_name(format!("conformance-{index}"));
        Some((
            candidate.implementation.clone(),
            candidate.check(session, &folder)?,
        ))
    };
    thread::scope(|scope| {
        let numbered = candidates.iter().enumerate();
        let running: Vec<_> = numbered
            .map(|one| scope.spawn(move || check(one)))
            .collect();
        let ended = running.into_iter().filter_map(|one| one.join().ok()?);
        ended.collect()
    })
}

impl Candidate<'_> {
    /// What is wrong with it; `None` when nothing is, or when that was not found out.
    fn check(&self, session: &Session, folder: &Path) -> Option<String> {
        let launch = Launch {
            executable: self.contender.side.executable(),
            ..session.launch()
        };
        let subject = &self.contender.subject;
        let Self {
            label,
            implementation,
            ..
        } = self;
        match check_conformance(&launch, subject, folder, session.qualifier()) {
            Ok(Ok(())) => None,
            Ok(Err(refusal)) => Some(format!(
                "{implementation} of {label} fails its cases: {}",
                refusal.because
            )),
            Err(failure) if failure.interrupted => None,
            Err(failure) => Some(format!(
                "{implementation} of {label} did not start: {} {}",
                failure.because, failure.stderr
            )),
        }
    }
}
