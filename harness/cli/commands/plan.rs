//! `ringside plan`: what a run would do, without doing it.

use std::collections::BTreeSet;
use std::time::Duration;

use ringside_contract::{Plan, Purpose, parse_duration};
use ringside_run::{PlanDefinition, PlanOptions};

use crate::args::{Format, Global, PlanArgs};
use crate::datasets;
use crate::exit::{Exit, UsageError};
use crate::output::Output;
use crate::session::Session;

/// Prints the plan.
pub(crate) fn plan(global: &Global, args: &PlanArgs, output: &Output) -> anyhow::Result<Exit> {
    let plan = make(global, args, &Session::open(global)?)?;
    if output.format == Format::Json {
        output.json(&plan)?;
        return Ok(Exit::Ok);
    }
    let mut rows = Vec::new();
    for group in &plan.groups {
        for cell in &group.cells {
            let second = if cell.replica > 0 {
                " (second copy)"
            } else {
                ""
            };
            rows.push(vec![
                group.scenario.to_string(),
                format!("{}{second}", cell.implementation),
                group.rounds.to_string(),
                format!("{} ms", group.timing.measure_ms),
                purposes(&cell.purposes),
            ]);
        }
    }
    output.table(
        &["scenario", "implementation", "rounds", "block", "for"],
        &rows,
    );
    output.line(&summary(&plan));
    if output.verbose {
        let rows: Vec<Vec<String>> = plan
            .omitted
            .iter()
            .map(|one| vec![one.what.clone(), one.because.clone()])
            .collect();
        output.table(&["left out", "because"], &rows);
    }
    Ok(Exit::Ok)
}

/// Makes the plan that the arguments ask for.
pub(crate) fn make(global: &Global, args: &PlanArgs, session: &Session) -> anyhow::Result<Plan> {
    let dataset = datasets::plan(global, &args.plan)?;
    let definition = PlanDefinition::parse(&dataset.name, &dataset.text, &session.catalogue)
        .map_err(|error| UsageError(error.to_string()))?;
    let options = PlanOptions {
        filter: global.filter.clone(),
        budget: args.budget.as_deref().map(budget).transpose()?,
        seed: args.seed,
    };
    let claims = datasets::claims(global, &BTreeSet::new())?;
    let plan = ringside_run::plan(
        &definition,
        &session.catalogue,
        &claims,
        &session.host,
        &options,
    )
    .map_err(|error| UsageError(format!("{}: {error}", dataset.name)))?;
    if plan.groups.is_empty() {
        return Err(nothing_left(&plan, global, args).into());
    }
    ringside_run::check_plan(&plan, &session.catalogue)
        .map_err(|because| UsageError(format!("{}: {because}", dataset.name)))?;
    Ok(plan)
}

/// Says which of the arguments, if any, left nothing.
fn nothing_left(plan: &Plan, global: &Global, args: &PlanArgs) -> UsageError {
    let mut with = Vec::new();
    if !global.filter.is_empty() {
        with.push(format!("--filter {}", global.filter.join(", ")));
    }
    if let Some(budget) = &args.budget {
        with.push(format!("--budget {budget}"));
    }
    let name = &plan.name;
    UsageError(if with.is_empty() {
        format!("plan {name} has no cell that can be planned here; give it a group with cells")
    } else {
        let with = with.join(" and ");
        format!("nothing is left of plan {name} with {with}; `ringside plan` shows its cells")
    })
}

/// How much it is and how long it takes.
pub(crate) fn summary(plan: &Plan) -> String {
    let cells: usize = plan.groups.iter().map(|group| group.cells.len()).sum();
    let blocks: usize = plan
        .groups
        .iter()
        .map(|group| group.cells.len() * group.rounds as usize)
        .sum();
    let (minutes, seconds) = (plan.estimated_s / 60, plan.estimated_s % 60);
    format!(
        "plan {}: {cells} cells in {} groups, {blocks} blocks, about {minutes} min {seconds:02} s; {} left out",
        plan.name,
        plan.groups.len(),
        plan.omitted.len()
    )
}

fn budget(text: &str) -> Result<Duration, UsageError> {
    parse_duration(text)
        .filter(|time| !time.is_zero())
        .ok_or_else(|| {
            UsageError(format!(
                "--budget {text}: expected a time such as 90s or 10m"
            ))
        })
}

fn purposes(purposes: &[Purpose]) -> String {
    let words: Vec<String> = purposes
        .iter()
        .map(|purpose| match purpose {
            Purpose::Ranking => "ranking".to_owned(),
            Purpose::Axis { axis } => format!("axis {axis}"),
            Purpose::Claim { id } => id.clone(),
            Purpose::Floor => "floor".to_owned(),
            Purpose::Peer => "peer".to_owned(),
            Purpose::SelfControl => "self-control".to_owned(),
        })
        .collect();
    words.join(", ")
}
