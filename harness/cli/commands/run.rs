//! `ringside run`: a plan becomes records.

use std::path::Path;

use anyhow::Context;
use ringside_contract::{Plan, RunRecord, Status};
use ringside_run::RunOutcome;

use crate::args::{Format, Global, RunArgs};
use crate::commands::plan;
use crate::exit::{Exit, UsageError};
use crate::output::Output;
use crate::progress::Progress;
use crate::session::Session;

/// Runs, or goes on with a run.
pub(crate) fn run(global: &Global, args: &RunArgs, output: &Output) -> anyhow::Result<Exit> {
    check_options(global, args)?;
    let mut session = Session::open(global)?;
    let outcome = match &args.resume {
        Some(folder) => resume(&mut session, folder, output)?,
        None => {
            let plan = match &args.plan_json {
                Some(path) => read_plan(path, &session)?,
                None => plan::make(global, &args.plan, &session)?,
            };
            execute(&session, &plan, &args.out, output)?
        }
    };
    say(&outcome, output)?;
    let ended = code(&outcome);
    let earlier = args.resume.is_some() && ended == Exit::Undecided && measured(&outcome.folder)?;
    Ok(if earlier { Exit::Ok } else { ended })
}

/// Whether there is a measured block in `folder`, as a run that goes on may have had it before.
fn measured(folder: &Path) -> anyhow::Result<bool> {
    let read = ringside_judge::read_records(&folder.join("records.jsonl"))?;
    let completed = |record: &RunRecord| matches!(record.status, Status::Completed);
    Ok(read.records.iter().any(completed))
}

/// A plan that was made already has its cells; a filter that changed nothing would be a surprise.
fn check_options(global: &Global, args: &RunArgs) -> Result<(), UsageError> {
    let option = match (&args.resume, &args.plan_json) {
        (Some(_), _) => "--resume",
        (None, Some(_)) => "--plan-json",
        (None, None) => return Ok(()),
    };
    if global.filter.is_empty() {
        return Ok(());
    }
    Err(UsageError(format!(
        "--filter cannot be used with {option}, whose plan is made already; give it to `ringside plan`, or to \
         `ringside run --plan`"
    )))
}

/// Runs a plan with progress.
pub(crate) fn execute(
    session: &Session,
    plan: &Plan,
    out: &Path,
    output: &Output,
) -> anyhow::Result<RunOutcome> {
    output.note(&plan::summary(plan));
    let mut progress = Progress::new(output);
    ringside_run::execute(plan, &session.options(out), &mut progress)
        .with_context(|| format!("failed to run plan {}", plan.name))
}

fn resume(session: &mut Session, folder: &Path, output: &Output) -> anyhow::Result<RunOutcome> {
    let folder = folder
        .canonicalize()
        .with_context(|| format!("there is no run in {}", folder.display()))?;
    // reports/runs/ID: the folder that holds runs/ is two up.
    let reports = folder
        .ancestors()
        .nth(2)
        .with_context(|| format!("{} is no folder of a run", folder.display()))?;
    // What the run began with counts, whatever the manifests say by now.
    session
        .catalogue
        .put_programs(ringside_run::stored_programs(&folder)?);
    let mut progress = Progress::new(output);
    ringside_run::resume(&folder, &session.options(reports), &mut progress)
        .with_context(|| format!("failed to go on with {}", folder.display()))
}

/// How a run ended: an error when blocks failed and none was measured, and no answer when there was
/// nothing that could be measured.
pub(crate) fn code(outcome: &RunOutcome) -> Exit {
    if outcome.interrupted {
        Exit::Interrupted
    } else if outcome.failed > 0 && outcome.completed == 0 {
        Exit::Error
    } else if outcome.completed == 0 && outcome.skipped + outcome.disqualified > 0 {
        Exit::Undecided
    } else {
        Exit::Ok
    }
}

fn say(outcome: &RunOutcome, output: &Output) -> anyhow::Result<()> {
    let folder = outcome.folder.display();
    if output.format == Format::Json {
        return output.json(&serde_json::json!({
            "run": outcome.run,
            "folder": outcome.folder,
            "completed": outcome.completed,
            "failed": outcome.failed,
            "skipped": outcome.skipped,
            "disqualified": outcome.disqualified,
            "interrupted": outcome.interrupted,
        }));
    }
    output.line(&format!(
        "{folder}: {} blocks measured, {} failed, {} cells skipped, {} disqualified",
        outcome.completed, outcome.failed, outcome.skipped, outcome.disqualified
    ));
    if outcome.interrupted {
        output.note(&format!(
            "interrupted; go on with: ringside run --resume {folder}"
        ));
    }
    say_failures(outcome, output);
    Ok(())
}

/// Says that blocks failed and where their reasons are.
pub(crate) fn say_failures(outcome: &RunOutcome, output: &Output) {
    if outcome.failed > 0 {
        let folder = outcome.folder.display();
        output.line(&format!(
            "{} blocks failed; why is in {folder}/records.jsonl, what the servers said in {folder}/log",
            outcome.failed
        ));
    }
}

fn read_plan(path: &Path, session: &Session) -> anyhow::Result<Plan> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| UsageError(format!("failed to read {}: {error}", path.display())))?;
    let plan: Plan = serde_json::from_str(&text).map_err(|error| {
        let hint = "`ringside plan --format json` prints one";
        UsageError(format!("{} is no plan: {error}; {hint}", path.display()))
    })?;
    ringside_run::check_plan(&plan, &session.catalogue)
        .map_err(|because| UsageError(format!("{}: {because}", path.display())))?;
    Ok(plan)
}
