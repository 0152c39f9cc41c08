//! Parameters of a scenario: declared once with a default, read as checked values.

use std::time::Duration;

use thiserror::Error;

use crate::{ScenarioSpec, Settings};

/// Most of a `Count`: the connections of the largest claim of the documents. What is behind a count is
/// allocated before anything can refuse it, so an absurd one would end the program and not the block.
const COUNT_MAX: u32 = 1_000_000;
/// Most of a `Rate`: about ten times what one machine has ever answered on loopback.
const RATE_MAX: f64 = 10_000_000.0;
/// Most of a `Size`: a hundred times the largest body of the documents, which still fits on a disk.
const SIZE_MAX: u64 = 100_000_000_000;
/// Most of a `Duration`: a day.
const DURATION_MAX: Duration = Duration::from_secs(86_400);

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A whole number, at least 1 and at most a million.
    Count,
    /// Bytes: `64B`, `1KiB`, `64KiB`, `10MB`, `1GB` (KB/MB/GB are powers of ten, KiB/MiB/GiB of two); at
    /// most 100GB.
    Size,
    /// A number of operations a second, from zero to ten million.
    Rate,
    /// A time: `500us`, `20ms`, `4s`; at most a day.
    Duration,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// One parameter that a scenario declares.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its key, such as `connections`.
    pub name: &'static str,
    /// What values it takes.
    pub kind: ParameterKind,
    /// The value when none is given.
    pub default: &'static str,
    /// The value in the smoke plan, where the default would take too long.
    pub smoke: Option<&'static str>,
    /// What it means, one sentence.
    pub about: &'static str,
}

/// Why a parameter was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParamError {
    /// The scenario declares no such parameter.
    #[error("{scenario} has no parameter `{name}`; it has {known}")]
    Unknown {
        /// The scenario.
        scenario: String,
        /// The name that was given.
        name: String,
        /// The names that it declares, with commas between.
        known: String,
    },
    /// The value is not of the parameter's kind.
    #[error("parameter `{name}`: `{value}` is not {expected}")]
    Value {
        /// The parameter.
        name: String,
        /// The value that was given.
        value: String,
        /// What it takes.
        expected: String,
    },
    /// Values that cannot stand together.
    #[error("parameters do not fit together: {because}")]
    Conflict {
        /// What is wrong and what would be right.
        because: String,
    },
}

/// Every parameter of a scenario with a checked value, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    spec: ScenarioSpec,
    values: Settings,
}

impl Params {
    /// Checks `spec` against the declared parameters and fills in defaults.
    ///
    /// # Errors
    /// An unknown name, or a value that is not of its kind.
    pub fn resolve(spec: &ScenarioSpec, declared: &[&Parameter]) -> Result<Self, ParamError> {
        for (name, value) in spec.params.iter() {
            let parameter = declared.iter().find(|p| p.name == name).ok_or_else(|| {
                let known: Vec<_> = declared.iter().map(|p| p.name).collect();
                ParamError::Unknown {
                    scenario: spec.id.to_string(),
                    name: name.to_owned(),
                    known: known.join(", "),
                }
            })?;
            parameter.check(value)?;
        }
        let mut values = Settings::default();
        let mut canonical = Settings::default();
        for parameter in declared {
            let value = spec
                .params
                .value(parameter.name)
                .unwrap_or(parameter.default);
            values.set(parameter.name, value);
            if value != parameter.default {
                canonical.set(parameter.name, value);
            }
        }
        let spec = ScenarioSpec {
            id: spec.id.clone(),
            params: canonical,
        };
        Ok(Self { spec, values })
    }

    /// The scenario's name in canonical form: parameters at their default are left out.
    pub fn spec(&self) -> &ScenarioSpec {
        &self.spec
    }

    /// Every value, defaults included.
    pub fn settings(&self) -> &Settings {
        &self.values
    }

    /// The text of a parameter.
    ///
    /// # Panics
    /// When the scenario asks for a parameter that it does not declare: a mistake in its own file.
    pub fn text(&self, name: &str) -> &str {
        self.values
            .value(name)
            .expect("a scenario reads only parameters that it declares")
    }

    /// A `Count`.
    pub fn count(&self, name: &str) -> u32 {
        self.text(name).parse().expect("checked by `resolve`")
    }

    /// A `Size` in bytes.
    pub fn size(&self, name: &str) -> u64 {
        parse_size(self.text(name)).expect("checked by `resolve`")
    }

    /// A `Rate` in operations a second.
    pub fn rate(&self, name: &str) -> f64 {
        self.text(name).parse().expect("checked by `resolve`")
    }

    /// A `Duration`.
    pub fn duration(&self, name: &str) -> Duration {
        parse_duration(self.text(name)).expect("checked by `resolve`")
    }
}

impl Parameter {
    /// Whether `value` is of this parameter's kind.
    ///
    /// # Errors
    /// [`ParamError::Value`] with what was expected.
    pub fn check(&self, value: &str) -> Result<(), ParamError> {
        let (fits, expected) = match self.kind {
            ParameterKind::Count => (
                value
                    .parse::<u32>()
                    .is_ok_and(|count| (1..=COUNT_MAX).contains(&count)),
                format!("a whole number from 1 to {COUNT_MAX}"),
            ),
            ParameterKind::Size => (
                parse_size(value).is_some_and(|size| size <= SIZE_MAX),
                "a size such as 64B, 1KiB or 10MB, at most 100GB".to_owned(),
            ),
            ParameterKind::Rate => (
                value
                    .parse::<f64>()
                    .is_ok_and(|rate| (0.0..=RATE_MAX).contains(&rate)),
                format!("a rate a second, such as 20000, at most {RATE_MAX}"),
            ),
            ParameterKind::Duration => (
                parse_duration(value).is_some_and(|time| time <= DURATION_MAX),
                "a time such as 500us, 20ms or 4s, at most 24h".to_owned(),
            ),
            ParameterKind::Choice(words) => (
                words.contains(&value),
                format!("one of {}", words.join(", ")),
            ),
        };
        if fits {
            Ok(())
        } else {
            Err(ParamError::Value {
                name: self.name.to_owned(),
                value: value.to_owned(),
                expected,
            })
        }
    }
}

/// Bytes of a size such as `64B`, `1KiB` or `10MB`; `None` when it is none.
pub fn parse_size(text: &str) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let factor: u64 = match unit {
        "B" => 1,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// The time that a text such as `500us`, `20ms`, `4s` or `10m` names; `None` when it is none.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ns" => Some(Duration::from_nanos(number)),
        "us" => Some(Duration::from_micros(number)),
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Parameter = Parameter {
        name: "size",
        kind: ParameterKind::Size,
        default: "1KiB",
        smoke: None,
        about: "Bytes of a body.",
    };

    #[test]
    fn sizes_are_powers_of_ten_or_two_by_their_unit() {
        assert_eq!(parse_size("64B"), Some(64));
        assert_eq!(parse_size("1KiB"), Some(1024));
        assert_eq!(parse_size("10MB"), Some(10_000_000));
        assert_eq!(parse_size("10"), None);
        assert_eq!(parse_size("99999999999GB"), None);
    }

    #[test]
    fn defaults_are_filled_in_and_left_out_of_the_name() {
        let spec = "http/small{size=1KiB}".parse().unwrap();
        let params = Params::resolve(&spec, &[&SIZE]).unwrap();
        assert_eq!(params.size("size"), 1024);
        assert_eq!(params.spec().to_string(), "http/small");
    }

    #[test]
    fn unknown_and_broken_parameters_are_named() {
        let unknown = Params::resolve(&"http/small{sise=1KiB}".parse().unwrap(), &[&SIZE]);
        assert!(matches!(unknown, Err(ParamError::Unknown { name, .. }) if name == "sise"));
        let broken = Params::resolve(&"http/small{size=big}".parse().unwrap(), &[&SIZE]);
        assert!(matches!(broken, Err(ParamError::Value { .. })));
    }

    #[test]
    fn values_have_bounds_that_the_message_names() {
        let check = |kind, value: &str, names: &str| {
            let error = Parameter { kind, ..SIZE }.check(value).unwrap_err();
            assert!(error.to_string().contains(names), "{error}");
        };
        check(ParameterKind::Count, "0", "from 1");
        check(ParameterKind::Count, "4000000000", "to 1000000");
        check(ParameterKind::Rate, "1e300", "at most 10000000");
        check(ParameterKind::Rate, "-1", "at most 10000000");
        check(ParameterKind::Rate, "NaN", "at most 10000000");
        check(ParameterKind::Size, "1000GB", "at most 100GB");
        check(ParameterKind::Duration, "25h", "at most 24h");
        assert_eq!(
            Parameter {
                kind: ParameterKind::Count,
                ..SIZE
            }
            .check("1000000"),
            Ok(())
        );
    }
}
