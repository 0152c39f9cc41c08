//! The conformance cases of logs, over every implementation, and over some that are wrong; and what is left of one whose
//! process was killed.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use ringside_conform::log::{cases, run};
use ringside_contract::operations::Tested;
use ringside_contract::operations::log::{TestedAppender, TestedLog};
use ringside_contract::{Settings, Support};

/// Every log that this system can have, with its name.
fn logs() -> Vec<(&'static str, Box<dyn TestedLog>)> {
    let host = ringside_metal::host::probe();
    let mut logs = Vec::new();
    let all = ringside_operations::all();
    for one in all.iter().filter(|one| one.meta().id.starts_with("log/")) {
        let id = one.meta().id;
        if let Support::No { reason } = one.support(&host, &Settings::default()) {
            eprintln!("skipped: {id}: {reason}");
            continue;
        }
        let Tested::Log(log) = one.tested(&Settings::default()).unwrap() else {
            panic!("{id} is no log");
        };
        logs.push((id, log));
    }
    assert!(logs.len() >= 5, "{}", logs.len());
    logs
}

#[test]
fn every_implementation_passes_every_case() {
    for (id, log) in logs() {
        for case in cases() {
            assert_eq!(run(case.name, log.as_ref()), Ok(()), "{id}: {}", case.name);
        }
    }
}

/// Entry `number` of the process that is killed.
fn entry(number: u64) -> Vec<u8> {
    [
        &number.to_le_bytes()[..],
        &vec![number as u8; number as usize % 300],
    ]
    .concat()
}

/// Appends and tells what was acknowledged until it is killed. The next test starts it in a process of its own.
#[test]
#[ignore = "it is a part of the next one"]
fn appends_until_it_is_killed() {
    let (Ok(id), Ok(path)) = (
        std::env::var("RINGSIDE_LOG"),
        std::env::var("RINGSIDE_LOG_PATH"),
    ) else {
        return;
    };
    let (_, log) = logs().into_iter().find(|(found, _)| *found == id).unwrap();
    let mut open = log.create(Path::new(&path)).unwrap();
    let (mut next, mut told) = (0, io::stdout());
    for round in 0..100_000 {
        let batch: Vec<_> = (next..next + 1 + round % 5).map(entry).collect();
        let entries: Vec<_> = batch.iter().map(Vec::as_slice).collect();
        open.append(&entries).unwrap();
        next += batch.len() as u64;
        writeln!(told, "acknowledged {next}").unwrap();
        told.flush().unwrap();
    }
}

#[test]
fn what_was_acknowledged_outlives_a_process_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    for (id, log) in logs() {
        for (round, after) in [1, 7, 40].into_iter().enumerate() {
            let path = folder
                .path()
                .join(format!("{}-{round}", id.replace('/', "-")));
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "--ignored",
                    "--nocapture",
                    "appends_until_it_is_killed",
                ])
                .env("RINGSIDE_LOG", id)
                .env("RINGSIDE_LOG_PATH", &path)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let acknowledged = |line: io::Result<String>| -> Option<u64> {
                line.unwrap().split_once("acknowledged ")?.1.parse().ok()
            };
            let mut all: Vec<_> = lines
                .by_ref()
                .filter_map(acknowledged)
                .take(after)
                .collect();
            child.kill().unwrap();
            child.wait().unwrap();
            // What it had told before it died.
            all.extend(lines.filter_map(acknowledged));
            let acknowledged = *all.last().unwrap();
            let found = log.recover(&path).unwrap();
            let count = found.len() as u64;
            assert!(count >= acknowledged, "{id}: {count} of {acknowledged}");
            for (number, found) in found.iter().enumerate() {
                assert_eq!(*found, entry(number as u64), "{id}: entry {number}");
            }
        }
    }
}

/// Logs that do one thing wrong: length, sum and bytes of each entry in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Each fiftieth is not written.
    Loses,
    /// What was cut off is shown as far as it came.
    ShowsParts,
    /// Sums are not looked at.
    Trusts,
    /// A restart leaves what was there.
    Remembers,
    /// Whatever is in the file is one entry.
    TakesAll,
    /// One entry that is not whole, and none is found.
    GivesUp,
    /// It says that an entry is on the disk before it is.
    DoesNotSync,
}

struct Wrong(Fault);

struct Open(Fault, fs::File, u64);

fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(7, |sum: u32, &byte| {
        (sum.rotate_left(5) ^ u32::from(byte)).wrapping_mul(0x9e37_79b1)
    })
}

impl TestedLog for Wrong {
    fn create(&self, path: &Path) -> io::Result<Box<dyn TestedAppender>> {
        Ok(Box::new(Open(self.0, fs::File::create(path)?, 0)))
    }

    fn recover(&self, path: &Path) -> io::Result<Vec<Vec<u8>>> {
        let bytes = fs::read(path)?;
        if self.0 == Fault::TakesAll && !bytes.starts_with(&[40, 0, 0, 0]) {
            return Ok(vec![bytes]);
        }
        let (mut rest, mut entries) = (&bytes[..], Vec::new());
        while let Some((head, behind)) = rest.split_first_chunk::<8>() {
            let length = u32::from_le_bytes(*head.first_chunk().unwrap()) as usize;
            let expected = u32::from_le_bytes(*head.last_chunk().unwrap());
            if self.0 == Fault::GivesUp && behind.len() < length {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if behind.len() < length && self.0 != Fault::ShowsParts {
                break;
            }
            let data = &behind[..length.min(behind.len())];
            let whole = [&head[..4], data].concat();
            let trusts = matches!(self.0, Fault::Trusts | Fault::ShowsParts);
            if length == 0 || !(trusts || sum(&whole) == expected) {
                break;
            }
            entries.push(data.to_vec());
            rest = &behind[data.len()..];
        }
        Ok(entries)
    }

    fn unwritten_pages(&self, _: &Path) -> io::Result<Option<u64>> {
        Ok(Some(u64::from(self.0 == Fault::DoesNotSync)))
    }
}

impl TestedAppender for Open {
    fn append(&mut self, entries: &[&[u8]]) -> io::Result<()> {
        for data in entries {
            self.2 += 1;
            if self.0 == Fault::Loses && self.2.is_multiple_of(50) {
                continue;
            }
            let length = (data.len() as u32).to_le_bytes();
            let sum = sum(&[&length[..], data].concat()).to_le_bytes();
            self.1.write_all(&[&length[..], &sum, data].concat())?;
        }
        Ok(())
    }

    fn restart(&mut self) -> io::Result<()> {
        if self.0 != Fault::Remembers {
            io::Seek::rewind(&mut self.1)?;
            self.1.set_len(0)?;
        }
        Ok(())
    }
}

#[test]
fn a_log_that_is_wrong_fails_the_case_that_asks_for_it() {
    let failing = |fault| -> Vec<&str> {
        let names = cases().iter().map(|case| case.name);
        names
            .filter(|name| run(name, &Wrong(fault)).is_err())
            .collect()
    };
    assert_eq!(failing(Fault::None), Vec::<&str>::new());
    for (fault, case) in [
        (Fault::Loses, "finds_what_was_acknowledged"),
        (Fault::ShowsParts, "finds_a_beginning_wherever_it_was_cut"),
        (Fault::Trusts, "finds_a_beginning_wherever_it_was_changed"),
        (Fault::Remembers, "forgets_at_a_restart"),
        (Fault::TakesAll, "says_what_is_no_log"),
        (Fault::GivesUp, "finds_a_beginning_wherever_it_was_cut"),
        (Fault::DoesNotSync, "is_on_the_disk_when_it_says_so"),
    ] {
        let failed = failing(fault);
        assert!(
            failed.contains(&case),
            "{fault:?}: {case} passed; {failed:?} failed"
        );
    }
}
