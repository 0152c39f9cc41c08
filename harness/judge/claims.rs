//! Reading `claims.csv`: one documented claim a line, each field checked, each fault named by file,
//! line and field with what was expected.

use std::collections::BTreeMap;

use ringside_contract::{Claim, ClaimKind, ImplementationSpec, Role, ScenarioSpec, Settings};
use thiserror::Error;

use crate::metrics::{metric, unobservable};
use crate::needs::{NEEDS, is_need};
use crate::units::is_unit;

/// Why a table of claims could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClaimsError {
    /// The first line is not the header.
    #[error("{file}, line 1: expected the header `{expected}`; found `{found}`")]
    Header {
        /// The file's name.
        file: String,
        /// The header.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A line is not CSV, or has another number of fields.
    #[error("{file}, line {line}: {because}; expected {expected} fields with commas between")]
    Line {
        /// The file's name.
        file: String,
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong.
        because: String,
        /// How many fields a line has.
        expected: usize,
    },
    /// A field has a value that it cannot have.
    #[error("{file}, line {line}, field `{field}`: `{found}` is not {expected}")]
    Field {
        /// The file's name.
        file: String,
        /// Number of the line, from 1.
        line: u64,
        /// The field's name in the header.
        field: &'static str,
        /// What stands there.
        found: String,
        /// What it takes.
        expected: String,
    },
    /// A field names something that does not exist.
    #[error("{file}, line {line}, field `{field}`: {because}")]
    Name {
        /// The file's name.
        file: String,
        /// Number of the line, from 1.
        line: u64,
        /// The field's name in the header.
        field: &'static str,
        /// What there is not, and what comes nearest.
        because: String,
    },
    /// Two claims have one id.
    #[error(
        "{file}, line {line}, field `id`: `{id}` stands on line {first} already; give each claim a name of its own"
    )]
    Duplicate {
        /// The file's name.
        file: String,
        /// Number of the second line.
        line: u64,
        /// Number of the first line.
        first: u64,
        /// The id.
        id: String,
    },
}

/// A name in a claim that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameFault {
    /// The field's name in the header.
    pub field: &'static str,
    /// What there is not, and what comes nearest.
    pub because: String,
}

const COLUMNS: [&str; 15] = [
    "id",
    "seed",
    "section",
    "role",
    "scenario",
    "params",
    "metric",
    "unit",
    "baseline",
    "candidate",
    "kind",
    "low",
    "high",
    "needs",
    "statement",
];

/// Reads the table; `file` is its name in messages. Lines keep their order.
///
/// # Errors
/// The first fault, with its line, its field and what was expected.
pub fn read_claims(text: &str, file: &str) -> Result<Vec<Claim>, ClaimsError> {
    read_claims_that(text, file, &|_| Ok(()))
}

/// The same for claims whose names are known to `check`: this crate knows metrics, and neither
/// scenarios nor implementations.
///
/// # Errors
/// As [`read_claims`], and the first name that `check` does not know.
pub fn read_claims_that(
    text: &str,
    file: &str,
    check: &dyn Fn(&Claim) -> Result<(), NameFault>,
) -> Result<Vec<Claim>, ClaimsError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut claims = Vec::new();
    let mut lines_by_id = BTreeMap::new();
    let mut header_seen = false;
    for row in reader.records() {
        let row = row.map_err(|error| broken_line(file, text, &error))?;
        if !header_seen {
            check_header(file, &row)?;
            header_seen = true;
            continue;
        }
        let line = line_of(text, row.position());
        let fields = Fields {
            file,
            line,
            row: &row,
        };
        let claim = fields.claim()?;
        if let Some(first) = lines_by_id.insert(claim.id.clone(), line) {
            let file = file.to_owned();
            return Err(ClaimsError::Duplicate {
                file,
                line,
                first,
                id: claim.id,
            });
        }
        check(&claim).map_err(|NameFault { field, because }| ClaimsError::Name {
            file: file.to_owned(),
            line,
            field,
            because,
        })?;
        claims.push(claim);
    }
    if header_seen {
        Ok(claims)
    } else {
        check_header(file, &csv::StringRecord::new()).map(|()| claims)
    }
}

/// Whether a claim may be about this metric: one that is measured, or one that is known and that nothing
/// can observe.
pub fn is_metric(name: &str) -> bool {
    metric(name).is_some() || unobservable(name).is_some()
}

fn check_header(file: &str, row: &csv::StringRecord) -> Result<(), ClaimsError> {
    if row.iter().eq(COLUMNS) {
        return Ok(());
    }
    Err(ClaimsError::Header {
        file: file.to_owned(),
        expected: COLUMNS.join(","),
        found: row.iter().collect::<Vec<_>>().join(","),
    })
}

/// The line on which a row begins, from 1. The reader's own count stands before the rest of the last
/// line's ending and before blank lines, so its offset is taken and the lines are counted here.
fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let start = position.map_or(0, |position| {
        usize::try_from(position.byte()).unwrap_or(usize::MAX)
    });
    let bytes = text.as_bytes();
    let rest = bytes.get(start..).unwrap_or_default();
    let blank = rest
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    let before = bytes.get(..start + blank).unwrap_or(bytes);
    1 + before.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn broken_line(file: &str, text: &str, error: &csv::Error) -> ClaimsError {
    ClaimsError::Line {
        file: file.to_owned(),
        line: line_of(text, error.position()),
        because: error.to_string(),
        expected: COLUMNS.len(),
    }
}

/// One line with its place, for messages.
struct Fields<'a> {
    file: &'a str,
    line: u64,
    row: &'a csv::StringRecord,
}

impl Fields<'_> {
    fn claim(&self) -> Result<Claim, ClaimsError> {
        self.check_one_line()?;
        if self.row.len() != COLUMNS.len() {
            return Err(ClaimsError::Line {
                file: self.file.to_owned(),
                line: self.line,
                because: format!("it has {} fields", self.row.len()),
                expected: COLUMNS.len(),
            });
        }
        let kind = self.kind()?;
        let (baseline, baseline_params) = self.baseline()?;
        let claim = Claim {
            id: self.id()?,
            seed: self.present("seed", "the name of a document")?,
            section: self.present("section", "a section of the document")?,
            role: self.role()?,
            scenario: self.scenario()?,
            metric: self.metric()?,
            unit: self.unit()?,
            baseline,
            baseline_params,
            candidate: self
                .optional("candidate", "an implementation, such as http/epoll")?
                .ok_or_else(|| self.fault("candidate", "an implementation, such as http/epoll"))?,
            kind,
            low: self.number("low")?,
            high: self.number("high")?,
            needs: self.needs()?,
            statement: self.present("statement", "a sentence")?,
        };
        self.check_bounds(&claim)?;
        Ok(claim)
    }

    fn text(&self, field: &str) -> &str {
        let column = COLUMNS.iter().position(|name| *name == field);
        column
            .and_then(|column| self.row.get(column))
            .unwrap_or("")
            .trim()
    }

    fn fault(&self, field: &'static str, expected: &str) -> ClaimsError {
        ClaimsError::Field {
            file: self.file.to_owned(),
            line: self.line,
            field,
            found: self.text(field).to_owned(),
            expected: expected.to_owned(),
        }
    }

    fn present(&self, field: &'static str, expected: &str) -> Result<String, ClaimsError> {
        let text = self.text(field);
        if text.is_empty() {
            Err(self.fault(field, expected))
        } else {
            Ok(text.to_owned())
        }
    }

    fn id(&self) -> Result<String, ClaimsError> {
        let expected = "a name of lower-case letters, digits and hyphens, such as http-uring-gain";
        let id = self.present("id", expected)?;
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if id.bytes().all(fits) {
            Ok(id)
        } else {
            Err(self.fault("id", expected))
        }
    }

    /// A quote that is left open takes the lines behind it into its field, and their claims would be
    /// gone without a word.
    fn check_one_line(&self) -> Result<(), ClaimsError> {
        let Some(column) = self.row.iter().position(|field| field.contains('\n')) else {
            return Ok(());
        };
        let name = COLUMNS.get(column).copied().unwrap_or("behind the last");
        Err(ClaimsError::Line {
            file: self.file.to_owned(),
            line: self.line,
            because: format!(
                "the field `{name}` goes on over the end of the line; close its quote"
            ),
            expected: COLUMNS.len(),
        })
    }

    /// Documents name metrics that nothing measures yet, so only the form of the name is checked.
    fn metric(&self) -> Result<String, ClaimsError> {
        let expected = "the name of a metric in lower case, such as latency_p99";
        let name = self.present("metric", expected)?;
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.bytes().all(fits) {
            Ok(name)
        } else {
            Err(self.fault("metric", expected))
        }
    }

    fn unit(&self) -> Result<String, ClaimsError> {
        let expected = "a unit, such as ms, req/s, KiB or ratio";
        let unit = self.present("unit", expected)?;
        if is_unit(&unit) {
            Ok(unit)
        } else {
            Err(self.fault("unit", expected))
        }
    }

    fn needs(&self) -> Result<Vec<String>, ClaimsError> {
        let needs = self.text("needs").split(';').map(str::trim);
        let needs: Vec<_> = needs.filter(|need| !need.is_empty()).collect();
        if needs.iter().all(|need| is_need(need)) {
            Ok(needs.into_iter().map(str::to_owned).collect())
        } else {
            Err(self.fault("needs", NEEDS))
        }
    }

    fn role(&self) -> Result<Role, ClaimsError> {
        match self.text("role") {
            "promise" => Ok(Role::Promise),
            "limit" => Ok(Role::Limit),
            "before" => Ok(Role::Before),
            _ => Err(self.fault("role", "one of promise, limit, before")),
        }
    }

    fn kind(&self) -> Result<ClaimKind, ClaimsError> {
        match self.text("kind") {
            "at_least" => Ok(ClaimKind::AtLeast),
            "at_most" => Ok(ClaimKind::AtMost),
            "range" => Ok(ClaimKind::Range),
            "ratio" => Ok(ClaimKind::Ratio),
            "ratio_time" => Ok(ClaimKind::RatioTime),
            "reduction" => Ok(ClaimKind::Reduction),
            _ => Err(self.fault(
                "kind",
                "one of at_least, at_most, range, ratio, ratio_time, reduction",
            )),
        }
    }

    fn scenario(&self) -> Result<ScenarioSpec, ClaimsError> {
        let expected = "family/name, such as http/small";
        let id = self
            .text("scenario")
            .parse()
            .map_err(|_| self.fault("scenario", expected))?;
        let params = Settings::parse(self.text("params"), ';').map_err(|_| {
            self.fault("params", "key=value with semicolons between, each key once")
        })?;
        Ok(ScenarioSpec { id, params })
    }

    fn optional<T: std::str::FromStr>(
        &self,
        field: &'static str,
        expected: &str,
    ) -> Result<Option<T>, ClaimsError> {
        match self.text(field) {
            "" => Ok(None),
            text => text
                .parse()
                .map(Some)
                .map_err(|_| self.fault(field, expected)),
        }
    }

    /// What it is compared with, and the parameters that are others there, in braces.
    fn baseline(&self) -> Result<(Option<ImplementationSpec>, Settings), ClaimsError> {
        let expected = "an implementation, such as http/epoll[body=copy_8k], and, where the scenario's \
                        parameters differ, those of the baseline behind it, such as mqtt/epoll{qos=0}";
        let fault = || self.fault("baseline", expected);
        let (name, braces) = match self.text("baseline").split_once('{') {
            None => (self.text("baseline"), None),
            Some((name, rest)) => (name, Some(rest.strip_suffix('}').ok_or_else(fault)?)),
        };
        if name.is_empty() {
            return match braces {
                None => Ok((None, Settings::default())),
                Some(_) => Err(fault()),
            };
        }
        let params = Settings::parse(braces.unwrap_or_default(), ',').map_err(|_| fault())?;
        if braces.is_some() && params.is_empty() {
            return Err(fault());
        }
        Ok((Some(name.parse().map_err(|_| fault())?), params))
    }

    fn number(&self, field: &'static str) -> Result<Option<f64>, ClaimsError> {
        let number = self.optional::<f64>(field, "a number")?;
        match number {
            Some(number) if !number.is_finite() => Err(self.fault(field, "a number")),
            number => Ok(number),
        }
    }

    /// Whether the bounds and the baseline are those that the kind needs.
    fn check_bounds(&self, claim: &Claim) -> Result<(), ClaimsError> {
        let (needs_low, needs_high) = match claim.kind {
            ClaimKind::AtMost => (false, true),
            ClaimKind::Range => (true, true),
            ClaimKind::AtLeast | ClaimKind::Ratio | ClaimKind::RatioTime | ClaimKind::Reduction => {
                (true, false)
            }
        };
        if needs_low && claim.low.is_none() {
            return Err(self.fault("low", "a number, which this kind of claim needs"));
        }
        if needs_high && claim.high.is_none() {
            return Err(self.fault("high", "a number, which this kind of claim needs"));
        }
        if matches!((claim.low, claim.high), (Some(low), Some(high)) if low > high) {
            return Err(self.fault("high", "a number that is not below `low`"));
        }
        let compares = matches!(
            claim.kind,
            ClaimKind::Ratio | ClaimKind::RatioTime | ClaimKind::Reduction
        );
        match (compares, &claim.baseline) {
            (true, None) => Err(self.fault(
                "baseline",
                "an implementation, which a comparing claim needs",
            )),
            (false, Some(_)) => Err(self.fault(
                "baseline",
                "empty, as a claim of this kind compares nothing",
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
