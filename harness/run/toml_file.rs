//! Reading a TOML file of ours: every error names the file, the line, the field and what was expected.

use std::ops::Range;

use serde::de::DeserializeOwned;
use thiserror::Error;

/// What is wrong with a data file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{line}: field `{field}`: {expected}")]
pub struct DataError {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The field.
    pub field: String,
    /// What stands there and what was expected.
    pub expected: String,
}

/// A file with its text, for errors that name places in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TomlFile<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
}

impl TomlFile<'_> {
    /// Reads the whole file into `T`.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, DataError> {
        toml::from_str(self.text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            let field = quoted_field(error.message())
                .or_else(|| self.key_at(span.start))
                .unwrap_or_else(|| "the file".to_owned());
            self.error(&span, &field, error.message())
        })
    }

    /// An error at a place that was read without one, such as a value that turned out to be wrong.
    pub(crate) fn error(&self, span: &Range<usize>, field: &str, expected: &str) -> DataError {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        DataError {
            file: self.name.to_owned(),
            line: before.matches('\n').count() + 1,
            field: field.to_owned(),
            expected: expected.replace('\n', " "),
        }
    }

    /// The key of the line that `offset` lies in.
    fn key_at(&self, offset: usize) -> Option<String> {
        let start = self
            .text
            .get(..offset)?
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        let line = self.text.get(start..)?.lines().next()?;
        let key = line.split_once('=')?.0.trim();
        (!key.is_empty()).then(|| key.to_owned())
    }
}

/// The field that a message such as "unknown field `x`" or "missing field `x`" is about.
fn quoted_field(message: &str) -> Option<String> {
    let rest = message.split_once("field `")?.1;
    Some(rest.split_once('`')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the reading is tested")]
    struct Sample {
        rounds: u32,
        name: String,
    }

    fn check(text: &str, expected: (usize, &str)) {
        let error = TomlFile {
            name: "a.toml",
            text,
        }
        .parse::<Sample>()
        .unwrap_err();
        assert_eq!((error.line, error.field.as_str()), expected, "{error}");
        assert!(error.to_string().starts_with("a.toml:"));
    }

    #[test]
    fn broken_files_name_line_and_field() {
        check("name = \"x\"\nrounds = \"many\"\n", (2, "rounds"));
        check("name = \"x\"\nrounds = 1\nround = 2\n", (3, "round"));
        check("\nname = \"x\"\n", (1, "rounds"));
        check("name = \"x\"\nrounds = \n", (2, "rounds"));
    }
}
