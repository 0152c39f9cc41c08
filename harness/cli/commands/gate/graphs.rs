//! Where a confirmed regression spends its time: flame graphs of both builds, coloured by what changed. They are taken
//! behind all measurements, explain a verdict and have no part in it.

use std::path::Path;

use anyhow::{Context, bail};
use ringside_contract::{GateRow, ProfiledSide};
use ringside_judge::GateMetric;
use ringside_profile::Profiler;

use super::measure::{Comparison, Conditions, Contender};
use crate::commands::profile::attached::folder_name;
use crate::commands::profile::bench::{Bench, Profiled};
use crate::commands::profile::drawing::Compared;
use crate::session::Session;

/// The folder of all graphs, in that of the gate.
const GRAPHS: &str = "graphs";
/// Seconds that each build is watched by each profiler.
const SECONDS: u64 = 6;

/// Draws what changed in a slower build into a folder of its own below `folder`, and adds the graphs to `row` by their
/// names in `folder`, the one of head first. What was drawn before an error stays.
///
/// # Errors
/// `perf` is missing or refused, or a server could not be started or loaded.
pub(super) fn draw(
    conditions: &Conditions<'_>,
    comparison: &Comparison<'_>,
    row: &mut GateRow,
    folder: &Path,
) -> anyhow::Result<()> {
    let session = conditions.session;
    let (scenario, params) = session.catalogue.scenario(&row.scenario)?;
    let own = own_folder(row);
    let graphs = folder.join(&own);
    std::fs::create_dir_all(&graphs)
        .with_context(|| format!("failed to create {}", graphs.display()))?;
    let tmp = tempfile::tempdir().context("failed to make a temporary folder")?;
    let bench = Bench {
        session,
        scenario: &comparison.cell.scenario,
        plan: &scenario.load(&params)?,
        root: &comparison.root,
        confinement: scenario.confinement(&params),
        side: ProfiledSide::Server,
        seconds: SECONDS,
        seed: conditions.seed,
        tmp: tmp.path(),
    };
    let base = profiled("base", &comparison.base, row, session)?;
    let head = profiled("head", &comparison.head, row, session)?;
    let mut drawn = Vec::new();
    let outcome = compare(&bench, profilers(row), [&base, &head], &graphs, &mut drawn);
    row.graphs
        .extend(drawn.iter().map(|file| format!("{own}/{file}")));
    if drawn.is_empty() {
        // Only empty folders go.
        let _ = std::fs::remove_dir(&graphs);
        let _ = std::fs::remove_dir(folder.join(GRAPHS));
    }
    outcome
}

/// Adds the names of the graphs to `drawn`.
fn compare(
    bench: &Bench<'_>,
    profilers: &[Profiler],
    servers: [&Profiled<'_>; 2],
    graphs: &Path,
    drawn: &mut Vec<String>,
) -> anyhow::Result<()> {
    for &profiler in profilers {
        match bench.compare(profiler, servers, graphs)? {
            Compared::Drawn(change) => {
                let both = [change.graph_after, change.graph_before];
                let files = both.iter().filter_map(|path| path.file_name());
                drawn.extend(files.map(|file| file.display().to_string()));
            }
            Compared::Empty(name) => bail!("not one sample was taken of {name}"),
            Compared::Interrupted => break,
        }
    }
    Ok(())
}

fn profiled<'a>(
    name: &'a str,
    contender: &'a Contender<'a>,
    row: &GateRow,
    session: &'a Session,
) -> anyhow::Result<Profiled<'a>> {
    Ok(Profiled {
        name,
        executable: contender.side.executable(),
        subject: contender.side.subject(&row.implementation, session)?,
        sample: None,
    })
}

/// Where processor time did not grow, the build waits, and only a graph of waiting shows where.
fn profilers(row: &GateRow) -> &'static [Profiler] {
    let leading = row.changes.first().map(|change| change.metric.as_str());
    if leading == Some(GateMetric::ProcessorTime.name()) {
        &[Profiler::OnProcessor]
    } else {
        &[Profiler::OnProcessor, Profiler::OffProcessor]
    }
}

fn own_folder(row: &GateRow) -> String {
    format!(
        "{GRAPHS}/{}",
        folder_name(&row.implementation, &row.scenario)
    )
}
