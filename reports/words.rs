//! Scenarios in words: what a reader would say instead of `{connections=400,load=open,rate=50000}`.

use std::collections::BTreeMap;

use ringside_contract::{CellSummary, ScenarioSpec, Settings, Verdicts};

use crate::format::{THIN, grouped};

/// The scenarios of a document, each with a cell that knows its parameters in full.
pub(crate) struct Wording<'a>(BTreeMap<&'a ScenarioSpec, &'a CellSummary>);

impl<'a> Wording<'a> {
    /// Looks up a cell for every scenario.
    pub(crate) fn of(verdicts: &'a Verdicts) -> Self {
        Self(
            verdicts
                .cells
                .iter()
                .rev()
                .map(|cell| (&cell.scenario, cell))
                .collect(),
        )
    }

    /// `1 KiB, 64 connections, closed loop`.
    pub(crate) fn words(&self, scenario: &ScenarioSpec) -> String {
        let cell = self.0.get(scenario);
        let params = cell
            .map(|cell| &cell.params)
            .filter(|params| params.iter().next().is_some())
            .unwrap_or(&scenario.params);
        let load = cell.map_or("", |cell| cell.load.as_str());
        words(params, load)
    }
}

fn words(params: &Settings, load: &str) -> String {
    let first = ["size", "connections", "load"];
    let others = params
        .iter()
        .filter(|(name, _)| !first.contains(name) && *name != "rate");
    let load = params.value("load").unwrap_or(load);
    let mut parts: Vec<String> = Vec::new();
    parts.extend(params.value("size").map(amount));
    parts.extend(params.value("connections").and_then(connections));
    parts.extend(loop_words(load, params.value("rate")));
    parts.extend(others.filter_map(|(name, value)| other(name, value)));
    parts.join(", ")
}

/// `1KiB` as `1 KiB`.
fn amount(text: &str) -> String {
    match text.find(|letter: char| !letter.is_ascii_digit()) {
        Some(place) if place > 0 => format!("{}{THIN}{}", &text[..place], &text[place..]),
        _ => text.to_owned(),
    }
}

/// `400 connections`; a number that the scenario chooses itself is not told.
fn connections(text: &str) -> Option<String> {
    let count: u64 = text.parse().ok()?;
    let noun = if count == 1 {
        "connection"
    } else {
        "connections"
    };
    Some(format!("{}{THIN}{noun}", grouped(count)))
}

fn loop_words(load: &str, rate: Option<&str>) -> Option<String> {
    let rate = rate
        .and_then(|rate| rate.parse().ok())
        .map(|rate| format!("{}/s", grouped(rate)));
    match (load, rate) {
        ("closed", _) => Some("closed loop".to_owned()),
        ("open", Some(rate)) => Some(format!("open loop at {rate}")),
        ("open", None) => Some("open loop".to_owned()),
        ("sweep", Some(rate)) => Some(format!("rates up to {rate}")),
        ("sweep", None) => Some("rising rates".to_owned()),
        _ => None,
    }
}

/// A parameter with no words of its own; usual values say nothing.
fn other(name: &str, value: &str) -> Option<String> {
    match (name, value) {
        ("arrivals", "constant") | ("window", "1") | ("version", "3.1.1") => None,
        ("arrivals", "poisson") => Some("Poisson arrivals".to_owned()),
        ("qos", _) => Some(format!("QoS{THIN}{value}")),
        ("pairs" | "subscribers", _) => {
            let count = value.parse().map_or_else(|_| value.to_owned(), grouped);
            Some(format!("{count}{THIN}{name}"))
        }
        ("window" | "depth", _) => Some(format!("{value} in flight on each")),
        _ => Some(format!("{} {value}", name.replace('_', " "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_reads_as_words() {
        let check = |params: &[(&str, &str)], expected: &str| {
            let mut settings = Settings::default();
            for (name, value) in params {
                settings.set(name, value);
            }
            assert_eq!(words(&settings, "closed").replace(THIN, " "), expected);
        };
        let usual = [
            ("arrivals", "constant"),
            ("connections", "400"),
            ("load", "closed"),
            ("rate", "10000"),
            ("size", "1KiB"),
            ("window", "1"),
        ];
        check(&usual, "1 KiB, 400 connections, closed loop");
        check(
            &[
                ("connections", "auto"),
                ("load", "sweep"),
                ("rate", "320000"),
                ("size", "10MB"),
            ],
            "10 MB, rates up to 320 000/s",
        );
        check(&[("connections", "1")], "1 connection, closed loop");
        check(
            &[("subscribers", "1000"), ("qos", "1"), ("version", "3.1.1")],
            "closed loop, QoS 1, 1 000 subscribers",
        );
        check(
            &[("window", "16"), ("idle", "9")],
            "closed loop, idle 9, 16 in flight on each",
        );
    }
}
