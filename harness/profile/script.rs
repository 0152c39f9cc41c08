//! What `perf script` prints, as events. The fields are those of [`FIELDS`]; switches of threads stand between the
//! samples with `--show-switch-events`.

use std::io::{self, BufRead};

use thiserror::Error;

use crate::frame;

/// Fields to ask `perf script` for (`-F`).
pub(crate) const FIELDS: &str = "comm,tid,time,event,ip,sym,dso";

/// Something that happened to a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The thread's name.
    pub thread: String,
    /// Its id.
    pub id: u32,
    /// When, in nanoseconds of the recorder's clock.
    pub at_ns: u64,
    /// What.
    pub happened: Happened,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A sample with its stack, the innermost frame last.
    Sample {
        /// The event that was sampled, such as `cpu-clock`.
        event: String,
        /// Names of frames.
        stack: Vec<String>,
    },
    /// It left the processor.
    Out {
        /// True when the kernel took the processor away, false when the thread had to wait.
        preempted: bool,
    },
    /// It is on a processor again.
    In,
}

/// Why the text cannot be read.
#[derive(Debug, Error)]
pub enum ScriptError {
    /// It could not be read at all.
    #[error("failed to read what perf script prints: {0}")]
    Read(#[from] io::Error),
    /// A line is of another form.
    #[error("failed to read line {number} of what perf script prints: `{line}`")]
    Line {
        /// Counted from 1.
        number: usize,
        /// The line.
        line: String,
    },
}

/// Reads the whole text and hands on each event.
///
/// # Errors
/// [`ScriptError`].
pub fn read_events(reader: impl BufRead, mut take: impl FnMut(Event)) -> Result<(), ScriptError> {
    let mut open: Option<Event> = None;
    for (index, line) in reader.split(b'\n').enumerate() {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        let broken = || ScriptError::Line {
            number: index + 1,
            line: line.clone().into_owned(),
        };
        if line.starts_with('\t') {
            let frame = frame_of(&line).ok_or_else(broken)?;
            match open.as_mut().map(|event| &mut event.happened) {
                Some(Happened::Sample { stack, .. }) => stack.push(frame),
                _ => return Err(broken()),
            }
            continue;
        }
        if let Some(event) = open.take() {
            take(outermost_first(event));
        }
        if !line.trim().is_empty() {
            open = Some(head_of(&line).ok_or_else(broken)?);
        }
    }
    if let Some(event) = open {
        take(outermost_first(event));
    }
    Ok(())
}

/// `perf` prints the innermost frame first; folded stacks have it last.
fn outermost_first(mut event: Event) -> Event {
    if let Happened::Sample { stack, .. } = &mut event.happened {
        stack.reverse();
    }
    event
}

/// Reads `spin 19874  7526.933613: cpu-clock: ` or `spin 19874 7529.434540: PERF_RECORD_SWITCH OUT preempt`. The name
/// of a thread may hold spaces and colons, so that the time is looked for: a number with six digits behind its point.
fn head_of(line: &str) -> Option<Event> {
    let mut rest = line;
    let mut before = 0;
    loop {
        let (word, behind) = rest
            .split_once(": ")
            .or_else(|| Some((rest.strip_suffix(':')?, "")))?;
        let head = &line[..before + word.len()];
        if let Some((thread, id, at_ns)) = thread_and_time(head) {
            return Some(Event {
                thread,
                id,
                at_ns,
                happened: happened(behind.trim()),
            });
        }
        before = line.len() - behind.len();
        rest = behind;
    }
}

/// Reads `spin 19874  7526.933613`.
fn thread_and_time(text: &str) -> Option<(String, u32, u64)> {
    let (text, time) = text.trim().rsplit_once(' ')?;
    let (name, id) = text.trim_end().rsplit_once(' ')?;
    let (seconds, fraction) = time.split_once('.')?;
    if fraction.len() > 9 || fraction.is_empty() {
        return None;
    }
    let fraction_ns = format!("{fraction:0<9}").parse::<u64>().ok()?;
    let at_ns = seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?;
    Some((
        name.trim().to_owned(),
        id.parse().ok()?,
        at_ns + fraction_ns,
    ))
}

fn happened(words: &str) -> Happened {
    match words.strip_prefix(SWITCH).map(str::trim) {
        Some("IN") => Happened::In,
        Some(out) => Happened::Out {
            preempted: out.ends_with("preempt"),
        },
        None => Happened::Sample {
            event: words.trim_end_matches(':').to_owned(),
            stack: Vec::new(),
        },
    }
}

/// Reads `ffffffff82266833 schedule ([kernel.kallsyms])`.
fn frame_of(line: &str) -> Option<String> {
    let (address, rest) = line.trim().split_once(' ')?;
    let address = u64::from_str_radix(address, 16).ok()?;
    // Both the symbol and the object may hold spaces and brackets; the object begins with the last ` (`.
    let (symbol, object) = rest.rsplit_once(" (").unwrap_or((rest, ""));
    let object = object.strip_suffix(')').unwrap_or(object);
    Some(frame::name(address, symbol.trim(), object))
}

/// What a switch of threads is called.
const SWITCH: &str = "PERF_RECORD_SWITCH";

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "spin 19874  7529.432823: PERF_RECORD_SWITCH IN         \n\
        spin 19874  7529.434459: context-switches: \n\
        \tffffffff82266833 schedule ([kernel.kallsyms])\n\
        \t           cf503 clock_nanosleep@GLIBC_2.2.5 (/usr/lib/libc.so.6)\n\
        \n\
        a: b 1.5 c 7  7529.434540: PERF_RECORD_SWITCH OUT preempt\n\
        a: b 1.5 c 7  7529.5: cpu-clock:\n";

    fn read(text: &str) -> Result<Vec<Event>, ScriptError> {
        let mut events = Vec::new();
        read_events(text.as_bytes(), |event| events.push(event))?;
        Ok(events)
    }

    #[test]
    fn samples_and_switches_are_read() {
        let events = read(TEXT).unwrap();
        let threads: Vec<_> = events.iter().map(|one| (&*one.thread, one.id)).collect();
        assert_eq!(
            threads,
            [
                ("spin", 19874),
                ("spin", 19874),
                ("a: b 1.5 c", 7),
                ("a: b 1.5 c", 7)
            ]
        );
        assert_eq!(events[0].at_ns, 7_529_432_823_000);
        assert_eq!(events[0].happened, Happened::In);
        let stack = ["clock_nanosleep@GLIBC_2.2.5", "schedule_[k]"].map(str::to_owned);
        let sample = |event: &str, stack: &[String]| Happened::Sample {
            event: event.to_owned(),
            stack: stack.to_vec(),
        };
        assert_eq!(events[1].happened, sample("context-switches", &stack));
        assert_eq!(events[2].happened, Happened::Out { preempted: true });
        assert_eq!(events[3].happened, sample("cpu-clock", &[]));
        assert_eq!(events[3].at_ns, 7_529_500_000_000);
    }

    #[test]
    fn another_form_is_told_with_its_line() {
        for (text, number) in [
            ("no time here\n", 1),
            ("\n\tdead beef\n", 2),
            ("s 1 1.5: e:\n\tzz\n", 2),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(&format!("line {number}")), "{error}");
        }
        assert_eq!(read("").unwrap(), []);
    }
}
