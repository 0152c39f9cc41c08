//! The full table of a scenario: every figure with its spread.

use maud::{Markup, html};
use ringside_contract::{CellSummary, MetricSummary};

use crate::chart::key;
use crate::format::figure;
use crate::view::{ScenarioView, limit_word, metric_words, short};

/// Metrics of every table, with the heads of their columns.
const COLUMNS: [(&str, &str); 15] = [
    ("throughput", "throughput"),
    ("bandwidth", "bandwidth"),
    ("latency_p50", "P50"),
    ("latency_p90", "P90"),
    ("latency_p99", "P99"),
    ("latency_p999", "P99.9"),
    ("latency_max", "max"),
    ("cpu_per_op", "server CPU an op"),
    ("generator_cpu_per_op", "generator CPU an op"),
    ("cpu_per_gb", "server CPU a GB"),
    ("peak_memory", "peak RSS"),
    ("memory_per_connection", "memory a connection"),
    ("syscalls_per_op", "syscalls an op"),
    ("context_switches_per_op", "context switches an op"),
    ("error_rate", "errors"),
];

/// The columns that have a figure, then what limited each cell and how often it was measured.
pub(super) fn full_table(view: &ScenarioView<'_>) -> Markup {
    let columns = columns(view);
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "All figures of " (view.spec.to_string()) } {
            table.full {
                thead { tr {
                    th scope="col" { "implementation" }
                    @for (_, head) in &columns { th scope="col" { (head) } }
                    th scope="col" { "limited by" }
                    th scope="col" { "rounds" }
                } }
                tbody { @for cell in &view.cells { (row(view, cell, &columns)) } }
            }
        }
    }
}

fn columns(view: &ScenarioView<'_>) -> Vec<(String, String)> {
    let figures = |metric: &str| {
        let of_cells = view
            .cells
            .iter()
            .filter_map(|cell| cell.metrics.get(metric));
        of_cells
            .map(|metric| metric.interval.point)
            .collect::<Vec<_>>()
    };
    let has = |metric: &str| match metric {
        "bandwidth" => moves_bytes(view) && !figures(metric).is_empty(),
        // A column of zeros says nothing.
        "error_rate" => figures(metric).iter().any(|share| *share > 0.0),
        _ => !figures(metric).is_empty(),
    };
    let ranked_by = view
        .ranking
        .map(|ranking| ranking.metric.as_str())
        .filter(|metric| COLUMNS.iter().all(|(known, _)| known != metric) && has(metric));
    let own = ranked_by.map(|metric| (metric.to_owned(), head(metric)));
    let usual = COLUMNS
        .into_iter()
        .filter(|(metric, _)| has(metric))
        .map(|(metric, head)| (metric.to_owned(), head.to_owned()));
    own.into_iter().chain(usual).collect()
}

/// True where bytes are the question; elsewhere bandwidth is the throughput in another unit.
fn moves_bytes(view: &ScenarioView<'_>) -> bool {
    let metric = view
        .ranking
        .map_or("bandwidth", |ranking| ranking.metric.as_str());
    matches!(
        metric,
        "bandwidth" | "transfer_time" | "cpu_per_gb" | "cpu_per_byte"
    )
}

fn row(view: &ScenarioView<'_>, cell: &CellSummary, columns: &[(String, String)]) -> Markup {
    let class = match (&cell.invalid, cell.ranked) {
        (Some(_), _) => Some("invalid"),
        (None, false) => Some("floor"),
        (None, true) => None,
    };
    html! {
        tr class=[class] {
            th scope="row" {
                @if let Some(&look) = view.looks.get(&cell.implementation) { (key(look)) }
                (short(&cell.implementation))
                @if !cell.ranked && cell.implementation.id.name != "floor" { small { "floor" } }
                @if let Some(program) = &cell.program { small { (program) } }
                @if cell.invalid.is_some() { small.bad { "invalid" } }
                @if !cell.failures.is_empty() { small.bad { (cell.failures.len()) " failed" } }
            }
            @for (metric, _) in columns { (metric_cell(cell.metrics.get(metric))) }
            td { (limit_word(cell.limited_by)) }
            td data-v=(cell.rounds) { (cell.rounds) }
        }
    }
}

fn metric_cell(metric: Option<&MetricSummary>) -> Markup {
    html! {
        @match metric {
            Some(metric) => {
                @let figure = figure(&metric.interval, cell_unit(&metric.unit));
                td data-v=[sort_key(metric.interval.point)] title=(figure.range) {
                    (figure.point)
                    @if !figure.spread.is_empty() { small { (figure.spread) } }
                }
            }
            None => { td { span aria-hidden="true" { "–" } span.sr { "not measured" } } }
        }
    }
}

/// What a column is sorted by: six digits, so that the last bit of a stored figure does not show.
fn sort_key(value: f64) -> Option<String> {
    value.is_finite().then(|| format!("{value:.5e}"))
}

/// The head of a column that not every table has.
fn head(metric: &str) -> String {
    match metric {
        "operations_per_cpu_s" => "ops a CPU second".to_owned(),
        other => metric_words(other),
    }
}

/// A unit as a cell needs it: the head of the column says what is counted.
fn cell_unit(unit: &str) -> &str {
    match unit {
        "op/s" | "req/s" | "msg/s" | "conn/s" => "/s",
        _ => unit,
    }
}
