//! Servers with planted slowdowns beside one base, as triples of the gate.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ringside_contract::{ImplementationSpec, Phase, ScenarioSpec, TripleRecord};
use ringside_metal::plant::{Kind, Plant, VARIABLE};
use ringside_run::{Contestant, GatePlan, Subject, TripleOrder, TurnLengths};

use super::case::Case;
use crate::session::Session;

/// One server beside base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// Its name in the records.
    pub(super) label: String,
    /// The build.
    pub(super) program: PathBuf,
    /// Millionths of what is planted, for each operation; 0 plants nothing.
    pub(super) units: u64,
}

/// A case with all that its triples need.
pub(super) struct Bench<'a> {
    pub(super) case: &'static Case,
    pub(super) scenario: ScenarioSpec,
    pub(super) implementation: ImplementationSpec,
    subject: Subject<'a>,
    session: &'a Session,
    /// How turns are taken.
    pub(super) turns: TurnLengths,
    /// Whether the plan says so, and not the load.
    fixed: bool,
    /// The build that base and base again are.
    base: PathBuf,
    root: PathBuf,
    tmp: PathBuf,
}

impl<'a> Bench<'a> {
    /// Writes the scenario's files below `scratch`.
    pub(super) fn new(
        case: &'static Case,
        session: &'a Session,
        plan: &'a GatePlan,
        base: &Path,
        scratch: &Path,
    ) -> anyhow::Result<Self> {
        let scenario: ScenarioSpec = case.scenario.parse()?;
        let implementation: ImplementationSpec = case.implementation.parse()?;
        let (found, params) = session.catalogue.scenario(&scenario)?;
        let root = scratch.join(format!("root-{}", case.name));
        ringside_run::write_fixtures(&root, found, &params)
            .with_context(|| format!("failed to write the files of {scenario}"))?;
        Ok(Self {
            subject: session.catalogue.subject(&implementation)?,
            case,
            scenario,
            implementation,
            session,
            turns: plan.turns.unwrap_or(TurnLengths::LONG),
            fixed: plan.turns.is_some(),
            base: base.to_owned(),
            root,
            tmp: scratch.join(format!("triple-{}", case.name)),
        })
    }

    /// Fits the turns to the load, where the plan does not say how long they are; false when it was interrupted.
    pub(super) fn fit(&mut self) -> bool {
        if self.fixed {
            return true;
        }
        let base = ["base", "again"].map(|label| self.contestant(label, &self.base, 0));
        let fitted = self.order(&base, 0).fitted();
        self.turns = fitted.unwrap_or(self.turns);
        fitted.is_some()
    }

    /// Measures base, base again and `heads` in turn; `None` when it was interrupted.
    pub(super) fn triple(&self, heads: &[Head], number: u32) -> Option<TripleRecord> {
        let base = ["base", "again"].map(|label| self.contestant(label, &self.base, 0));
        let heads = heads
            .iter()
            .map(|head| self.contestant(&head.label, &head.program, head.units));
        let contestants: Vec<Contestant<'_>> = base.into_iter().chain(heads).collect();
        self.order(&contestants, number).run()
    }

    fn order<'c>(&'c self, contestants: &'c [Contestant<'c>], number: u32) -> TripleOrder<'c> {
        TripleOrder {
            launch: self.session.launch(),
            scenario: &self.scenario,
            implementation: &self.implementation,
            contestants,
            turns: self.turns,
            seed: SEED,
            root: &self.root,
            tmp: &self.tmp,
            phase: Phase::First,
            number,
        }
    }

    fn contestant<'c>(&'c self, label: &'c str, program: &'c Path, units: u64) -> Contestant<'c> {
        let kind = if units == 0 {
            Kind::None
        } else {
            self.case.kind
        };
        let value = Plant { kind, units }.to_string();
        Contestant {
            label,
            executable: program,
            subject: &self.subject,
            environment: vec![(OsString::from(VARIABLE), OsString::from(value))],
        }
    }
}

/// Of the orders of turns and the loads; a recording that goes on has the orders that it would have had.
const SEED: u64 = 1;
