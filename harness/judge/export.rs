//! Records as CSV, for a spreadsheet: one line a block, the unit of each column in its header.

use ringside_contract::{Limit, RunRecord, Status};

use crate::metrics::metrics;

/// Columns before the metrics.
const COLUMNS: [&str; 15] = [
    "run",
    "recorded_at (s since 1970)",
    "scenario",
    "implementation",
    "group",
    "round",
    "position",
    "replica",
    "state",
    "reason",
    "limited_by",
    "operations (count)",
    "errors (count)",
    "steal (share)",
    "pressure (share)",
];

/// The records as CSV. Fields that were not measured are empty, never 0.
pub fn csv_export(records: &[RunRecord]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let units = metrics()
        .iter()
        .map(|metric| format!("{} ({})", metric.name, metric.unit));
    let header = COLUMNS
        .iter()
        .map(|column| (*column).to_owned())
        .chain(units);
    let mut write = |fields: Vec<String>| {
        writer
            .write_record(fields)
            .expect("every line has the fields of the header, and memory takes all");
    };
    write(header.collect());
    for record in records {
        write(fields(record));
    }
    let bytes = writer.into_inner().expect("memory can always be flushed");
    String::from_utf8(bytes).expect("fields are text, and the writer adds only ASCII")
}

fn fields(record: &RunRecord) -> Vec<String> {
    let measures = record.measures.as_ref();
    let (state, reason) = match &record.status {
        Status::Completed => ("completed", ""),
        Status::Failed { because, .. } => ("failed", because.as_str()),
        Status::Skipped { reason } => ("skipped", reason.as_str()),
        Status::Disqualified { because, .. } => ("disqualified", because.as_str()),
    };
    let limited_by = measures
        .and_then(|measures| measures.limited_by)
        .map_or("", |limit| match limit {
            Limit::Server => "server",
            Limit::Generator => "generator",
            Limit::Neither => "neither",
        });
    let number = |number: Option<String>| number.unwrap_or_default();
    let mut fields = vec![
        record.run.clone(),
        record.recorded_at.to_string(),
        record.scenario.to_string(),
        record.implementation.to_string(),
        record.group.to_string(),
        record.round.to_string(),
        record.position.to_string(),
        record.replica.to_string(),
        state.to_owned(),
        reason.to_owned(),
        limited_by.to_owned(),
        number(measures.map(|m| m.operations.to_string())),
        number(measures.map(|m| (m.errors + m.corrupt + m.timeouts).to_string())),
        number(measures.map(|m| m.system.steal_share.to_string())),
        number(
            measures
                .and_then(|m| m.system.pressure_cpu)
                .map(|share| share.to_string()),
        ),
    ];
    fields.extend(metrics().iter().map(|metric| {
        number(
            measures
                .and_then(|measures| metric.figure(measures))
                .map(|figure| figure.to_string()),
        )
    }));
    fields
}
