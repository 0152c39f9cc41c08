//! Claims, formulas and plans: those built into the binary, or those of `--datasets DIR`.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use ringside_contract::{Claim, Formula, Id};
use ringside_judge::Fairer;
use serde::Deserialize;

use crate::args::Global;
#[cfg(measures)]
use crate::catalogue;
use crate::exit::UsageError;
#[cfg(measures)]
use crate::names::Names;

/// A file of the datasets, with the name to use in messages.
#[derive(Debug, Clone)]
pub(crate) struct Dataset {
    /// Where it came from.
    pub(crate) name: String,
    /// Its content.
    pub(crate) text: String,
}

/// What claims name and is not built yet.
#[derive(Debug, Deserialize)]
pub(crate) struct Roadmap {
    /// Families that are still to come.
    pub(crate) families: Vec<String>,
    /// Families that are built in part.
    #[cfg_attr(
        not(measures),
        expect(dead_code, reason = "a build that cannot measure has no names")
    )]
    pub(crate) under_way: BTreeSet<String>,
}

/// The roadmap, which is built in.
pub(crate) fn roadmap() -> anyhow::Result<Roadmap> {
    toml::from_str(ROADMAP).context("datasets/roadmap.toml, as built in, cannot be read")
}

/// What is fair in the place of what documents name, which is built in.
pub(crate) fn fairer() -> anyhow::Result<Vec<Fairer>> {
    #[derive(Deserialize)]
    struct File {
        fairer: Vec<Fairer>,
    }
    let file: File =
        toml::from_str(FAIRER).context("datasets/fairer.toml, as built in, cannot be read")?;
    Ok(file.fairer)
}

const FAIRER: &str = include_str!("../../datasets/fairer.toml");
const ROADMAP: &str = include_str!("../../datasets/roadmap.toml");
const CLAIMS: &str = include_str!("../../datasets/claims.csv");
const FORMULAS: &str = include_str!("../../datasets/formulas.toml");
#[cfg(measures)]
const GATE: &str = include_str!("../../datasets/plans/gate.toml");
const GOALS: &str = include_str!("../../datasets/goals.csv");

/// The plans that have a name.
const PLANS: &[(&str, &str)] = &[
    ("smoke", include_str!("../../datasets/plans/smoke.toml")),
    ("quick", include_str!("../../datasets/plans/quick.toml")),
    ("full", include_str!("../../datasets/plans/full.toml")),
    ("goals", include_str!("../../datasets/plans/goals.toml")),
    ("cores", include_str!("../../datasets/plans/cores.toml")),
    ("self", include_str!("../../datasets/plans/self.toml")),
    ("soak", include_str!("../../datasets/plans/soak.toml")),
    ("hold", include_str!("../../datasets/plans/hold.toml")),
    ("million", include_str!("../../datasets/plans/million.toml")),
];

/// Every claim of the documents, then this project's own goals. A folder of one's own may have no
/// goals. Every implementation that they name exists, or is among `recorded`.
pub(crate) fn claims(global: &Global, recorded: &BTreeSet<Id>) -> anyhow::Result<Vec<Claim>> {
    #[cfg(measures)]
    let catalogue = catalogue::catalogue(global)?;
    #[cfg(measures)]
    let names = Names::new(&catalogue, recorded, &roadmap()?.under_way);
    #[cfg(measures)]
    let check = |claim: &Claim| names.check(claim);
    // A build that cannot measure knows no implementation.
    #[cfg(not(measures))]
    let (check, _) = (|_: &Claim| Ok(()), recorded);
    let tables = match &global.datasets {
        Some(folder) => {
            let goals = folder.join("goals.csv");
            let mut tables = vec![read(&folder.join("claims.csv"))?];
            if goals.exists() {
                tables.push(read(&goals)?);
            }
            tables
        }
        None => [("claims", CLAIMS), ("goals", GOALS)]
            .map(|(name, text)| Dataset {
                name: format!("datasets/{name}.csv"),
                text: text.to_owned(),
            })
            .to_vec(),
    };
    let mut claims: Vec<Claim> = Vec::new();
    for table in tables {
        let read = ringside_judge::read_claims_that(&table.text, &table.name, &check)
            .map_err(|error| UsageError(error.to_string()))?;
        if let Some(twice) = read
            .iter()
            .find(|claim| claims.iter().any(|known| known.id == claim.id))
        {
            return Err(UsageError(format!(
                "{}: the id `{}` stands in claims.csv already; give each claim a name of its own",
                table.name, twice.id
            ))
            .into());
        }
        claims.extend(read);
    }
    Ok(claims)
}

/// The formulas of the documents. A folder of one's own may have none.
pub(crate) fn formulas(global: &Global) -> anyhow::Result<Vec<Formula>> {
    let table = match &global.datasets {
        Some(folder) => {
            let path = folder.join("formulas.toml");
            if !path.exists() {
                return Ok(Vec::new());
            }
            read(&path)?
        }
        None => Dataset {
            name: "datasets/formulas.toml".to_owned(),
            text: FORMULAS.to_owned(),
        },
    };
    ringside_judge::read_formulas(&table.text, &table.name)
        .map_err(|error| UsageError(error.to_string()).into())
}

/// Names of the plans.
pub(crate) fn plan_names(global: &Global) -> anyhow::Result<Vec<String>> {
    let Some(folder) = &global.datasets else {
        return Ok(PLANS.iter().map(|(name, _)| (*name).to_owned()).collect());
    };
    let folder = folder.join("plans");
    let entries = std::fs::read_dir(&folder)
        .with_context(|| format!("failed to list the plans in {}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
        // What two builds are compared by has a form of its own.
        .filter(|name| name != "gate")
        .collect();
    names.sort();
    Ok(names)
}

/// What two builds are compared by: `file`, or else the one of the datasets.
#[cfg(measures)]
pub(crate) fn gate_plan(global: &Global, file: Option<&Path>) -> anyhow::Result<Dataset> {
    match (file, &global.datasets) {
        (Some(file), _) => read(file),
        (None, Some(folder)) => read(&folder.join("plans/gate.toml")),
        (None, None) => Ok(Dataset {
            name: "datasets/plans/gate.toml".to_owned(),
            text: GATE.to_owned(),
        }),
    }
}

/// The plan of that name, or of that file.
pub(crate) fn plan(global: &Global, name: &str) -> anyhow::Result<Dataset> {
    if name.ends_with(".toml") || name.contains('/') {
        return read(Path::new(name));
    }
    let names = plan_names(global)?;
    if !names.iter().any(|known| known == name) {
        let known = names.join(", ");
        return Err(UsageError(format!(
            "there is no plan `{name}`; there are {known}, or give a file such as ./mine.toml"
        ))
        .into());
    }
    match &global.datasets {
        Some(folder) => read(&folder.join("plans").join(format!("{name}.toml"))),
        None => {
            let (_, text) = PLANS
                .iter()
                .find(|(known, _)| *known == name)
                .expect("looked up above");
            Ok(Dataset {
                name: format!("datasets/plans/{name}.toml"),
                text: (*text).to_owned(),
            })
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Dataset> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| UsageError(format!("failed to read {}: {error}", path.display())))?;
    Ok(Dataset {
        name: path.display().to_string(),
        text,
    })
}
