//! A gate in its three forms, from a document made by hand.

use ringside_contract::{
    Build, CountedChange, CountedState, GATE_SCHEMA, GateReport, GateRow, GateSide, GateVerdict,
    Interval, MetricChange, Placement,
};
use ringside_reports::{Block, gate_markdown, gate_page, gate_table};

use crate::{fixtures, machine};

/// A regression, a pass, an undecided and a new comparison, and something in every list.
pub(crate) fn mixed() -> GateReport {
    let undecided = GateVerdict::Undecided {
        because: "the interval holds 0 % and 5 %".to_owned(),
        remedy: "more triples: `ringside gate --triples 20`".to_owned(),
    };
    let new = GateVerdict::New {
        because: "base knows no http/uring".to_owned(),
    };
    let mut rows = vec![
        row("http/small", "http/epoll", GateVerdict::Regression),
        row(
            "echo/small{connections=400}",
            "echo/uring",
            GateVerdict::Pass,
        ),
        row("http/large", "http/epoll[body=sendfile]", undecided),
        row("http/small", "http/uring", new),
    ];
    rows[0].changes = vec![
        change(
            "processor_time",
            "ns/op",
            [7_100.0, 7_600.0],
            [0.061, 0.07, 0.082],
        ),
        change("rate", "op/s", [40_000.0, 38_000.0], [0.03, 0.05, 0.09]),
    ];
    rows[0].changes[1].left_out = Some("the generator was the limit".to_owned());
    rows[0].confirming = vec![change(
        "processor_time",
        "ns/op",
        [7_120.0, 7_580.0],
        [0.058, 0.065, 0.078],
    )];
    rows[0].graphs = vec!["graphs/http-small{connections=64}.svg".to_owned()];
    rows[1].changes = vec![change(
        "rate",
        "op/s",
        [51_000.0, 50_000.0],
        [0.014, 0.021, 0.029],
    )];
    rows[2].changes = vec![change("rate", "op/s", [910.0, 890.0], [-0.02, 0.024, 0.4])];
    GateReport {
        schema: GATE_SCHEMA,
        began_at: 1_795_172_820,
        base: side("main"),
        head: side("topic"),
        differences: vec!["memchr 2.7.4 -> 2.7.6".to_owned()],
        host: machine::run().host,
        placement: Placement {
            server_cpus: vec![1],
            generator_cpus: vec![0],
            shared: false,
        },
        verdict: GateVerdict::Regression,
        rows,
        counted: counted(),
        warnings: vec!["another program used 7 % of core 1".to_owned()],
    }
}

/// Hostile text in every place that a person or a program can fill.
fn hostile() -> GateReport {
    let mut report = mixed();
    let text = || fixtures::HOSTILE.to_owned();
    for side in [&mut report.base, &mut report.head] {
        side.name = text();
        side.build.flags = text();
        side.build.commit = text();
    }
    report.differences = vec![text(), "# no heading".to_owned()];
    report.warnings = vec![text(), "a|b".to_owned()];
    report.host.processor = text();
    report.verdict = GateVerdict::Undecided {
        because: text(),
        remedy: text(),
    };
    for row in &mut report.rows {
        row.verdict = report.verdict.clone();
        row.graphs = vec![text(), "javascript:alert(1)".to_owned()];
        row.scenario = LONG.parse().unwrap();
        for change in &mut row.changes {
            change.metric = text();
            change.unit = text();
            change.left_out = Some(text());
        }
    }
    report.rows[3].verdict = GateVerdict::New { because: text() };
    for one in &mut report.counted {
        one.name = text();
        one.metric = text();
        one.state = CountedState::NotCounted { because: text() };
    }
    report
}

/// Figures that no chart can hold.
fn extreme() -> GateReport {
    let mut report = mixed();
    let values = [
        [f64::NAN; 3],
        [f64::NEG_INFINITY, 0.0, f64::INFINITY],
        [-1e9, 0.0, 1e9],
        [0.0; 3],
    ];
    for (row, slowdown) in report.rows.iter_mut().zip(values) {
        row.threshold = slowdown[0];
        row.wall_s = slowdown[2];
        row.changes = vec![change("rate", "op/s", [slowdown[1], slowdown[2]], slowdown)];
    }
    report
}

/// Nothing was compared.
fn empty() -> GateReport {
    let mut report = mixed();
    report.verdict = GateVerdict::Pass;
    report.rows.clear();
    report.counted.clear();
    report.differences.clear();
    report.warnings.clear();
    report
}

/// Every document with its name.
pub(crate) fn gates() -> [(&'static str, GateReport); 4] {
    [
        ("gate_mixed", mixed()),
        ("gate_hostile", hostile()),
        ("gate_extreme", extreme()),
        ("gate_empty", empty()),
    ]
}

/// A name without room for a line of a phone.
const LONG: &str = "http/averyveryveryverylongscenarioname{averyveryveryverylongparameter=averyveryveryveryverylongvaluewithoutany}";

fn row(scenario: &str, implementation: &str, verdict: GateVerdict) -> GateRow {
    GateRow {
        scenario: scenario.parse().unwrap(),
        implementation: implementation.parse().unwrap(),
        threshold: 0.05,
        verdict,
        changes: Vec::new(),
        confirming: Vec::new(),
        wall_s: 92.0,
        graphs: Vec::new(),
    }
}

fn change(
    metric: &str,
    unit: &str,
    [base, head]: [f64; 2],
    [low, point, high]: [f64; 3],
) -> MetricChange {
    MetricChange {
        metric: metric.to_owned(),
        unit: unit.to_owned(),
        base,
        head,
        slowdown: Interval {
            low,
            point,
            high,
            confidence: 0.9785,
            samples: 12,
        },
        left_out: None,
    }
}

fn side(name: &str) -> GateSide {
    GateSide {
        name: name.to_owned(),
        build: Build {
            commit: format!("{name}0123"),
            ..Build::default()
        },
    }
}

fn counted() -> Vec<CountedChange> {
    let because = "valgrind is not installed; `apt-get install valgrind`".to_owned();
    [
        (
            "wire::parse_head",
            1_200.0,
            1_320.0,
            CountedState::Regression,
        ),
        ("http/epoll in http/small", 2.0, 2.2, CountedState::Warning),
        ("wire::write_head", 700.0, 700.0, CountedState::Same),
        (
            "wire::parse_packet",
            1.0,
            1.0,
            CountedState::NotCounted { because },
        ),
    ]
    .map(|(name, base, head, state)| CountedChange {
        name: name.to_owned(),
        metric: "instructions".to_owned(),
        base: Some(base),
        head: Some(head),
        state,
    })
    .to_vec()
}

/// Without thin spaces and places to break a line.
fn plain(text: &str) -> String {
    text.replace('\u{202f}', " ").replace("<wbr>", "")
}

fn expect_parts(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "lacks {part}:\n{text}");
    }
}

/// What a table has as text.
fn flat(blocks: &[Block]) -> String {
    let words = blocks.iter().map(|block| match block {
        Block::Heading { text, .. } => text.clone(),
        Block::Sentences(sentences) => sentences.join("\n"),
        Block::Table { rows, .. } => rows
            .iter()
            .map(|row| row.join(" | "))
            .collect::<Vec<_>>()
            .join("\n"),
    });
    plain(&words.collect::<Vec<_>>().join("\n"))
}

/// Said in the Markdown and in the terminal alike.
const SAID: [&str; 12] = [
    "✕ Regression: of 4 comparisons, 1 regression, 1 pass, 1 undecided, 1 new; 1 counted figure regressed.",
    "7.0 % slower, between 6.1 % and 8.2 % (server time an operation; threshold 5 %) | 12 + 12 | ✕ regression",
    "2.1 % slower, between 1.4 % and 2.9 % (operations a second; threshold 5 %) | 12 | ✓ pass",
    "2.4 % slower, between 2.0 % faster and 40 % slower",
    "the interval holds 0 % and 5 %. What would decide it: more triples",
    "between 3.0 % and 9.0 %; left out: the generator was the limit.",
    "head | instructions | 1 200 → 1 320 (10 % more) | ✕ regression",
    "http/epoll in http/small | instructions | 2 → 2.20 (10 % more) | ! worth a look",
    "head | instructions | 700 → 700 | ✓ same",
    "○ not counted: instructions of wire::parse",
    "memchr 2.7.4 -> 2.7.6.",
    "another program used 7 % of core 1.",
];

#[test]
fn a_terminal_and_a_job_summary_say_the_same() {
    let report = mixed();
    expect_parts(&flat(&gate_table(&report)), &SAID);
    let markdown = plain(&gate_markdown(&report));
    expect_parts(&markdown, &SAID);
    expect_parts(
        &markdown,
        &[
            "**✕ Regression: ",
            "| scenario | implementation | slowdown | triples | verdict |\n|---|---|---|--:|---|\n| http/small | http/epoll | ",
            "| http/small | http/uring | – | – | ○ new |",
            "- Undecided: http/epoll\\[body=sendfile\\] in http/large: ",
            "- New: http/uring in http/small: base knows no http/uring.",
            "\n### Warnings\n\n- another",
        ],
    );
}

#[test]
fn the_page_says_what_changed() {
    let html = plain(&gate_page(&mixed()));
    expect_parts(
        &html,
        &[
            "<h2 id=\"changes-h\">What changed</h2>",
            "<b>7.0 % slower, between 6.1 % and 8.2 %</b>",
            "second measurement: server time an operation: <b>6.5 % slower",
            "operations a second: <b>2.1 % slower, between 1.4 % and 2.9 %</b>",
            "51.0k op/s → 50.0k op/s (medians of base and head); 12 triples, 97 %",
            "<b>Left out of the decision: </b>the generator was the limit.",
            "What would decide it: </b>more triples: <code>ringside gate --triples 20</code>.",
            "Nothing to compare with: base knows no http/uring.",
            "href=\"graphs/http-small%7Bconnections%3D64%7D.svg\"",
            "✕ </span>regression</span>",
            "threshold 5 %",
            "memchr 2.7.4 -&gt; 2.7.6",
            "another program used 7 % of core 1",
            "valgrind is not installed; <code>apt-get install valgrind</code>.",
        ],
    );
    assert_eq!(
        html.matches("<svg class=\"bar slowdown\"").count(),
        5,
        "an interval for each figure"
    );
    assert!(
        html.contains("<line class=\"beyond\""),
        "40 % lies beyond the axis"
    );
}

#[test]
fn equal_gates_give_equal_bytes() {
    for (name, report) in gates() {
        assert_eq!(gate_page(&report), gate_page(&report.clone()), "{name}");
        assert_eq!(
            gate_markdown(&report),
            gate_markdown(&report.clone()),
            "{name}"
        );
        assert_eq!(gate_table(&report), gate_table(&report.clone()), "{name}");
    }
}

#[test]
fn hostile_text_of_a_gate_is_only_ever_text() {
    let html = gate_page(&hostile());
    for element in ["<script", "<img", "href=\"javascript:"] {
        assert!(!html.contains(element), "{element} came out of text");
    }
    assert!(html.contains("&lt;img src=x"), "the text itself is shown");
    let markdown = gate_markdown(&hostile());
    for element in ["<script", "<img", "- # no", "| # no"] {
        assert!(!markdown.contains(element), "{element}:\n{markdown}");
    }
    expect_parts(&markdown, &["&lt;script>", "- \\# no heading."]);
}

#[test]
fn no_gate_holds_a_figure_that_is_none() {
    for (name, report) in gates() {
        for text in [gate_page(&report), gate_markdown(&report)] {
            for word in ["NaN", "inf ", ">inf", "\"inf", "inf%"] {
                assert!(!text.contains(word), "{name} holds {word}:\n{text}");
            }
        }
    }
}

#[test]
fn a_pass_with_nothing_compared_says_so() {
    for text in [
        gate_markdown(&empty()),
        gate_page(&empty()),
        flat(&gate_table(&empty())),
    ] {
        assert!(text.contains("✓ Pass: nothing was compared."), "{text}");
    }
}
