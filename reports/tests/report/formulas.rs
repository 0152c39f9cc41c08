//! Formulas on the page: figures beside figures, what is only a bound, and what is left out.

use ringside_contract::{
    Bound, DocumentFigure, FormulaRow, FormulaRowKind, FormulaTable, HostFigure, MeasuredCell,
    MeasuredFigure,
};
use ringside_reports::page;

use crate::{fixtures, published};

/// A formula of http: invented figures of each kind.
pub(crate) fn table() -> FormulaTable {
    FormulaTable {
        id: "http-connections".to_owned(),
        family: "http".to_owned(),
        seed: "000".to_owned(),
        section: "9.1".to_owned(),
        title: "How many connections".to_owned(),
        expression: "memory / memory of a connection".to_owned(),
        columns: vec!["Linux".to_owned(), "ARM".to_owned()],
        rows: rows(),
        notes: vec!["The document contradicts itself.".to_owned()],
        sources: vec!["Memory ≈ 50KB".to_owned()],
    }
}

fn rows() -> Vec<FormulaRow> {
    use FormulaRowKind::{Added, Fact, Part, Result, Term};
    let none = given(None, None);
    let memory = MeasuredFigure::Host {
        figure: 25.3,
        of: HostFigure::MemoryBytes,
    };
    let missing = MeasuredFigure::Missing {
        because: "not measured in this run; http/uring in http/small{load=sweep} would".to_owned(),
    };
    let each = cell(0.5, Some(Bound::AtLeast));
    let (term, result) = (follows(Some(Bound::AtMost), 2), follows(None, 1));
    let assumed = MeasuredFigure::Assumed { figure: 0.1 };
    let by_memory = [given(Some(800e3), None), given(None, Some(50e3))];
    let least = [given(Some(64e3), Some(1e6)), given(Some(50e3), None)];
    vec![
        row(
            Part,
            "memory",
            "GB",
            [given(Some(40.0), None), none],
            memory,
        ),
        row(
            Part,
            "memory of a connection",
            "KB",
            [given(Some(50.0), None), given(Some(5.0), None)],
            each,
        ),
        row(Term, "by memory", "conn", by_memory, term),
        row(Added, "by processor", "conn", [none, none], missing),
        row(Result, "the least", "conn", least, result),
        row(Fact, "assumed", "msg/s", [none, none], assumed),
    ]
}

fn row(
    kind: FormulaRowKind,
    name: &str,
    unit: &str,
    document: [DocumentFigure; 2],
    measured: MeasuredFigure,
) -> FormulaRow {
    FormulaRow {
        kind,
        name: name.to_owned(),
        unit: unit.to_owned(),
        document: document.to_vec(),
        measured,
        note: format!("a note on {name}"),
    }
}

fn given(figure: Option<f64>, stated: Option<f64>) -> DocumentFigure {
    DocumentFigure { figure, stated }
}

fn follows(bound: Option<Bound>, terms: u32) -> MeasuredFigure {
    MeasuredFigure::Follows {
        interval: fixtures::interval(50.6e6, 0.01),
        bound,
        terms,
        terms_all: 2,
    }
}

/// The same with hostile text in all of its places.
pub(crate) fn hostile_table(text: &str) -> FormulaTable {
    let own = || text.to_owned();
    let mut table = table();
    for row in &mut table.rows {
        (row.name, row.unit, row.note) = (own(), own(), own());
        if let MeasuredFigure::Missing { because } = &mut row.measured {
            *because = own();
        }
    }
    FormulaTable {
        seed: own(),
        section: own(),
        title: own(),
        expression: own(),
        columns: vec![own(), own()],
        notes: vec![own()],
        sources: vec![own()],
        ..table
    }
}

fn cell(point: f64, bound: Option<Bound>) -> MeasuredFigure {
    MeasuredFigure::Cell {
        interval: fixtures::interval(point, 0.01),
        bound,
        of: Box::new(MeasuredCell {
            scenario: "http/small{connections=400}".parse().unwrap(),
            implementation: "http/uring".parse().unwrap(),
            metric: "memory_per_connection".to_owned(),
            beyond: None,
        }),
    }
}

/// The text of the lines of a table, without tags.
fn lines(html: &str, id: &str) -> Vec<String> {
    let (_, rest) = html.split_once(&format!("id=\"{id}\"")).expect("a table");
    let (table, _) = rest.split_once("</table>").expect("its end");
    let lines = table.split("<tr").skip(1).map(|line| {
        let mut text = String::new();
        for piece in line.split('<') {
            text.push_str(piece.split_once('>').map_or("", |(_, words)| words));
            text.push(' ');
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ").replace('\u{202f}', " ")
    });
    lines.collect()
}

#[test]
fn each_line_has_the_documents_figures_and_the_measured_one() {
    let lines = lines(&page(&fixtures::rich(), &[]), "f-http-connections");
    for (line, expected) in [
        (2, "memory 40 GB – not given 25.3 GB all of the machine"),
        (
            3,
            "memory of a connection 50 kB 5 kB at least 500 B ± 1.0 % memory per connection",
        ),
        (4, "by memory 800k 50k only stated at most 50.6M ± 1.0 %"),
        (5, "by processor a note on by processor"),
        (
            6,
            "the least 64k it says 1M 50k 50.6M ± 1.0 % of what was measured: 1 of 2 terms",
        ),
        (
            7,
            "assumed – not given – not given 0.1 /s, as in the document",
        ),
    ] {
        assert!(lines[line].contains(expected), "{:?}", lines[line]);
    }
    assert!(
        lines[5].contains("not measured in this run; http/ uring in"),
        "{:?}",
        lines[5]
    );
}

#[test]
fn a_formula_stands_behind_the_claims_of_its_family_and_leads_to_its_cells() {
    let html = page(&fixtures::rich(), &[]);
    let at = |text: &str| html.find(text).unwrap_or_else(|| panic!("no {text}"));
    let formula = at("id=\"f-http-connections\"");
    assert!(at("id=\"c-http-uring-gain\"") < formula);
    assert!(formula < at("<section id=\"scenarios\""));
    let link = "<a href=\"#s-http-small-connections-400-\"";
    assert!(
        html[formula..]
            .split("</table>")
            .next()
            .unwrap()
            .contains(link)
    );
    assert!(html.contains("The document contradicts itself.") && html.contains("Memory ≈ 50KB"));
}

#[test]
fn a_formula_of_a_family_without_a_judged_claim_is_shown_all_the_same() {
    let mut verdicts = fixtures::tiny();
    assert!(!page(&verdicts, &[]).contains("<table class=\"formula\""));
    verdicts.formulas = vec![table()];
    assert!(page(&verdicts, &[]).contains("id=\"f-http-connections\""));
}

#[test]
fn a_published_run_of_the_goals_shows_what_its_messages_took() {
    for verdicts in published::documents() {
        let html = page(&verdicts, &[]);
        let lines = lines(&html, "f-mqtt-latency");
        let sum = lines.iter().find(|line| line.contains("the sum"));
        let sum = sum.expect("a result");
        assert!(
            sum.contains("2.5 ms") && sum.contains("P50 latency"),
            "{sum}"
        );
    }
}
