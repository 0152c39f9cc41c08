//! Formulas of the documents beside measured figures, on records whose figures give round results.

use ringside_contract::{
    Bound, DocumentFigure, FormulaRow, FormulaTable, MeasuredFigure, Measures, RunRecord, Side,
};
use ringside_judge::{Families, JudgeInput, Records, judge, read_formulas};

use crate::common::{measures, record};

const FORMULAS: &str = include_str!("../../../../datasets/formulas.toml");
const HOLD: &str = "mqtt/hold{connections=100000}";
const MILLION: &str = "mqtt/hold{connections=1000000}";
const PAIRS: &str = "mqtt/pairs{load=open,rate=20000}";

/// The tables for records, by the formulas that come with the tool.
fn tables(records: Vec<RunRecord>) -> Vec<FormulaTable> {
    let records = Records {
        records,
        warnings: Vec::new(),
    };
    let judged = judge(&JudgeInput {
        records: &records,
        plan: None,
        claims: &[],
        formulas: &read_formulas(FORMULAS, "formulas.toml").unwrap(),
        fairer: &[],
        scenarios: &[],
        implementations: &[],
        families: &Families::default(),
        repeat: &[],
    });
    judged.formulas
}

fn table(records: Vec<RunRecord>, id: &str) -> FormulaTable {
    let tables = tables(records);
    let found = tables.into_iter().find(|table| table.id == id);
    found.unwrap_or_else(|| panic!("no table {id}"))
}

fn row<'t>(table: &'t FormulaTable, name: &str) -> &'t FormulaRow {
    let found = table.rows.iter().find(|row| row.name == name);
    found.unwrap_or_else(|| panic!("no line {name}"))
}

fn point(row: &FormulaRow) -> f64 {
    match &row.measured {
        MeasuredFigure::Host { figure, .. } | MeasuredFigure::Assumed { figure } => *figure,
        MeasuredFigure::Cell { interval, .. } | MeasuredFigure::Follows { interval, .. } => {
            interval.point
        }
        MeasuredFigure::Missing { because } => panic!("{}: {because}", row.name),
    }
}

fn bound(row: &FormulaRow) -> Option<Bound> {
    match &row.measured {
        MeasuredFigure::Cell { bound, .. } | MeasuredFigure::Follows { bound, .. } => *bound,
        _ => None,
    }
}

fn reason(row: &FormulaRow) -> &str {
    match &row.measured {
        MeasuredFigure::Missing { because } => because,
        other => panic!("{}: {other:?}", row.name),
    }
}

fn near(figure: f64, expected: f64) {
    assert!(
        (figure / expected - 1.0).abs() < 1e-9,
        "{figure} in place of {expected}"
    );
}

/// Eight rounds in which each of `connections` clients takes 500 B, 2 % more or less from round to round.
fn hold(scenario: &str, connections: u32) -> Vec<RunRecord> {
    let block = |round: u32| Measures {
        connections,
        server: Some(Side {
            rss_before_bytes: 1 << 20,
            rss_bytes: (1 << 20) + u64::from(connections) * (490 + 10 * u64::from(round % 3)),
            ..Side::default()
        }),
        ..measures(1000.0)
    };
    (0..9)
        .map(|round| record(scenario, "mqtt/uring", round, block(round)))
        .collect()
}

/// Eight rounds of an open loop: 60 µs and 3 µs of them processor time; `slower` is added to the first.
fn pairs(implementation: &str, p50_us: f64, cpu_us: u64) -> Vec<RunRecord> {
    let block = |round: u32| {
        let mut block = measures(1000.0);
        let latency = block.latency.as_mut().unwrap();
        // What both have in common in a round is in no difference.
        latency.p50_us = p50_us + f64::from(round);
        latency.p99_us = 4.0 * p50_us;
        block.server.as_mut().unwrap().cpu_ns = block.operations * (cpu_us * 1000);
        block
    };
    (0..8)
        .map(|round| record(PAIRS, implementation, round, block(round)))
        .collect()
}

#[test]
fn the_documents_own_figures_give_what_it_writes_or_it_says_so() {
    let table = table(hold(HOLD, 100_000), "mqtt-connections");
    assert_eq!(table.columns, ["Linux", "Windows", "ARM"]);
    let given = |name: &str| {
        let document = &row(&table, name).document;
        document
            .iter()
            .map(|given| (given.figure, given.stated))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        given("by memory"),
        [(Some(800e3), None), (Some(900e3), None), (Some(20e3), None)]
    );
    let bandwidth = given("by bandwidth");
    near(bandwidth[0].0.unwrap(), 125e6);
    assert_eq!(bandwidth[0].1, None);
    assert_eq!(bandwidth[2], (None, Some(50e3)), "ARM has no bandwidth");
    assert_eq!(
        given("connections at most, the least"),
        [
            (Some(800e3), None),
            (Some(64e3), Some(1e6)),
            (Some(1024.0), None)
        ],
        "Windows: the least is not what the document writes"
    );
}

#[test]
fn the_documents_parts_of_a_latency_add_up() {
    let table = table(pairs("mqtt/uring", 60.0, 3), "mqtt-latency");
    let sum = &row(&table, "from one client to another, the sum").document;
    for (given, expected) in sum.iter().zip([1.6, 13.0, 2.5, 25.0]) {
        near(given.figure.unwrap(), expected);
        assert_eq!(given.stated, None);
    }
    assert_eq!(row(&table, "P99").document[0], DocumentFigure::default());
    assert_eq!(row(&table, "P99").document[2].figure, Some(10.0));
}

#[test]
fn measured_figures_go_through_the_formula() {
    let table = table(hold(HOLD, 100_000), "mqtt-connections");
    near(point(row(&table, "memory of a connection")), 0.5);
    let memory = row(&table, "by memory");
    near(point(memory), (24u64 << 30) as f64 / 500.0);
    assert_eq!(bound(memory), Some(Bound::AtMost), "the kernel's is not in");
    let MeasuredFigure::Follows { interval, .. } = &memory.measured else {
        panic!("{memory:?}");
    };
    near(interval.low, (24u64 << 30) as f64 / 510.0);
    near(interval.high, (24u64 << 30) as f64 / 490.0);
    assert!(interval.confidence > 0.98 && interval.samples == 9);
    let result = row(&table, "connections at most, the least");
    near(point(result), 64.0 * 20_000.0);
    assert_eq!(bound(result), None);
    let terms = match &result.measured {
        MeasuredFigure::Follows {
            terms, terms_all, ..
        } => (*terms, *terms_all),
        other => panic!("{other:?}"),
    };
    assert_eq!(terms, (2, 3), "nothing measures the bandwidth");
    near(point(row(&table, "held by one broker")), 100_000.0);
}

#[test]
fn the_first_of_the_cells_that_a_run_has_is_taken() {
    let both = [hold(HOLD, 100_000), hold(MILLION, 1_000_000)].concat();
    let table = table(both, "mqtt-connections");
    near(point(row(&table, "held by one broker")), 1e6);
    let mut broken = hold(MILLION, 1_000_000);
    broken[0].measures.as_mut().unwrap().corrupt = 1;
    let both = [broken, hold(HOLD, 100_000)].concat();
    let other = super::formulas::table(both, "mqtt-connections");
    near(point(row(&other, "held by one broker")), 100_000.0);
}

#[test]
fn what_was_not_measured_names_the_cell_that_would() {
    let table = table(hold(HOLD, 100_000), "mqtt-connections");
    assert_eq!(
        reason(row(&table, "messages of a core")),
        "not measured in this run; mqtt/uring in mqtt/pairs would"
    );
    assert!(reason(row(&table, "bandwidth")).contains("loopback"));
    assert_eq!(reason(row(&table, "by bandwidth")), "");
    let mut broken = pairs("mqtt/uring", 60.0, 3);
    broken[0].measures.as_mut().unwrap().corrupt = 1;
    let records = [broken, pairs("mqtt/floor[io=uring]", 50.0, 1)].concat();
    let table = super::formulas::table(records, "mqtt-latency");
    assert!(reason(row(&table, "P99")).starts_with("not to be used: "));
}

#[test]
fn a_latency_falls_into_what_the_floor_takes_what_processing_takes_and_the_rest() {
    let records = [
        pairs("mqtt/uring", 60.0, 3),
        pairs("mqtt/floor[io=uring]", 50.0, 1),
    ]
    .concat();
    let table = table(records, "mqtt-latency");
    near(point(row(&table, "network")), 0.0535);
    near(point(row(&table, "processing")), 0.002);
    assert_eq!(bound(row(&table, "processing")), None);
    // 60 - 50 - 2: the rounds' own share of 0 to 7 µs is in both.
    near(point(row(&table, "queue")), 0.008);
    near(
        point(row(&table, "from one client to another, the sum")),
        0.0635,
    );
    near(point(row(&table, "P99")), 0.24);
}

#[test]
fn without_a_floor_processing_is_a_bound_and_the_rest_is_not_told() {
    let table = table(pairs("mqtt/uring", 60.0, 3), "mqtt-latency");
    assert_eq!(
        reason(row(&table, "network")),
        "not measured in this run; mqtt/floor[io=uring] in mqtt/pairs{load=open,rate=20000} would"
    );
    near(point(row(&table, "processing")), 0.003);
    assert_eq!(bound(row(&table, "processing")), Some(Bound::AtMost));
    assert!(reason(row(&table, "queue")).starts_with("not told"));
}

#[test]
fn a_run_without_a_figure_for_a_formula_has_no_table() {
    assert_eq!(tables(Vec::new()), []);
    let elsewhere = record("http/small", "http/epoll", 0, measures(1000.0));
    assert_eq!(tables(vec![elsewhere]), []);
    let tables = tables(hold(HOLD, 100_000));
    let ids: Vec<&str> = tables.iter().map(|table| table.id.as_str()).collect();
    assert_eq!(ids, ["mqtt-connections"], "no latency was measured");
}

#[test]
fn equal_records_give_equal_bytes_in_any_order() {
    let records = [
        pairs("mqtt/uring", 60.0, 3),
        pairs("mqtt/floor[io=uring]", 50.0, 1),
        hold(HOLD, 100_000),
    ]
    .concat();
    let bytes = |records| serde_json::to_string(&tables(records)).unwrap();
    let mut turned = records.clone();
    turned.reverse();
    assert_eq!(bytes(records), bytes(turned));
}

#[test]
fn a_fault_in_a_formula_is_named() {
    for (from, to, named) in [
        ("unit = \"KB\"", "unit = \"KX\"", "there is no unit `KX`"),
        (
            "metric = \"latency_p99\"",
            "metric = \"latency_p98\"",
            "there is no metric `latency_p98`",
        ),
        (
            "metric = \"latency_p99\"",
            "metric = \"late_share\"",
            "a share over all rounds",
        ),
        (
            "metric = \"latency_p99\"",
            "metric = \"throughput\"",
            "op/s does not turn into ms",
        ),
        (
            "{ assumed = \"Linux\" }",
            "{ assumed = \"Plan 9\" }",
            "no figure for `Plan 9`",
        ),
        ("ARM = 50 }", "Arm = 50 }", "there is no column `Arm`"),
        (
            "id = \"mqtt-latency\"",
            "id = \"mqtt-connections\"",
            "it stands twice",
        ),
        ("combine = \"sum\"", "combine = \"least\"", "no rest"),
        ("divides = true", "divide = true", "unknown field `divide`"),
    ] {
        let text = FORMULAS.replacen(from, to, 1);
        assert_ne!(text, FORMULAS, "{from}");
        let message = read_formulas(&text, "formulas.toml")
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("formulas.toml") && message.contains(named),
            "{message}"
        );
    }
}
