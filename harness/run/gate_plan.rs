//! What the gate compares: scenarios with an implementation each, and the slowdown that must be caught in
//! each of them.

use std::collections::BTreeSet;

use ringside_contract::{BlockTiming, ImplementationSpec, ScenarioSpec, parse_duration};
use serde::Deserialize;
use toml::Spanned;

use crate::catalogue::{Catalogue, check_serves};
use crate::toml_file::{DataError, TomlFile};
use crate::turn_lengths::TurnLengths;

/// The number of the form that is understood.
const SCHEMA: u32 = 1;
/// Smaller than this nothing on a shared machine can be caught; larger than this nothing needs a gate.
const THRESHOLDS: std::ops::RangeInclusive<f64> = 0.005..=1.0;
/// A turn that is longer gains nothing, and a triple must end in seconds.
const TURN_MAX_MS: u64 = 1_000;

/// One scenario of a gate.
#[derive(Debug, Clone, PartialEq)]
pub struct GateCell {
    /// The scenario.
    pub scenario: ScenarioSpec,
    /// The implementation.
    pub implementation: ImplementationSpec,
    /// The slowdown that must be caught, as a share.
    pub threshold: f64,
}

/// A whole gate.
#[derive(Debug, Clone, PartialEq)]
pub struct GatePlan {
    /// How turns are taken; fitted to each cell when left out.
    pub turns: Option<TurnLengths>,
    /// The slowdown to catch where a scenario says nothing else.
    pub threshold: f64,
    /// The scenarios.
    pub cells: Vec<GateCell>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlan {
    schema: Spanned<u32>,
    turns: Option<RawTurns>,
    threshold: Spanned<f64>,
    #[serde(rename = "cell")]
    cells: Vec<RawCell>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTurns {
    rounds: Spanned<u32>,
    warmup: Spanned<String>,
    measure: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCell {
    scenario: Spanned<String>,
    implementation: Spanned<String>,
    threshold: Option<Spanned<f64>>,
}

impl GatePlan {
    /// Reads a gate from `text`, which is called `name` in errors.
    ///
    /// # Errors
    /// [`DataError`] with line, field and what was expected.
    pub fn parse(name: &str, text: &str, catalogue: &Catalogue) -> Result<Self, DataError> {
        let file = TomlFile { name, text };
        let raw: RawPlan = file.parse()?;
        if *raw.schema.get_ref() != SCHEMA {
            let expected = format!("this version knows {SCHEMA}");
            return Err(file.error(&raw.schema.span(), "schema", &expected));
        }
        let threshold = threshold(&file, &raw.threshold)?;
        let cell = |cell: &RawCell| cell.check(&file, catalogue, threshold);
        let cells = raw.cells.iter().map(cell).collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        for (cell, raw) in cells.iter().zip(&raw.cells) {
            if !seen.insert((cell.scenario.to_string(), cell.implementation.to_string())) {
                let expected = "this pair stands here already";
                return Err(file.error(&raw.scenario.span(), "cell.scenario", expected));
            }
        }
        let turns = raw.turns.as_ref().map(|turns| turns.check(&file));
        Ok(Self {
            turns: turns.transpose()?,
            threshold,
            cells,
        })
    }
}

impl RawTurns {
    fn check(&self, file: &TomlFile<'_>) -> Result<TurnLengths, DataError> {
        if !(2..=100).contains(self.rounds.get_ref()) {
            return Err(file.error(&self.rounds.span(), "turns.rounds", "expected 2 to 100"));
        }
        Ok(TurnLengths {
            timing: BlockTiming {
                warmup_ms: milliseconds(file, &self.warmup, "turns.warmup", 0)?,
                measure_ms: milliseconds(file, &self.measure, "turns.measure", 1)?,
                count_ms: 0,
            },
            rounds: *self.rounds.get_ref(),
        })
    }
}

impl RawCell {
    fn check(
        &self,
        file: &TomlFile<'_>,
        catalogue: &Catalogue,
        default: f64,
    ) -> Result<GateCell, DataError> {
        let of_scenario =
            |because: String| file.error(&self.scenario.span(), "cell.scenario", &because);
        let scenario: ScenarioSpec = self
            .scenario
            .get_ref()
            .parse()
            .map_err(|error| of_scenario(format!("{error}")))?;
        catalogue
            .scenario(&scenario)
            .map_err(|miss| of_scenario(miss.to_string()))?;
        let span = self.implementation.span();
        let of_own = |because: String| file.error(&span, "cell.implementation", &because);
        let implementation: ImplementationSpec = self
            .implementation
            .get_ref()
            .parse()
            .map_err(|error| of_own(format!("{error}")))?;
        catalogue
            .subject(&implementation)
            .map_err(|miss| of_own(miss.to_string()))?;
        check_serves(catalogue, &implementation, &scenario).map_err(of_own)?;
        let threshold = self.threshold.as_ref().map(|of| threshold(file, of));
        Ok(GateCell {
            scenario,
            implementation,
            threshold: threshold.transpose()?.unwrap_or(default),
        })
    }
}

fn threshold(file: &TomlFile<'_>, number: &Spanned<f64>) -> Result<f64, DataError> {
    let value = *number.get_ref();
    if THRESHOLDS.contains(&value) {
        return Ok(value);
    }
    let expected = "expected a share from 0.005 to 1, such as 0.05 for 5 %";
    Err(file.error(&number.span(), "threshold", expected))
}

fn milliseconds(
    file: &TomlFile<'_>,
    text: &Spanned<String>,
    field: &str,
    least: u64,
) -> Result<u64, DataError> {
    parse_duration(text.get_ref())
        .and_then(|time| u64::try_from(time.as_millis()).ok())
        .filter(|time| (least..=TURN_MAX_MS).contains(time))
        .ok_or_else(|| {
            let expected = format!("expected {least}ms to {TURN_MAX_MS}ms, such as 60ms");
            file.error(&text.span(), field, &expected)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::catalogue;

    const SAMPLE: &str = r#"schema = 1
threshold = 0.05
turns = { rounds = 10, warmup = "15ms", measure = "60ms" }

[[cell]]
scenario = "http/small"
implementation = "http/epoll"

[[cell]]
scenario = "http/small{connections=400}"
implementation = "http/epoll"
threshold = 0.1
"#;

    fn check(from: &str, to: &str, line: usize, part: &str) {
        assert!(SAMPLE.contains(from), "{from}");
        let text = SAMPLE.replacen(from, to, 1);
        let error = GatePlan::parse("gate.toml", &text, &catalogue()).unwrap_err();
        assert_eq!(error.line, line, "{error}");
        assert!(error.expected.contains(part), "{error}");
    }

    #[test]
    fn thresholds_are_those_of_the_cell_or_the_default() {
        let plan = GatePlan::parse("gate.toml", SAMPLE, &catalogue()).unwrap();
        let thresholds: Vec<f64> = plan.cells.iter().map(|cell| cell.threshold).collect();
        assert_eq!(thresholds, [0.05, 0.1]);
        let turns = plan.turns.unwrap();
        assert_eq!((turns.timing.warmup_ms, turns.timing.measure_ms), (15, 60));
        assert_eq!(turns.rounds, 10);
        let text = SAMPLE.replace("turns =", "# turns =");
        let plan = GatePlan::parse("gate.toml", &text, &catalogue()).unwrap();
        assert_eq!(plan.turns, None);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        check("schema = 1", "schema = 7", 1, "knows 1");
        check("rounds = 10", "rounds = 1", 3, "2 to 100");
        check("\"60ms\"", "\"0ms\"", 3, "1ms");
        check("0.05", "5.0", 2, "0.05 for 5 %");
        check("http/small\"", "http/smal\"", 6, "http/small");
        check(
            "http/epoll\"",
            "echo/epoll\"",
            7,
            "an implementation of http",
        );
        check("http/small{connections=400}", "http/small", 10, "already");
        check("threshold = 0.1", "threshold = 0.0", 12, "share");
    }
}
