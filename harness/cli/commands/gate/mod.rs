//! `ringside gate`: two builds in turn, and a failure when the newer one is slower.
//!
//! ```text
//! arguments -> sides (the builds), cells -> conformance -> measure (triples, looks) -> report
//!                                                       -> graphs (of what is slower) ---^
//!                                                       -> counted (instructions) ------^
//! ```

mod cells;
mod conformance;
mod counted;
mod graphs;
mod identity;
mod measure;
mod outcome;
mod progress;
#[cfg(feature = "plant")]
mod selftest;
mod sides;

use std::path::Path;

use anyhow::Context;
use ringside_contract::{GateVerdict, Phase, Placement};
use ringside_judge::{Decision, GateRule};
use ringside_run::{Catalogue, GateCell, GatePlan, TripleLog, new_folder, now_s, place_for_load};

use self::cells::Choice;
use self::counted::Counting;
pub(crate) use self::identity::Identity;
use self::measure::{Comparison, Conditions, Contender, Measured};
use self::outcome::{Compared, Outcome, compared};
use self::progress::GateProgress;
use self::sides::Sides;
use crate::args::gate::GateAction;
#[cfg(not(feature = "plant"))]
use crate::args::gate::SelftestArgs;
use crate::args::{GateArgs, Global};
use crate::datasets;
use crate::exit::{Exit, UsageError};
use crate::output::Output;
use crate::session::Session;

/// Compares the builds, writes the report and ends with what follows.
pub(crate) fn gate(global: &Global, args: &GateArgs, output: &Output) -> anyhow::Result<Exit> {
    if let Some(GateAction::Selftest(args)) = &args.action {
        return selftest(global, args, output);
    }
    let session = Session::open(global)?;
    let dataset = datasets::gate_plan(global, args.plan.as_deref())?;
    let plan = GatePlan::parse(&dataset.name, &dataset.text, &session.catalogue)
        .map_err(|error| UsageError(error.to_string()))?;
    let scratch = tempfile::tempdir().context("failed to make a temporary folder")?;
    let sides = match Sides::of(args, &session, scratch.path(), output) {
        // Whatever the signal ended failed for that reason alone.
        Err(_) if session.stop.is_set() => return Ok(Exit::Interrupted),
        sides => sides?,
    };
    let cells = choose(global, args, &plan, &sides, &session)?;
    let began_at = now_s();
    let (_, folder) = new_folder(&args.out.join("gates"), "gate", began_at)?;
    let outcome = Outcome {
        began_at,
        sides: &sides,
        session: &session,
        folder,
    };
    let rule = GateRule::default();
    let conditions = Conditions {
        session: &session,
        plan: &plan,
        rule: &rule,
        seed: args.seed,
        tmp: &scratch.path().join("triple"),
    };
    let compared = compare(&conditions, &cells, &sides, &outcome.folder, output)?;
    let counting = Counting {
        sides: &sides,
        cells: &cells,
        threshold: plan.threshold,
        scratch: scratch.path(),
        stop: &session.stop,
    };
    let counted = [counting.changes(), counted::served(&compared)].concat();
    outcome.end(compared, counted, output)
}

#[cfg(feature = "plant")]
use self::selftest::selftest;

/// Only a build that honours planted slowdowns can plant some.
#[cfg(not(feature = "plant"))]
fn selftest(_: &Global, _: &SelftestArgs, _: &Output) -> anyhow::Result<Exit> {
    Err(UsageError(
        "this build plants no slowdowns; `just selftest` makes builds that do, and runs them"
            .to_owned(),
    )
    .into())
}

/// What is compared. Two manifests describe one program, whatever the plan names.
fn choose(
    global: &Global,
    args: &GateArgs,
    plan: &GatePlan,
    sides: &Sides,
    session: &Session,
) -> Result<Vec<GateCell>, UsageError> {
    let own = sides.head.id().map(|id| vec![id.to_string()]);
    let given = args.base_manifest.is_some();
    let choice = Choice {
        scenarios: &args.scenario,
        implementations: own
            .as_deref()
            .filter(|_| given)
            .unwrap_or(&args.implementation),
        filters: &global.filter,
    };
    match sides.head.catalogue() {
        Some(catalogue) => {
            let all = Catalogue {
                implementations: session.catalogue.implementations.clone(),
                in_process: session.catalogue.in_process.clone(),
                scenarios: session.catalogue.scenarios.clone(),
                programs: catalogue.programs.clone(),
            };
            choice.cells(plan, &all)
        }
        None => choice.cells(plan, &session.catalogue),
    }
}

/// A cell and a comparison, or what becomes of it without one.
type Cell<'a> = (&'a GateCell, Result<Comparison<'a>, GateVerdict>);

/// Measures what both builds have and answer rightly, confirms what is slower, and gives a row for every cell.
fn compare(
    conditions: &Conditions<'_>,
    cells: &[GateCell],
    sides: &Sides,
    folder: &Path,
    output: &Output,
) -> anyhow::Result<Vec<Compared>> {
    let (mut log, _) = TripleLog::open(&folder.join("triples.jsonl"))?;
    let mut progress = GateProgress::new(output);
    let mut all: Vec<Cell<'_>> = Vec::new();
    for cell in cells {
        all.push((cell, comparison(cell, sides, conditions)?));
    }
    refuse_wrong(conditions, &mut all, output);
    let comparisons: Vec<&Comparison<'_>> = all
        .iter()
        .filter_map(|(_, one)| one.as_ref().ok())
        .collect();
    let first = conditions.measure(&comparisons, Phase::First, &mut log, &mut progress)?;
    let slower: Vec<usize> = (0..first.len())
        .filter(|&index| first[index].decision == Decision::Regression)
        .collect();
    let suspects: Vec<&Comparison<'_>> = slower.iter().map(|&index| comparisons[index]).collect();
    let second = conditions.measure(&suspects, Phase::Confirming, &mut log, &mut progress)?;
    let mut second: Vec<(usize, Measured)> = slower.into_iter().zip(second).collect();
    let mut measured = first.into_iter().enumerate();
    let rows = all.iter().map(|(cell, one)| match one {
        Ok(_) => {
            let (index, first) = measured.next().expect("each comparison was measured");
            let place = second.iter().position(|(of, _)| *of == index);
            let second = place.map(|place| second.swap_remove(place).1);
            compared(cell, conditions.rule, &first, second.as_ref())
        }
        Err(verdict) => Compared::unmeasured(cell, verdict.clone()),
    });
    let mut rows: Vec<Compared> = rows.collect();
    draw_slower(conditions, &all, &mut rows, folder, output);
    Ok(rows)
}

/// Takes out what fails the cases of its family.
fn refuse_wrong(conditions: &Conditions<'_>, all: &mut [Cell<'_>], output: &Output) {
    let comparisons: Vec<&Comparison<'_>> = all
        .iter()
        .filter_map(|(_, one)| one.as_ref().ok())
        .collect();
    output.note("checking that both builds answer rightly");
    let wrong = conformance::wrong(&comparisons, conditions.session, conditions.tmp);
    for (cell, one) in all.iter_mut().filter(|(_, one)| one.is_ok()) {
        if let Some(verdict) = wrong.get(&cell.implementation.to_string()) {
            *one = Err(verdict.clone());
        }
    }
}

/// Adds flame graphs to what is slower. Where they cannot be drawn the verdict stands all the same.
fn draw_slower(
    conditions: &Conditions<'_>,
    cells: &[Cell<'_>],
    rows: &mut [Compared],
    folder: &Path,
    output: &Output,
) {
    for ((cell, one), compared) in cells.iter().zip(rows) {
        let (Ok(comparison), GateVerdict::Regression) = (one, &compared.row.verdict) else {
            continue;
        };
        let name = format!("{} in {}", cell.implementation, cell.scenario);
        output.note(&format!("{name} is slower: drawing where its time goes"));
        if let Err(error) = graphs::draw(conditions, comparison, &mut compared.row, folder) {
            compared.warning = Some(format!("no flame graphs of {name}: {error:#}"));
        }
    }
}

/// What is started for a cell, or that there is nothing to compare with.
fn comparison<'a>(
    cell: &'a GateCell,
    sides: &'a Sides,
    conditions: &Conditions<'a>,
) -> anyhow::Result<Result<Comparison<'a>, GateVerdict>> {
    if let Some(because) = sides.head.lacks(cell) {
        return Err(UsageError(format!(
            "{because}; choose another with --scenario or --implementation"
        ))
        .into());
    }
    if let Some(because) = sides.base.lacks(cell) {
        return Ok(Err(GateVerdict::New { because }));
    }
    let session = conditions.session;
    let (scenario, params) = session
        .catalogue
        .scenario(&cell.scenario)
        .map_err(|error| UsageError(error.to_string()))?;
    let id = scenario.meta().id();
    let root = conditions
        .tmp
        .with_file_name(format!("root-{}-{}", id.family, id.name));
    ringside_run::write_fixtures(&root, scenario, &params)
        .with_context(|| format!("failed to write the files of {id} into {}", root.display()))?;
    let placement = place_for_load(scenario, &params, &session.host, &session.placement);
    let subject = |side: &'a sides::Side| {
        anyhow::Ok(Contender {
            side,
            subject: side.subject(&cell.implementation, session)?,
        })
    };
    Ok(Ok(Comparison {
        cell,
        base: subject(&sides.base)?,
        head: subject(&sides.head)?,
        judged: match scenario.workload(&params, 0) {
            Some(_) => Placement {
                generator_cpus: Vec::new(),
                ..placement.clone()
            },
            None => placement.clone(),
        },
        placement,
        root,
    }))
}
