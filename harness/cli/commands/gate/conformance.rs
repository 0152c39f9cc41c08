//! Conformance before timing: what answers wrongly is not compared, however fast it is.

use std::collections::{BTreeMap, BTreeSet};
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
        candidate.check(session, &folder)
    };
    let checked: Vec<Checked> = thread::scope(|scope| {
        let numbered = candidates.iter().enumerate();
        let running: Vec<_> = numbered
            .map(|one| scope.spawn(move || check(one)))
            .collect();
        let ended = running
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)));
        ended.collect()
    });
    let named = |candidate: &Candidate<'_>| (candidate.build, candidate.implementation.clone());
    refusals(candidates.iter().map(named).zip(checked))
}

/// What was found of a candidate.
enum Checked {
    /// Nothing is wrong, or that was not found out.
    Fit,
    /// It passes its cases, and not the tests of its quality, with a proof.
    Bad(String),
    /// It is not to be compared, and why.
    Unfit(String),
}

/// What is not to be compared, of candidates of which head's comes behind base's, so that its verdict is the one that stays.
/// What was bad before may be so still; what has become bad may be faster for it.
fn refusals(
    checked: impl Iterator<Item = ((Build, String), Checked)>,
) -> BTreeMap<String, GateVerdict> {
    let (mut refusals, mut good) = (BTreeMap::new(), BTreeSet::new());
    for ((build, name), checked) in checked {
        let because = match (build, checked) {
            (_, Checked::Unfit(because)) => because,
            (Build::Head, Checked::Bad(fault)) if good.contains(&name) => {
                format!("fails tests of quality that base's passes: {fault}")
            }
            (Build::Base, Checked::Fit) => {
                good.insert(name);
                continue;
            }
            (_, Checked::Fit | Checked::Bad(_)) => continue,
        };
        refusals.insert(name.clone(), refused(build, &name, &because));
    }
    refusals
}

/// A base that answers wrongly is no measure: what mends it cannot be held against it.
fn refused(build: Build, implementation: &str, because: &str) -> GateVerdict {
    match build {
        Build::Base => GateVerdict::New {
            because: format!("{implementation} of base is no measure, since it {because}"),
        },
        Build::Head => GateVerdict::Undecided {
            because: format!("{implementation} of head {because}"),
            remedy: "run `ringside verify` on that build, which prints each case".to_owned(),
        },
    }
}

impl Candidate<'_> {
    /// What becomes of it.
    fn check(&self, session: &Session, folder: &Path) -> Checked {
        let launch = Launch {
            executable: self.contender.side.executable(),
            ..session.launch()
        };
        let subject = &self.contender.subject;
        match check_conformance(&launch, subject, folder, session.qualifier()) {
            Ok(Ok(passed)) => passed.quality_fault.map_or(Checked::Fit, Checked::Bad),
            Ok(Err(refusal)) => Checked::Unfit(format!("fails its cases: {}", refusal.because)),
            Err(failure) if failure.interrupted => Checked::Fit,
            Err(failure) => Checked::Unfit(format!("did not start: {failure}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(base: Checked, head: Checked) -> Option<GateVerdict> {
        let both = [(Build::Base, base), (Build::Head, head)];
        let both = both.map(|(build, checked)| ((build, "hash/a".to_owned()), checked));
        refusals(both.into_iter()).remove("hash/a")
    }

    fn bad() -> Checked {
        Checked::Bad("two keys collide".to_owned())
    }

    fn unfit() -> Checked {
        Checked::Unfit("did not start".to_owned())
    }

    #[test]
    fn what_has_become_bad_is_not_called_faster() {
        assert_eq!(outcome(Checked::Fit, Checked::Fit), None);
        let refused = outcome(Checked::Fit, bad());
        assert!(
            matches!(&refused, Some(GateVerdict::Undecided { because, .. }) if because.contains("two keys collide")),
            "{refused:?}"
        );
        // It was bad before, or has become better.
        assert_eq!(outcome(bad(), bad()), None);
        assert_eq!(outcome(bad(), Checked::Fit), None);
    }

    #[test]
    fn what_answers_wrongly_is_not_compared() {
        assert!(matches!(
            outcome(unfit(), Checked::Fit),
            Some(GateVerdict::New { .. })
        ));
        for base in [Checked::Fit, unfit()] {
            let refused = outcome(base, unfit());
            assert!(
                matches!(refused, Some(GateVerdict::Undecided { .. })),
                "{refused:?}"
            );
        }
    }
}
