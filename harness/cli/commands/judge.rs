//! `ringside judge`: from the records of a run to verdicts.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context;
use ringside_contract::{Id, Judgement, Plan, Role, SCHEMA, Verdict, Verdicts};
use ringside_judge::{Families, JudgeInput, Records, RecordsError, ScenarioInfo};

use crate::args::{Format, Global, JudgeArgs};
use crate::commands::list::matches;
use crate::exit::Exit;
use crate::output::Output;
use crate::{catalogue, datasets, files};

/// Judges, writes `verdicts.json` into the run's folder, and prints a summary.
pub(crate) fn judge(global: &Global, args: &JudgeArgs, output: &Output) -> anyhow::Result<Exit> {
    let verdicts = judge_run(global, &args.run, output)?;
    match output.format {
        Format::Json => output.json(&verdicts)?,
        Format::Human | Format::Md => output.summary(&verdicts),
    }
    Ok(if args.strict {
        strict(&verdicts.judgements)
    } else {
        Exit::Ok
    })
}

/// Judges the records in `folder` and writes `verdicts.json` beside them.
pub(crate) fn judge_run(
    global: &Global,
    folder: &Path,
    output: &Output,
) -> anyhow::Result<Verdicts> {
    let records = ringside_judge::read_records(&folder.join("records.jsonl"))
        .map_err(|error| no_run(error, folder))?;
    for warning in &records.warnings {
        output.warn(warning);
    }
    let plan = read_plan(&folder.join("plan.json"))?;
    let recorded = recorded(&records);
    let claims = datasets::claims(global, &recorded)?
        .into_iter()
        .filter(|claim| {
            let names = format!("{} {} {}", claim.id, claim.scenario, claim.candidate);
            matches(&global.filter, &names)
        })
        .collect::<Vec<_>>();
    let verdicts = ringside_judge::judge(&JudgeInput {
        records: &records,
        plan: plan.as_ref(),
        claims: &claims,
        formulas: &datasets::formulas(global)?,
        fairer: &datasets::fairer()?,
        scenarios: &scenarios(),
        implementations: &implementations(global, &recorded)?,
        families: &families()?,
        repeat: &repeat(&records, plan.as_ref()),
    });
    let path = folder.join("verdicts.json");
    files::write_whole(&path, &serde_json::to_vec(&verdicts)?)?;
    Ok(verdicts)
}

/// Says that there is no run where there are no records; records that cannot be read are another matter.
fn no_run(error: RecordsError, folder: &Path) -> anyhow::Error {
    let kind = match &error {
        RecordsError::Io { source, .. } => Some(source.kind()),
        _ => None,
    };
    let shown = folder.display();
    let error = anyhow::Error::new(error);
    match kind {
        Some(ErrorKind::NotFound) => error.context(format!(
            "there is no run to judge in {shown}; `ringside run` makes one"
        )),
        Some(ErrorKind::NotADirectory) => error.context(format!(
            "{shown} is no folder; give the folder of a run, such as reports/latest"
        )),
        _ => error,
    }
}

/// 4 when a promise or a goal is missed, else 5 when one is not decided, else 0. Those that this host or
/// this plan cannot decide count for neither.
pub(crate) fn strict(judgements: &[Judgement]) -> Exit {
    let promises = || {
        judgements
            .iter()
            .filter(|judgement| judgement.claim.role == Role::Promise)
    };
    if promises().any(|promise| matches!(promise.verdict, Verdict::Missed { .. })) {
        Exit::Missed
    } else if promises().any(|promise| {
        matches!(
            promise.verdict,
            Verdict::Undecided { .. } | Verdict::Disqualified { .. }
        )
    }) {
        Exit::Undecided
    } else {
        Exit::Ok
    }
}

fn read_plan(path: &Path) -> anyhow::Result<Option<Plan>> {
    match std::fs::read(path) {
        Ok(bytes) => {
            let remedy = "judge the run with the version of ringside that wrote it";
            Ok(Some(files::of_schema(SCHEMA, &bytes, path, remedy)?))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read {}", path.display())),
    }
}

fn scenarios() -> Vec<ScenarioInfo> {
    catalogue::scenarios()
        .iter()
        .map(|scenario| ScenarioInfo::from(scenario.meta()))
        .collect()
}

/// The implementations that exist: those built in and given, and those that the records name.
fn implementations(global: &Global, recorded: &BTreeSet<Id>) -> anyhow::Result<Vec<Id>> {
    let known: BTreeSet<Id> = catalogue::ids(global)?
        .into_iter()
        .chain(recorded.iter().cloned())
        .collect();
    Ok(known.into_iter().collect())
}

fn recorded(records: &Records) -> BTreeSet<Id> {
    let ids = records
        .records
        .iter()
        .map(|record| &record.implementation.id);
    ids.cloned().collect()
}

fn families() -> anyhow::Result<Families> {
    let roadmap = datasets::roadmap()?;
    let built: BTreeSet<String> = catalogue::scenarios()
        .iter()
        .map(|scenario| scenario.meta().id().family)
        .collect();
    Ok(Families {
        built: built.into_iter().collect(),
        roadmap: roadmap.families,
    })
}

/// The commands that repeat the run.
fn repeat(records: &Records, plan: Option<&Plan>) -> Vec<String> {
    let mut commands = Vec::new();
    if let Some(record) = records.records.first() {
        let commit = record.build.commit.trim_end_matches("-dirty");
        if record.build.commit.ends_with("-dirty") {
            commands.push(format!(
                "git checkout {commit}  # built from a tree with changes on top of it"
            ));
        } else if commit != "unknown" {
            commands.push(format!("git checkout {commit}"));
        }
    }
    if let Some(compare) = plan.and_then(compare_command) {
        commands.push(compare);
    } else if let Some(plan) = plan {
        commands.push(format!(
            "cargo bench-all --plan {} --seed {}",
            plan.name, plan.seed
        ));
    }
    commands
}

/// The command behind the plan of a comparison.
fn compare_command(plan: &Plan) -> Option<String> {
    let group = plan.groups.first().filter(|_| plan.name == "compare")?;
    let [first, second] = group.cells.as_slice() else {
        return None;
    };
    Some(format!(
        "ringside compare '{}' '{}' --scenario '{}' --rounds {} --measure {}ms --seed {}",
        first.implementation,
        second.implementation,
        group.scenario,
        group.rounds,
        group.timing.measure_ms,
        plan.seed
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringside_judge::read_claims;

    fn check(role: &str, verdict: Verdict, expected: Exit) {
        let header = "id,seed,section,role,scenario,params,metric,unit,baseline,candidate,kind,low,high,needs,statement";
        let line = format!(
            "one,seed,1,{role},echo/small,,throughput,op/s,,echo/epoll,at_least,1,,,it is fast"
        );
        let claim = read_claims(&format!("{header}\n{line}\n"), "claims.csv")
            .unwrap()
            .remove(0);
        let judgement = Judgement {
            claim,
            verdict,
            measured: None,
            notes: Vec::new(),
        };
        assert_eq!(strict(&[judgement]), expected);
    }

    #[test]
    fn strict_ends_by_the_worst_promise() {
        check(
            "promise",
            Verdict::Met {
                margin: 0.1,
                exceeds: false,
            },
            Exit::Ok,
        );
        check("promise", Verdict::Missed { shortfall: 0.1 }, Exit::Missed);
        check(
            "promise",
            Verdict::Undecided {
                because: String::new(),
            },
            Exit::Undecided,
        );
        check(
            "promise",
            Verdict::NotHere {
                needs: String::new(),
            },
            Exit::Ok,
        );
        check("limit", Verdict::Missed { shortfall: 0.1 }, Exit::Ok);
    }
}
