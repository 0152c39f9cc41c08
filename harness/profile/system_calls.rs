//! Which system calls a process makes, from the summaries of `perf trace -s` and of `strace -c`.

use std::collections::BTreeMap;

use ringside_contract::ProfileFigure;

/// How often each was called, by name. Both forms are read; `perf trace` has a table for each thread, which are added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemCalls(BTreeMap<String, u64>);

impl SystemCalls {
    /// Adds the tables of a text; lines that are none of a table are passed over.
    pub fn add(&mut self, text: &str) {
        for (name, calls) in text.lines().filter_map(row) {
            *self.0.entry(name.to_owned()).or_default() += calls;
        }
    }

    /// All calls.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// The calls, the most frequent first: for an operation where it is known how many that makes in all, else as
    /// shares of all.
    pub fn figures(&self, for_an_operation: Option<f64>) -> Vec<ProfileFigure> {
        let total = self.total().max(1) as f64;
        let (scale, unit) = match for_an_operation {
            Some(calls) => (calls / total, "calls/op"),
            None => (1.0 / total, "share"),
        };
        let mut rows: Vec<(&String, &u64)> = self.0.iter().collect();
        rows.sort_by_key(|&(name, calls)| (std::cmp::Reverse(*calls), name));
        let figure = |(name, calls): (&String, &u64)| ProfileFigure {
            name: name.clone(),
            value: *calls as f64 * scale,
            unit: unit.to_owned(),
        };
        rows.into_iter().map(figure).collect()
    }
}

/// `mmap 8 0 0.148 …` of `perf trace`, or `0.00 0.000000 0 19 1 read` of `strace`, whose column of errors may be empty.
fn row(line: &str) -> Option<(&str, u64)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let name = match words.first()?.parse::<f64>() {
        Ok(_) => words.last().filter(|name| **name != "total")?,
        Err(_) => words.first()?,
    };
    let calls = if words.first() == Some(name) {
        // The column of errors keeps a sentence that begins with a word and a number from being a row.
        words.get(2)?.parse::<u64>().ok()?;
        words.get(1)?
    } else {
        words.get(3)?
    };
    Some((name, calls.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, f64)]) {
        let mut calls = SystemCalls::default();
        calls.add(text);
        let found = calls.figures(Some(calls.total() as f64));
        let found: Vec<_> = found.iter().map(|one| (&*one.name, one.value)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn both_programs_are_understood() {
        check(
            " Summary of events:\n\n server (17283), 58 events, 90.6%\n\n\
             \x20  syscall            calls  errors  total       min\n\
             \x20                                   (msec)    (msec)\n\
             \x20  --------------- --------  ------ -------- ---------\n\
             \x20  read                   8      0     0.148     0.016\n\
             \x20  mmap                   3      0     0.071     0.016\n\n\
             \x20 other (17284), 2 events, 9.4%\n\n\
             \x20  read                   2      1     0.148     0.016\n",
            &[("read", 10.0), ("mmap", 3.0)],
        );
        check(
            "% time     seconds  usecs/call     calls    errors syscall\n\
             ------ ----------- ----------- --------- --------- ----------------\n\
             \x20 0.00    0.000000           0         2           close\n\
             \x20 0.00    0.000000           0        11         1 read\n\
             ------ ----------- ----------- --------- --------- ----------------\n\
             100.00    0.000000           0        13         1 total\n",
            &[("read", 11.0), ("close", 2.0)],
        );
    }

    #[test]
    fn calls_are_told_for_an_operation_or_as_shares() {
        let mut calls = SystemCalls::default();
        calls.add("read 30 0\nwrite 10 0\n");
        let values = |of| {
            calls
                .figures(of)
                .into_iter()
                .map(|one| one.value)
                .collect::<Vec<_>>()
        };
        assert_eq!(values(Some(2.0)), [1.5, 0.5]);
        assert_eq!(values(None), [0.75, 0.25]);
        assert_eq!(SystemCalls::default().figures(None), []);
    }
}
