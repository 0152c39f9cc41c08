//! The full tables of a scenario: every figure with its spread, rates and latency in one, costs in the
//! other, so that each fits a desktop screen and a sheet of paper.

use maud::{Markup, html};
use ringside_contract::{CellSummary, Limit, MetricSummary};

use crate::chart::key;
use crate::format::{THIN, counted, figure};
use crate::view::{ScenarioView, limit_word, metric_words, short};

/// What is done and how long it takes, with the heads of the columns.
const SPEED: [(&str, &str); 21] = [
    ("throughput", "throughput"),
    ("bandwidth", "bandwidth"),
    ("operation_time_p50", "time an op"),
    ("latency_p50", "P50"),
    ("latency_p90", "P90"),
    ("latency_p95", "P95"),
    ("latency_p99", "P99"),
    ("latency_p999", "P99.9"),
    ("latency_p9999", "P99.99"),
    ("latency_max", "max"),
    ("error_rate", "errors"),
    ("fairness", "fairness"),
    ("imbalance", "fullest node, of its share"),
    ("remote_to_local_latency", "a far read, of a near one"),
    ("local_to_remote_bandwidth", "near bandwidth, of far one"),
    ("hit_rate", "hits"),
    ("preheat_time", "pre-heating"),
    ("expand_time", "longest growth"),
    ("elapsed", "time of the operations"),
    ("atomic_latency", "an atomic addition"),
    ("float_latency", "a product and a sum"),
];

/// What it costs.
const COST: [(&str, &str); 18] = [
    ("cpu_per_op", "server CPU an op"),
    ("generator_cpu_per_op", "generator CPU an op"),
    ("cpu_per_gb", "server CPU a GB"),
    ("peak_memory", "peak RSS"),
    ("memory_per_connection", "memory a connection"),
    (
        "generator_memory_per_connection",
        "generator memory a connection",
    ),
    (
        "kernel_memory_per_connection",
        "kernel memory a connection, both ends",
    ),
    ("syscalls_per_op", "syscalls an op"),
    ("context_switches_per_op", "context switches an op"),
    ("page_faults_per_op", "page faults an op"),
    ("bytes_per_op", "bytes an op"),
    ("allocations_per_op", "allocations an op"),
    ("allocated_bytes_per_op", "bytes allocated an op"),
    ("remote_accesses", "reads of another node"),
    ("ops_per_cache_miss", "reads a cache miss"),
    ("memory_per_session", "memory a session"),
    ("fragmentation", "idle part of the heap"),
    ("binary_size", "size of the program"),
];

/// Columns by metric and head.
type Columns = Vec<(String, String)>;

/// Both tables, as far as they have a figure.
pub(super) fn full_tables(view: &ScenarioView<'_>) -> Markup {
    let own = view
        .ranking
        .map(|ranking| ranking.metric.as_str())
        .filter(|metric| has(view, metric))
        .filter(|metric| SPEED.iter().chain(&COST).all(|(known, _)| known != metric))
        .map(|metric| (metric.to_owned(), head(metric)));
    let speed: Columns = own.into_iter().chain(columns(view, &SPEED)).collect();
    let cost: Columns = columns(view, &COST).collect();
    html! {
        (table(view, "Rates and latency", &speed))
        @if lacks_tail(view) {
            p.hint { "–: a percentile needs ten operations beyond it in every round; some had fewer." }
        }
        @if !cost.is_empty() { (table(view, "What an operation costs", &cost)) }
    }
}

fn table(view: &ScenarioView<'_>, title: &str, columns: &Columns) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ (title) " in " (view.spec.to_string()) } {
            table.full {
                thead { tr {
                    th scope="col" { "implementation" }
                    @for (_, head) in columns { th scope="col" { (head) } }
                } }
                tbody { @for cell in &view.cells { (row(view, cell, columns)) } }
            }
        }
    }
}

fn columns(
    view: &ScenarioView<'_>,
    known: &'static [(&'static str, &'static str)],
) -> impl Iterator<Item = (String, String)> {
    known
        .iter()
        .filter(|(metric, _)| has(view, metric))
        .map(|(metric, head)| ((*metric).to_owned(), (*head).to_owned()))
}

/// Whether a column has something to say. Percentiles stand together: one without a figure says that
/// there were too few operations for it.
fn has(view: &ScenarioView<'_>, metric: &str) -> bool {
    let figures = |metric: &str| {
        let of_cells = view
            .cells
            .iter()
            .filter_map(|cell| cell.metrics.get(metric));
        of_cells
            .map(|metric| metric.interval.point)
            .collect::<Vec<_>>()
    };
    match metric {
        "bandwidth" | "cpu_per_gb" => moves_bytes(view) && !figures(metric).is_empty(),
        // A column of zeros says nothing.
        "error_rate" | "bytes_per_op" => figures(metric).iter().any(|share| *share > 0.0),
        _ if is_percentile(metric) => !figures("latency_p50").is_empty(),
        _ => !figures(metric).is_empty(),
    }
}

fn is_percentile(metric: &str) -> bool {
    metric.starts_with("latency_p")
}

/// Whether a cell with latency lacks one of the percentiles.
fn lacks_tail(view: &ScenarioView<'_>) -> bool {
    view.cells.iter().any(|cell| {
        cell.metrics.contains_key("latency_p50")
            && SPEED
                .iter()
                .any(|(metric, _)| is_percentile(metric) && !cell.metrics.contains_key(*metric))
    })
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
                small { (limited(cell)) ", " (counted(cell.rounds as usize, "round", "rounds")) }
                @if cell.invalid.is_some() { small.bad { "invalid" } }
                @if !cell.failures.is_empty() { small.bad { (cell.failures.len()) " failed" } }
            }
            @for (metric, _) in columns { (metric_cell(cell.metrics.get(metric))) }
        }
    }
}

/// What was the limit: `limit: server`.
fn limited(cell: &CellSummary) -> String {
    match cell.limited_by {
        Some(Limit::Neither) => "no limit".to_owned(),
        limit => format!("limit:{THIN}{}", limit_word(limit)),
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
