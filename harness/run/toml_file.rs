//! Reading a TOML file of ours: every error names the file, the line, the field and what was expected.

use std::ops::Range;

use serde::de::DeserializeOwned;
use thiserror::Error;

/// What is wrong with a data file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}{}: {expected}", place(*line, field))]
pub struct DataError {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// The field; empty where it is none.
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
                .unwrap_or_default();
            self.error(&span, &field, &plain(error.message()))
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

/// Where it is, behind the file's name.
fn place(line: usize, field: &str) -> String {
    match (line, field) {
        (0, _) => String::new(),
        (line, "") => format!(":{line}"),
        (line, field) => format!(":{line}: field `{field}`"),
    }
}

/// What the reader of TOML says, in the words of who writes a file instead of who reads it in Rust.
fn plain(message: &str) -> String {
    const WORDS: &[(&str, &str)] = &[
        ("wanted exactly 1 element, more than 1 element", ONE_ENTRY),
        ("wanted exactly 1 element, found 0 elements", ONE_ENTRY),
        ("wanted exactly 1 element", ONE_ENTRY),
        (
            "expected u32",
            "expected a whole number from 0 to 4294967295",
        ),
        ("expected u8", "expected a whole number from 0 to 255"),
        ("expected usize", "expected a whole number"),
        ("expected a sequence", "expected a list in [ ]"),
        ("expected a map", "expected a table with keys and values"),
        ("expected a boolean", "expected true or false"),
        ("expected a string", "expected a text in quotes"),
    ];
    const ONE_ENTRY: &str = "expected exactly one entry in the braces";
    let found = WORDS.iter().find(|(theirs, _)| message.contains(theirs));
    match found {
        Some((theirs, ours)) => message.replace(theirs, ours),
        None => message.to_owned(),
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
    fn errors_speak_of_files_not_of_rust() {
        let expected =
            "invalid type: string \"many\", expected a whole number from 0 to 4294967295";
        assert_eq!(
            plain("invalid type: string \"many\", expected u32"),
            expected
        );
        assert!(
            plain("wanted exactly 1 element, found 0 elements").starts_with("expected exactly")
        );
        let error = |line, field: &str| DataError {
            file: "a.toml".to_owned(),
            line,
            field: field.to_owned(),
            expected: "failed to read it".to_owned(),
        };
        assert_eq!(error(0, "").to_string(), "a.toml: failed to read it");
        assert_eq!(error(2, "").to_string(), "a.toml:2: failed to read it");
    }

    #[test]
    fn broken_files_name_line_and_field() {
        check("name = \"x\"\nrounds = \"many\"\n", (2, "rounds"));
        check("name = \"x\"\nrounds = 1\nround = 2\n", (3, "round"));
        check("\nname = \"x\"\n", (1, "rounds"));
        check("name = \"x\"\nrounds = \n", (2, "rounds"));
    }
}
