//! Folded stacks: one line for each stack, `outer;inner 42`, as tools of flame graphs read and write them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Weights of stacks. The first frame of each is the thread's name, without a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded(BTreeMap<String, u64>);

/// Why a text is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("failed to read line {number} of folded stacks: expected `frame;frame 42`, found `{line}`")]
pub struct FoldedError {
    /// Counted from 1.
    pub number: usize,
    /// The line.
    pub line: String,
}

impl Folded {
    /// Adds to the weight of a stack of `thread`.
    pub(crate) fn add(&mut self, thread: &str, stack: &[String], weight: u64) {
        if weight == 0 {
            return;
        }
        let mut line = kind_of(thread).replace([';', '\n'], ":");
        for frame in stack {
            line.push(';');
            line.push_str(frame);
        }
        *self.0.entry(line).or_default() += weight;
    }

    /// Adds all that another one holds.
    pub fn merge(&mut self, other: Self) {
        for (stack, weight) in other.0 {
            *self.0.entry(stack).or_default() += weight;
        }
    }

    /// Sum of all weights.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// True when there is no stack.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Frames of each stack, outermost first, and its weight.
    pub fn stacks(&self) -> impl Iterator<Item = (std::str::Split<'_, char>, u64)> {
        self.0
            .iter()
            .map(|(stack, weight)| (stack.split(';'), *weight))
    }

    /// The stacks for which `keep` says so of their frames.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let kept = self
            .0
            .iter()
            .filter(|(stack, _)| stack.split(';').any(&keep));
        Self(
            kept.map(|(stack, weight)| (stack.clone(), *weight))
                .collect(),
        )
    }

    /// A line for each stack.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |(stack, weight): (&String, &u64)| format!("{stack} {weight}");
        self.0.iter().map(line).collect()
    }
}

impl fmt::Display for Folded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|(stack, weight)| writeln!(f, "{stack} {weight}"))
    }
}

impl FromStr for Folded {
    type Err = FoldedError;

    fn from_str(text: &str) -> Result<Self, FoldedError> {
        let mut folded = Self::default();
        for (index, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.is_empty())
        {
            let read = || {
                let (stack, weight) = line.rsplit_once(' ')?;
                Some((stack.to_owned(), weight.parse::<u64>().ok()?))
            };
            let (stack, weight) = read().ok_or_else(|| FoldedError {
                number: index + 1,
                line: line.to_owned(),
            })?;
            *folded.0.entry(stack).or_default() += weight;
        }
        Ok(folded)
    }
}

/// A thread's name without its number: workers that do the same stand together, however many there are.
fn kind_of(thread: &str) -> &str {
    let named = thread.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let kind = named.trim_end_matches(['-', '_', '.', ':', '#', ' ']);
    if named.len() == thread.len() || kind.is_empty() {
        thread
    } else {
        kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let text = "a;b c;d 3\na;e 1\n";
        let mut folded: Folded = text.parse().unwrap();
        assert_eq!((folded.to_string().as_str(), folded.total()), (text, 4));
        folded.merge("a;e 5\nf 2\n".parse().unwrap());
        assert_eq!(folded.to_string(), "a;b c;d 3\na;e 6\nf 2\n");
        assert_eq!(folded.only(|frame| frame == "e").to_string(), "a;e 6\n");
    }

    #[test]
    fn threads_of_one_kind_stand_together() {
        let mut folded = Folded::default();
        for thread in [
            "worker-0",
            "worker-17",
            "worker",
            "tokio-rt-worker",
            "7",
            "a-",
        ] {
            folded.add(thread, &[], 1);
        }
        assert_eq!(
            folded.to_string(),
            "7 1\na- 1\ntokio-rt-worker 1\nworker 3\n"
        );
    }

    #[test]
    fn another_form_is_told_with_its_line() {
        let error = "a 1\nb\n".parse::<Folded>().unwrap_err();
        assert_eq!((error.number, error.line.as_str()), (2, "b"));
    }
}
