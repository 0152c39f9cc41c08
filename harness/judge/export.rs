//! Records as CSV, for a spreadsheet: one line a block, the unit of each column in its header.

use ringside_contract::{Limit, Measures, RunRecord, Side, Status};

use crate::metrics::metrics;

/// A column: its header, and the text of its field. What was not measured is empty, never 0.
type Column = (&'static str, fn(&RunRecord) -> String);

/// Columns before the metrics: which block it is, how it ended, how far to trust it, and what is needed
/// to repeat it.
const COLUMNS: &[Column] = &[
    ("run", |r| r.run.clone()),
    ("recorded_at (s since 1970)", |r| r.recorded_at.to_string()),
    ("commit", |r| r.build.commit.clone()),
    ("seed", |r| r.seed.to_string()),
    ("scenario", |r| r.scenario.to_string()),
    ("implementation", |r| r.implementation.to_string()),
    ("group", |r| r.group.to_string()),
    ("round", |r| r.round.to_string()),
    ("position", |r| r.position.to_string()),
    ("replica", |r| r.replica.to_string()),
    ("server_cpus", |r| spaced(&r.placement.server_cpus)),
    ("generator_cpus", |r| spaced(&r.placement.generator_cpus)),
    ("core_shared", |r| r.placement.shared.to_string()),
    ("state", |r| state(r).0.to_owned()),
    ("reason", |r| state(r).1.to_owned()),
    ("limited_by", |r| measured(r, limited_by)),
    ("operations (count)", |r| number(r, |m| m.operations)),
    ("errors (count)", |r| number(r, |m| m.errors)),
    ("corrupt (count)", |r| number(r, |m| m.corrupt)),
    ("timeouts (count)", |r| number(r, |m| m.timeouts)),
    ("server_cores_busy (cores)", |r| side(r, |s| s.cores_busy)),
    ("server_cores (cores)", |r| side(r, |s| s.cores)),
    ("generator_cores_busy (cores)", |r| {
        number(r, |m| m.generator.cores_busy)
    }),
    ("generator_cores (cores)", |r| {
        number(r, |m| m.generator.cores)
    }),
    // In the order of the processors of the machine, with spaces between.
    ("cpu_busy (share of each processor)", |r| {
        measured(r, |m| Some(spaced(&m.system.cpu_busy)))
    }),
    ("interrupts (count)", |r| number(r, |m| m.system.interrupts)),
    ("tcp_retransmits (segments)", |r| {
        number(r, |m| m.system.tcp_retransmits)
    }),
    ("softirq (share)", |r| number(r, |m| m.system.softirq_share)),
    ("steal (share)", |r| number(r, |m| m.system.steal_share)),
    ("pressure (share)", |r| {
        measured(r, |m| m.system.pressure_cpu.map(|share| share.to_string()))
    }),
];

/// The records as CSV. Fields that were not measured are empty, never 0.
pub fn csv_export(records: &[RunRecord]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |fields: Vec<String>| {
        writer
            .write_record(fields)
            .expect("every line has the fields of the header, and memory takes all");
    };
    let own = COLUMNS.iter().map(|(header, _)| (*header).to_owned());
    let units = metrics()
        .iter()
        .map(|metric| format!("{} ({})", metric.name, metric.unit));
    write(own.chain(units).collect());
    for record in records {
        let own = COLUMNS.iter().map(|(_, field)| field(record));
        let figures = metrics().iter().map(|metric| {
            measured(record, |m| {
                metric.figure(m).map(|figure| figure.to_string())
            })
        });
        write(own.chain(figures).collect());
    }
    let bytes = writer.into_inner().expect("memory can always be flushed");
    String::from_utf8(bytes).expect("fields are text, and the writer adds only ASCII")
}

/// A field of the measures; empty without them, or where they lack it.
fn measured(record: &RunRecord, field: impl Fn(&Measures) -> Option<String>) -> String {
    record.measures.as_ref().and_then(field).unwrap_or_default()
}

fn number<T: ToString>(record: &RunRecord, field: impl Fn(&Measures) -> T) -> String {
    measured(record, |measures| Some(field(measures).to_string()))
}

/// A figure of the server's side, whose processes cannot always be watched.
fn side(record: &RunRecord, field: impl Fn(&Side) -> f64) -> String {
    measured(record, |measures| {
        measures.server.as_ref().map(|side| field(side).to_string())
    })
}

fn state(record: &RunRecord) -> (&'static str, &str) {
    match &record.status {
        // What failed tests of quality was measured all the same.
        Status::Completed => (
            "completed",
            record.quality_fault.as_deref().unwrap_or_default(),
        ),
        Status::Failed { because, .. } => ("failed", because),
        Status::Skipped { reason } => ("skipped", reason),
        Status::Disqualified { because, .. } => ("disqualified", because),
    }
}

fn limited_by(measures: &Measures) -> Option<String> {
    let word = match measures.limited_by? {
        Limit::Server => "server",
        Limit::Generator => "generator",
        Limit::Neither => "neither",
    };
    Some(word.to_owned())
}

/// Spaces, as a comma would make the field look like several.
fn spaced(values: &[impl ToString]) -> String {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    texts.join(" ")
}
