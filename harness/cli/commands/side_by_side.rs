//! `ringside compare` of two runs: their figures beside each other, for reading and not for verdicts.

use std::path::Path;

use anyhow::Context;
use ringside_contract::{ImplementationSpec, Interval};
use ringside_judge::read_records;

use crate::args::Format;
use crate::commands::compare::METRICS;
use crate::exit::Exit;
use crate::output::Output;

/// Prints what differs between the runs, and their figures.
pub(crate) fn compare_runs(folders: [&Path; 2], output: &Output) -> anyhow::Result<Exit> {
    let mut read = Vec::new();
    for folder in folders {
        let path = folder.join("records.jsonl");
        read.push(
            read_records(&path)
                .with_context(|| format!("failed to compare {}", folder.display()))?,
        );
    }
    let comparison = ringside_judge::compare_runs(&read[0], &read[1]);
    if output.format == Format::Json {
        output.json(&comparison)?;
        return Ok(Exit::Ok);
    }
    output.line(&format!(
        "{} and {}: {}",
        comparison.first_run, comparison.second_run, comparison.label
    ));
    for difference in &comparison.differences {
        output.line(&format!("- {difference}"));
    }
    let figure = |interval: &Option<Interval>| {
        interval.map_or("-".to_owned(), |one| format!("{:.4}", one.point))
    };
    let rows: Vec<Vec<String>> = comparison
        .cells
        .iter()
        .filter(|cell| output.verbose || METRICS.contains(&cell.metric.as_str()))
        .map(|cell| {
            vec![
                cell.scenario.to_string(),
                cell.implementation.to_string(),
                format!("{} ({})", cell.metric, cell.unit),
                figure(&cell.first),
                figure(&cell.second),
                cell.ratio
                    .map_or("-".to_owned(), |ratio| format!("{ratio:.3}")),
            ]
        })
        .collect();
    output.table(
        &[
            "scenario",
            "implementation",
            "metric",
            "first",
            "second",
            "ratio",
        ],
        &rows,
    );
    Ok(Exit::Ok)
}

/// The name that is meant as the folder of a run and is none: the other one is a run, or it is a path.
pub(crate) fn lost_run(folders: [&Path; 2]) -> Option<&Path> {
    let is_run = |folder: &Path| folder.join("records.jsonl").exists();
    let other_is_run = |index: usize| is_run(folders[1 - index]);
    let is_path = |folder: &Path| {
        let id = folder.to_str().map(str::parse::<ImplementationSpec>);
        folder.is_dir() || (folder.components().count() > 1 && !matches!(id, Some(Ok(_))))
    };
    [0, 1]
        .into_iter()
        .filter(|&index| !is_run(folders[index]))
        .find(|&index| other_is_run(index) || is_path(folders[index]))
        .map(|index| folders[index])
}
