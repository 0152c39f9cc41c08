//! Conformance before timing: what answers wrongly is not compared, however fast it is.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use ringside_contract::GateVerdict;
use ringside_run::{Launch, check_conformance};

use super::measure::{Comparison, Contender};
use crate::session::Session;

/// A server that is to be checked.
struct Candidate<'a> {
    build: Build,
    implementation: String,
    contender: &'a Contender<'a>,
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Build {
    Base,
    Head,
}

/// Runs the cases of its family on each implementation of both builds, all at the same time, since cases mostly wait.
/// Gives what becomes of an implementation that is not to be compared, by its name; what was interrupted says nothing.
pub(super) fn wrong(
    comparisons: &[&Comparison<'_>],
    session: &Session,
    tmp: &Path,
) -> BTreeMap<String, GateVerdict> {
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    for comparison in comparisons {
        let implementation = comparison.cell.implementation.to_string();
        let known = |one: &Candidate<'_>| one.implementation == implementation;
        let ranked = comparison.head.subject.candidate.meta().ranked;
        if candidates.iter().any(known) || !ranked {
            continue;
        }
        let both = [
            (Build::Base, &comparison.base),
            (Build::Head, &comparison.head),
        ];
        // The same file needs to be asked only once.
        let all = if comparison.base.side.is_same_file(comparison.head.side) {
            &both[1..]
        } else {
            &both[..]
        };
        candidates.extend(all.iter().map(|&(build, contender)| Candidate {
            build,
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
    // Head comes behind base, so that its verdict is the one that stays.
    thread::scope(|scope| {
        let numbered = candidates.iter().enumerate();
        let running: Vec<_> = numbered
            .map(|one| scope.spawn(move || check(one)))
            .collect();
        let ended = running
            .into_iter()
            .filter_map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)));
        ended.collect()
    })
}

impl Candidate<'_> {
    /// What becomes of it; `None` when nothing is wrong, or when that was not found out.
    fn check(&self, session: &Session, folder: &Path) -> Option<GateVerdict> {
        let launch = Launch {
            executable: self.contender.side.executable(),
            ..session.launch()
        };
        let subject = &self.contender.subject;
        match check_conformance(&launch, subject, folder, session.qualifier()) {
            Ok(Ok(_)) => None,
            Ok(Err(refusal)) => {
                Some(self.refused(&format!("fails its cases: {}", refusal.because)))
            }
            Err(failure) if failure.interrupted => None,
            Err(failure) => Some(self.refused(&format!("did not start: {failure}"))),
        }
    }

    /// A base that answers wrongly is no measure: what mends it cannot be held against it.
    fn refused(&self, because: &str) -> GateVerdict {
        let implementation = &self.implementation;
        match self.build {
            Build::Base => GateVerdict::New {
                because: format!("{implementation} of base is no measure, since it {because}"),
            },
            Build::Head => GateVerdict::Undecided {
                because: format!("{implementation} of head {because}"),
                remedy: "run `ringside verify` on that build, which prints each case".to_owned(),
            },
        }
    }
}
