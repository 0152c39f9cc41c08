//! What a gate leaves behind: rows, files, a summary for CI, and a code.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use ringside_contract::{CountedChange, GATE_SCHEMA, GateReport, GateRow, GateVerdict, NotCounted};
use ringside_judge::{GateRule, changes, confirm, overall, served_changes, with_counted};
use ringside_run::GateCell;

use super::measure::Measured;
use super::sides::Sides;
use crate::args::Format;
use crate::exit::Exit;
use crate::files::write_whole;
use crate::output::Output;
use crate::session::Session;

/// All that is known beside the rows.
pub(super) struct Outcome<'a> {
    /// When the gate began, in seconds since 1970.
    pub(super) began_at: u64,
    pub(super) sides: &'a Sides,
    pub(super) session: &'a Session,
    /// The folder of this gate.
    pub(super) folder: PathBuf,
}

/// Where a CI names the file of a job's summary.
const SUMMARY_VARIABLE: &str = "GITHUB_STEP_SUMMARY";

impl Outcome<'_> {
    /// Writes and prints the report.
    pub(super) fn end(
        &self,
        cells: Vec<Compared>,
        counted: Vec<CountedChange>,
        output: &Output,
    ) -> anyhow::Result<Exit> {
        let broken = cells.iter().any(|cell| cell.broken);
        let warnings = cells.iter().filter_map(|cell| cell.warning.clone());
        let warnings = [self.sides.warnings.clone(), warnings.collect()].concat();
        let rows = cells.into_iter().map(|cell| cell.row).collect();
        let report = self.report(rows, counted, warnings);
        self.write(&report)?;
        output.gate(&report)?;
        if let Some(path) = std::env::var_os(SUMMARY_VARIABLE).filter(|path| !path.is_empty()) {
            append_summary(Path::new(&path), &report, output);
        }
        if output.format == Format::Human {
            let page = self.folder.join("index.html");
            output.line(&format!("\nreport: {}", page.display()));
        }
        Ok(if self.session.stop.is_set() {
            output.note("interrupted; what was measured until then is kept");
            Exit::Interrupted
        } else {
            code(&report.verdict, broken)
        })
    }

    fn report(
        &self,
        rows: Vec<GateRow>,
        counted: Vec<CountedChange>,
        warnings: Vec<String>,
    ) -> GateReport {
        let verdicts: Vec<GateVerdict> = rows.iter().map(|row| row.verdict.clone()).collect();
        let Sides {
            base,
            head,
            differences,
            ..
        } = self.sides;
        GateReport {
            schema: GATE_SCHEMA,
            began_at: self.began_at,
            base: base.about.clone(),
            head: head.about.clone(),
            differences: differences.clone(),
            host: self.session.host.clone(),
            placement: self.session.placement.clone(),
            verdict: with_counted(overall(&verdicts), &counted),
            rows,
            counted,
            warnings,
        }
    }

    fn write(&self, report: &GateReport) -> anyhow::Result<()> {
        let page = ringside_reports::gate_page(report);
        let json = serde_json::to_vec_pretty(report)?;
        write_whole(&self.folder.join("report.json"), &json)?;
        write_whole(&self.folder.join("index.html"), page.as_bytes())
    }
}

/// What became of a cell.
pub(super) struct Compared {
    pub(super) row: GateRow,
    /// A build does not serve it as it should.
    pub(super) broken: bool,
    /// What its servers were counted at.
    pub(super) counted: Vec<CountedChange>,
    /// What they could not be counted at, and why.
    pub(super) uncounted: Vec<NotCounted>,
    /// What a reader should know besides.
    pub(super) warning: Option<String>,
}

impl Compared {
    /// Nothing was measured: base does not have it or is no measure, or head does not serve it as it should.
    pub(super) fn unmeasured(cell: &GateCell, verdict: GateVerdict) -> Self {
        Self {
            broken: matches!(verdict, GateVerdict::Undecided { .. }),
            row: GateRow {
                scenario: cell.scenario.clone(),
                implementation: cell.implementation.clone(),
                threshold: cell.threshold,
                verdict,
                changes: Vec::new(),
                confirming: Vec::new(),
                wall_s: 0.0,
                graphs: Vec::new(),
            },
            counted: Vec::new(),
            uncounted: Vec::new(),
            warning: None,
        }
    }
}

/// What the measurements of a cell say.
pub(super) fn compared(
    cell: &GateCell,
    rule: &GateRule,
    first: &Measured,
    second: Option<&Measured>,
) -> Compared {
    let decision = |measured: &Measured| measured.decision.clone();
    let changed = |measured: &Measured| changes(rule, &measured.effects, measured.look_index);
    let took = first.took + second.map_or_else(Default::default, |second| second.took);
    let row = GateRow {
        scenario: cell.scenario.clone(),
        implementation: cell.implementation.clone(),
        threshold: cell.threshold,
        verdict: confirm(decision(first), second.map(decision)),
        changes: changed(first),
        confirming: second.map_or_else(Vec::new, changed),
        wall_s: took.as_secs_f64(),
        graphs: Vec::new(),
    };
    let name = format!("{} in {}", cell.implementation, cell.scenario);
    Compared {
        row,
        broken: first.is_broken() || second.is_some_and(Measured::is_broken),
        counted: served_changes(&name, &first.counts, cell.threshold),
        uncounted: first.uncounted.clone(),
        warning: None,
    }
}

/// A build that could not be measured is an error, as what it does not do cannot pass; a regression that was
/// found outweighs it.
fn code(verdict: &GateVerdict, broken: bool) -> Exit {
    match verdict {
        GateVerdict::Regression => Exit::Regression,
        _ if broken => Exit::Error,
        GateVerdict::Pass => Exit::Ok,
        GateVerdict::Undecided { .. } | GateVerdict::New { .. } => Exit::Undecided,
    }
}

/// The summary is a convenience: where it cannot be written, the verdict stands all the same.
fn append_summary(path: &Path, report: &GateReport, output: &Output) {
    let text = ringside_reports::gate_markdown(report);
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| writeln!(file, "{text}"));
    if let Err(error) = written {
        output.warn(&format!(
            "failed to append the summary to {} ({SUMMARY_VARIABLE}): {error}",
            path.display()
        ));
    }
}
