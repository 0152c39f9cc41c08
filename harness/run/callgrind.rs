//! Instructions of pure functions, counted by Callgrind. `ringside count` of a build does their work one after
//! another; Callgrind collects within one function of it, and writes a file whenever another one is called
//! (`cli/commands/count.rs`).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::child::{Child, LINE_MAX, Order};
use crate::manifest::find_program;
use crate::stop::Stop;

/// The functions of `ringside count`, whatever module a build has them in.
const COLLECT: &str = "--toggle-collect=*ringside_counted_work*";
const DUMP: &str = "--dump-before=*ringside_counted_end*";

/// All functions take a few seconds, more on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);
/// How often a wait looks whether the gate is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Counts instructions.
#[derive(Debug, Clone)]
pub struct Callgrind {
    valgrind: PathBuf,
}

/// Why instructions could not be counted.
#[derive(Debug, Error)]
pub enum CallgrindError {
    /// The tool is not there.
    #[error("valgrind is not installed; `apt-get install valgrind` allows it")]
    Missing,
    /// It did not run to its end.
    #[error("`count` under valgrind failed: {because}")]
    Run {
        /// What happened, and what it said.
        because: String,
    },
    /// It ended well, and what it wrote cannot be read.
    #[error("valgrind wrote no count of {function}: {because}")]
    Read {
        /// The function.
        function: String,
        /// What was found.
        because: &'static str,
    },
    /// It was stopped.
    #[error("interrupted")]
    Interrupted,
}

impl Callgrind {
    /// Looks for valgrind.
    ///
    /// # Errors
    /// [`CallgrindError::Missing`].
    pub fn find() -> Result<Self, CallgrindError> {
        let valgrind = find_program("valgrind").ok_or(CallgrindError::Missing)?;
        Ok(Self { valgrind })
    }

    /// The instructions of each of `functions` of the build in `program`, in their order. Files go to `folder`.
    ///
    /// # Errors
    /// [`CallgrindError`]; then nothing is known of any of them.
    pub fn instructions(
        &self,
        program: &Path,
        functions: &[&str],
        folder: &Path,
        stop: &Stop,
    ) -> Result<Vec<u64>, CallgrindError> {
        let file = folder.join("callgrind");
        self.run(program, functions, &file, stop)?;
        let count = |(part, function): (usize, &&str)| {
            let path = file.with_extension(part.to_string());
            let text = std::fs::read_to_string(path).unwrap_or_default();
            collected(&text).map_err(|because| CallgrindError::Read {
                function: (*function).to_owned(),
                because,
            })
        };
        // Parts are numbered from 1.
        (1..).zip(functions).map(count).collect()
    }

    fn run(
        &self,
        program: &Path,
        functions: &[&str],
        file: &Path,
        stop: &Stop,
    ) -> Result<(), CallgrindError> {
        let failed = |because| CallgrindError::Run { because };
        let mut child = Child::start(Order {
            argv: &self.command(program, functions, file),
            environment: Vec::new(),
            directory: None,
            cpus: &[],
            log: &file.with_extension("log"),
            inherit: None,
            line_max: LINE_MAX,
        })
        .map_err(failed)?;
        child.ignore_output();
        let began = Instant::now();
        loop {
            match child.ended_within(LOOK) {
                Some(ended) if ended.is_success() => return Ok(()),
                Some(ended) => return Err(failed(format!("it {ended}: {}", child.stderr_tail()))),
                None if stop.is_set() => return Err(CallgrindError::Interrupted),
                None if began.elapsed() > LIMIT => {
                    let limit = LIMIT.as_secs();
                    return Err(failed(format!("it did not end within {limit} s")));
                }
                None => {}
            }
        }
    }

    fn command(&self, program: &Path, functions: &[&str], file: &Path) -> Vec<String> {
        let mut argv = vec![
            self.valgrind.display().to_string(),
            "--tool=callgrind".to_owned(),
            // A build may be a script that starts it.
            "--trace-children=yes".to_owned(),
            COLLECT.to_owned(),
            DUMP.to_owned(),
            format!("--callgrind-out-file={}", file.display()),
            program.display().to_string(),
            "count".to_owned(),
        ];
        argv.extend(functions.iter().map(|&function| function.to_owned()));
        argv
    }
}

/// Instructions by a file of Callgrind's: the first cost of its `summary:` line, if that of its `events:` is `Ir`
/// (Valgrind's manual, "Callgrind Format Specification").
fn collected(text: &str) -> Result<u64, &'static str> {
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let events = value("events:").ok_or("there is no such file, or it has no events")?;
    if events.split_whitespace().next() != Some("Ir") {
        return Err("its first event is not Ir");
    }
    let summary = value("summary:").ok_or("it has no summary")?;
    let count = summary.split_whitespace().next();
    match count.and_then(|count| count.parse().ok()) {
        None => Err("its summary is no number"),
        Some(0) => Err("none was seen, since the build has no symbols or lacks the function"),
        Some(count) => Ok(count),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// What Callgrind 3.19 writes, shortened.
    const FILE: &str = "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\npid: 606\n\
        cmd:  ./ringside count hash/fnv1a\npart: 1\n\n\ndesc: Timerange: Basic block 0 - 71052\n\
        desc: Trigger: --dump-before=*end*\n\npositions: line\nevents: Ir\nsummary: 44430\n\n\n\
        ob=(1) /usr/bin/ringside\nfl=(1) ???\nfn=(1) ringside_counted_work\n0 509\n\ntotals: 44430\n";

    fn check(from: &str, to: &str, expected: Result<u64, &str>) {
        assert!(FILE.contains(from), "{from}");
        let read = collected(&FILE.replace(from, to));
        match expected {
            Ok(count) => assert_eq!(read, Ok(count)),
            Err(part) => assert!(read.unwrap_err().contains(part), "{from} {to}"),
        }
    }

    #[test]
    fn the_summary_is_read_and_what_is_none_is_told() {
        check("44430", "44430", Ok(44_430));
        check("events: Ir", "events: Ir Dr", Ok(44_430));
        check("summary: 44430", "summary: 44430 17 9", Ok(44_430));
        check("events: Ir", "events: Dr Ir", Err("not Ir"));
        check("events: Ir\n", "", Err("no events"));
        check("summary: 44430\n", "", Err("no summary"));
        check("summary: 44430", "summary: many", Err("no number"));
        check("summary: 44430", "summary: 0", Err("no symbols"));
        assert!(collected("").unwrap_err().contains("no such file"));
    }

    /// A stand-in for valgrind in `folder` that runs `script`; `$file` is where the counts go.
    fn stand_in(folder: &Path, script: &str) -> Callgrind {
        let path = folder.join("valgrind");
        let file = folder.join("callgrind");
        let text = format!("#!/bin/sh\nfile={}\n{script}\n", file.display());
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Callgrind { valgrind: path }
    }

    fn instructions(script: &str) -> Result<Vec<u64>, String> {
        let folder = tempfile::tempdir().unwrap();
        let callgrind = stand_in(folder.path(), script);
        let functions = ["hash/fnv1a", "hash/xxh3"];
        callgrind
            .instructions(
                Path::new("/nowhere/ringside"),
                &functions,
                folder.path(),
                &Stop::default(),
            )
            .map_err(|error| error.to_string())
    }

    #[test]
    fn each_function_has_a_file_of_its_own() {
        let write = |part: u32, count: u32| {
            format!("printf 'events: Ir\\nsummary: {count}\\n' > $file.{part}\n")
        };
        let both = [write(1, 7), write(2, 9)].concat();
        assert_eq!(instructions(&both), Ok(vec![7, 9]));
        let error = instructions(&write(1, 7)).unwrap_err();
        assert!(error.contains("no count of hash/xxh3"), "{error}");
        let error = instructions("echo 'no such command' >&2; exit 2").unwrap_err();
        assert!(error.contains("no such command"), "{error}");
    }
}
