//! `ringside list`: everything that has an id.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::args::{Format, Global, Kind, ListArgs};
use crate::exit::{Exit, UsageError};
use crate::output::Output;
use crate::{catalogue, datasets};

/// One thing that has an id.
#[derive(Debug, Serialize)]
struct Entry {
    /// `implementation`, `scenario`, `claim`, `goal`, `plan` or `program`.
    kind: &'static str,
    id: String,
    about: String,
    /// What can vary: axes or parameters, with their values or kinds; the default comes first.
    varies: Vec<String>,
    /// Whether it runs here: `yes`, or why not. Absent where the question has no meaning.
    #[serde(skip_serializing_if = "Option::is_none")]
    here: Option<String>,
}

impl Entry {
    /// What a filter looks at: of a claim its scenario and its candidate too, as `judge` does.
    fn names(&self) -> String {
        match self.kind {
            "claim" | "goal" => format!("{} {}", self.id, self.varies.join(" ")),
            _ => self.id.clone(),
        }
    }
}

/// Prints the entries.
pub(crate) fn list(global: &Global, args: &ListArgs, output: &Output) -> anyhow::Result<Exit> {
    let wanted = |kind| args.kind == kind || (args.kind == Kind::All && kind != Kind::Claims);
    let mut entries = Vec::new();
    if wanted(Kind::Implementations) || wanted(Kind::Programs) {
        entries.extend(implementations(global)?.into_iter().filter(|entry| {
            wanted(if entry.kind == "program" {
                Kind::Programs
            } else {
                Kind::Implementations
            })
        }));
    }
    if wanted(Kind::Scenarios) {
        entries.extend(
            catalogue::scenarios()
                .iter()
                .map(|scenario| scenario_entry(*scenario)),
        );
    }
    if wanted(Kind::Claims) {
        entries.extend(
            datasets::claims(global, &BTreeSet::new())?
                .into_iter()
                .map(|claim| Entry {
                    kind: if claim.is_goal() { "goal" } else { "claim" },
                    varies: vec![claim.scenario.to_string(), claim.candidate.to_string()],
                    id: claim.id,
                    about: claim.statement,
                    here: None,
                }),
        );
    }
    if wanted(Kind::Plans) {
        for name in datasets::plan_names(global)? {
            entries.push(plan_entry(global, name)?);
        }
    }
    entries.retain(|entry| matches(&global.filter, &entry.names()));
    print(output, &entries)?;
    Ok(Exit::Ok)
}

/// True when a name passes the filters: no filter, or one of them is part of it.
pub(crate) fn matches(filters: &[String], name: &str) -> bool {
    filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()))
}

fn print(output: &Output, entries: &[Entry]) -> anyhow::Result<()> {
    if output.format == Format::Json {
        return output.json(&entries);
    }
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let here = entry.here.as_deref().filter(|here| *here != "yes");
            let about = here.map_or_else(
                || entry.about.clone(),
                |why| format!("{} (not here: {why})", entry.about),
            );
            vec![
                entry.kind.to_owned(),
                entry.id.clone(),
                about,
                entry.varies.join("; "),
            ]
        })
        .collect();
    output.table(&["kind", "id", "about", "varies"], &rows);
    Ok(())
}

#[cfg(measures)]
fn implementations(global: &Global) -> anyhow::Result<Vec<Entry>> {
    use ringside_contract::{Settings, Support};

    let host = ringside_metal::host::probe();
    let entry = |candidate: ringside_run::Candidate<'_>| {
        let meta = candidate.meta();
        let axes = meta.resolve(&Settings::default()).unwrap_or_default();
        let varies = meta.axes.iter().map(|axis| {
            let others = axis.values.iter().filter(|value| **value != axis.default);
            let values: Vec<&str> = std::iter::once(axis.default)
                .chain(others.copied())
                .collect();
            format!("{}={}", axis.name, values.join("|"))
        });
        Entry {
            kind: if candidate.manifest().is_some() {
                "program"
            } else {
                "implementation"
            },
            id: meta.id.to_owned(),
            about: meta.about.to_owned(),
            varies: varies.collect(),
            here: Some(match candidate.support(&host, &axes) {
                Support::Yes => "yes".to_owned(),
                Support::No { reason } => reason,
            }),
        }
    };
    Ok(catalogue::catalogue(global)?
        .candidates()
        .map(entry)
        .collect())
}

/// A build that cannot measure has none.
#[cfg(not(measures))]
fn implementations(_: &Global) -> anyhow::Result<Vec<Entry>> {
    Ok(Vec::new())
}

fn scenario_entry(scenario: &dyn ringside_contract::Scenario) -> Entry {
    let meta = scenario.meta();
    let parameter = |one: &ringside_contract::Parameter| format!("{}={}", one.name, one.default);
    Entry {
        kind: "scenario",
        id: meta.id.to_owned(),
        about: meta.question.to_owned(),
        varies: meta.parameters().into_iter().map(parameter).collect(),
        here: None,
    }
}

fn plan_entry(global: &Global, name: String) -> anyhow::Result<Entry> {
    /// What `list` reads of a plan: the rest is checked when it is planned.
    #[derive(Deserialize)]
    struct Purpose {
        about: String,
    }
    let plan = datasets::plan(global, &name)?;
    let purpose: Purpose = toml::from_str(&plan.text)
        .map_err(|error| UsageError(format!("{} is no plan: {error}", plan.name)))?;
    Ok(Entry {
        kind: "plan",
        about: purpose.about,
        id: name,
        varies: Vec::new(),
        here: None,
    })
}
