//! Figures that no block can have. A record with one was edited or damaged, and a verdict that rests on
//! it would be worth nothing.

use ringside_contract::{Latency, Measures, RunRecord, Side, Status, SweepStep};

/// No count of one block is higher: 2^48 is a gigabyte a second for three days. It keeps sums over 65,536
/// blocks within 64 bits.
const COUNT_MAX: u64 = 1 << 48;

/// The field that cannot be, with what was expected; `None` for a record that can be a measurement.
pub(crate) fn impossible(record: &RunRecord) -> Option<String> {
    let measures = record.measures.as_ref()?;
    let window = measures.duration_s;
    if record.status == Status::Completed && !(window.is_finite() && window > 0.0) {
        return Some(format!(
            "duration_s is {window}; expected a window longer than 0 s"
        ));
    }
    if measures
        .server
        .as_ref()
        .is_some_and(|side| side.cores <= 0.0)
    {
        return Some("server.cores is 0 or less; expected the cores that it may use".to_owned());
    }
    if let Some((name, count)) = counts(measures).find(|(_, count)| *count > COUNT_MAX) {
        return Some(format!("{name} is {count}; expected at most {COUNT_MAX}"));
    }
    let sides = [
        measures.server.as_ref().map(|side| ("server", side)),
        Some(("generator", &measures.generator)),
    ];
    figures(measures)
        .chain(sides.into_iter().flatten().flat_map(of_side))
        .chain(measures.latency.iter().flat_map(of_latency))
        .chain(measures.sweep.iter().flat_map(of_step))
        .find(|(_, figure)| !(figure.is_finite() && *figure >= 0.0))
        .map(|(name, figure)| format!("{name} is {figure}; expected a number of 0 or more"))
}

fn counts(measures: &Measures) -> impl Iterator<Item = (&'static str, u64)> {
    let cpu_ns = measures.server.as_ref().map_or(0, |side| side.cpu_ns);
    [
        ("operations", measures.operations),
        ("errors", measures.errors),
        ("corrupt", measures.corrupt),
        ("timeouts", measures.timeouts),
        ("late_sends", measures.late_sends),
        ("offered", measures.offered),
        ("unanswered", measures.unanswered),
        ("bytes_sent", measures.bytes_sent),
        ("bytes_received", measures.bytes_received),
        ("server.cpu_ns", cpu_ns),
        ("generator.cpu_ns", measures.generator.cpu_ns),
    ]
    .into_iter()
}

fn figures(measures: &Measures) -> impl Iterator<Item = (&'static str, f64)> {
    [
        ("throughput_per_s", measures.throughput_per_s),
        ("connect_per_s", measures.connect_per_s),
        (
            "operations_by_bytes",
            measures.operations_by_bytes.unwrap_or(0.0),
        ),
    ]
    .into_iter()
}

fn of_side((role, side): (&'static str, &Side)) -> impl Iterator<Item = (&'static str, f64)> {
    let names = if role == "server" {
        [
            "server.cores_busy",
            "server.cores",
            "server.syscalls_per_op",
        ]
    } else {
        [
            "generator.cores_busy",
            "generator.cores",
            "generator.syscalls_per_op",
        ]
    };
    let figures = [
        side.cores_busy,
        side.cores,
        side.syscalls_per_op.unwrap_or(0.0),
    ];
    names.into_iter().zip(figures)
}

fn of_latency(latency: &Latency) -> impl Iterator<Item = (&'static str, f64)> {
    [
        ("latency.mean_us", latency.mean_us),
        ("latency.p50_us", latency.p50_us),
        ("latency.p90_us", latency.p90_us),
        ("latency.p95_us", latency.p95_us),
        ("latency.p99_us", latency.p99_us),
        ("latency.p999_us", latency.p999_us),
        ("latency.p9999_us", latency.p9999_us),
        ("latency.max_us", latency.max_us),
    ]
    .into_iter()
}

fn of_step(step: &SweepStep) -> impl Iterator<Item = (&'static str, f64)> {
    let own = [
        ("sweep.offered_per_s", step.offered_per_s),
        ("sweep.achieved_per_s", step.achieved_per_s),
        ("sweep.late_share", step.late_share),
        ("sweep.server_cpu_ns_per_op", step.server_cpu_ns_per_op),
    ];
    own.into_iter().chain(of_latency(&step.latency))
}
