//! Building an outside program, and which version of it there is. Both commands are children like the
//! servers: they have a time limit and end with the run.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use ringside_contract::Program;

use crate::child::{Child, LINE_MAX, Line, Order};
use crate::manifest::Manifest;
use crate::server::{Launch, StartFailure, comma_list};
use crate::stop::Stop;
use crate::template;

/// How long a build may take.
const BUILD_LIMIT: Duration = Duration::from_secs(1800);
/// How long a program may take to say its version: they take milliseconds, a busy machine a second.
const VERSION_LIMIT: Duration = Duration::from_secs(10);
/// How often a wait looks whether the run is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Runs the manifest's build command, if it has one, with its files in `tmp` and what it says in `log`.
///
/// # Errors
/// [`StartFailure`] with the last lines of its standard error when it fails or takes over half an hour.
pub fn build(
    manifest: &Manifest,
    tmp: &Path,
    log: &Path,
    launch: &Launch<'_>,
) -> Result<(), StartFailure> {
    if manifest.build.is_empty() {
        return Ok(());
    }
    std::fs::create_dir_all(tmp).map_err(|error| StartFailure::file("create", tmp, &error))?;
    let argv = build_command(manifest, tmp, &launch.placement.server_cpus);
    let mut child = start(&argv, log).map_err(StartFailure::plain)?;
    child.ignore_output();
    wait_for_build(&child, manifest.meta().id, launch.stop)
}

fn build_command(manifest: &Manifest, tmp: &Path, cpus: &[usize]) -> Vec<String> {
    let values = BTreeMap::from([
        ("tmp", tmp.display().to_string()),
        ("workers", cpus.len().max(1).to_string()),
        ("cpus", comma_list(cpus)),
    ]);
    let fill = |text: &String| template::fill(text, &BTreeMap::new(), &values);
    manifest.build.iter().map(fill).collect()
}

fn wait_for_build(child: &Child, id: &str, stop: &Stop) -> Result<(), StartFailure> {
    let began = Instant::now();
    loop {
        let because = match child.ended_within(LOOK) {
            Some(ended) if ended.is_success() => return Ok(()),
            Some(ended) => format!("the build command of {id} {ended}"),
            None if stop.is_set() => "interrupted".to_owned(),
            None if began.elapsed() > BUILD_LIMIT => {
                format!("the build command of {id} took over 30 minutes")
            }
            None => continue,
        };
        return Err(StartFailure {
            because,
            stderr: child.stderr_tail(),
            interrupted: stop.is_set(),
            disk_full: None,
        });
    }
}

/// Asks the program for its version; `log` takes its standard error.
pub fn identify(manifest: &Manifest, log: &Path, stop: &Stop) -> Program {
    let version = version(&manifest.version, log, VERSION_LIMIT, stop);
    Program {
        name: manifest.meta().id().name,
        version: version.unwrap_or_else(|| "unknown".to_owned()),
        source: manifest.source.clone(),
    }
}

/// The first line that the version command prints, on either output; none when it takes too long.
fn version(argv: &[String], log: &Path, limit: Duration, stop: &Stop) -> Option<String> {
    let child = start(argv, log).ok()?;
    let began = Instant::now();
    while began.elapsed() < limit && !stop.is_set() {
        match child.line(LOOK) {
            Line::Text(line) if line.trim().is_empty() => {}
            Line::Text(line) => return Some(line.trim().to_owned()),
            Line::Closed if child.ended_within(LOOK).is_some() => {
                let text = child.stderr_head();
                let mut lines = text.lines().map(str::trim);
                return lines.find(|line| !line.is_empty()).map(str::to_owned);
            }
            Line::Closed | Line::Nothing => {}
        }
    }
    None
}

/// The first line that a command prints on standard output, if it then ends well; `log` takes its
/// standard error.
///
/// # Errors
/// Why there is none: it did not start, failed, took over 10 s, or `stop` was set.
pub fn answer(argv: &[String], log: &Path, stop: &Stop) -> Result<String, String> {
    let child = start(argv, log)?;
    let began = Instant::now();
    let mut answer = None;
    while began.elapsed() < VERSION_LIMIT && !stop.is_set() {
        match child.line(LOOK) {
            Line::Text(line) => _ = answer.get_or_insert(line),
            Line::Nothing => {}
            Line::Closed => {
                let Some(ended) = child.ended_within(LOOK) else {
                    continue;
                };
                return match answer {
                    Some(line) if ended.is_success() => Ok(line),
                    Some(_) => Err(format!("it {ended}: {}", child.stderr_tail())),
                    None => Err(format!(
                        "it printed nothing and {ended}: {}",
                        child.stderr_tail()
                    )),
                };
            }
        }
    }
    Err(if stop.is_set() {
        "interrupted".to_owned()
    } else {
        format!("it did not end within {} s", VERSION_LIMIT.as_secs())
    })
}

fn start(argv: &[String], log: &Path) -> Result<Child, String> {
    Child::start(Order {
        argv,
        environment: Vec::new(),
        directory: None,
        cpus: &[],
        log,
        inherit: None,
        line_max: LINE_MAX,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(script: &str, limit: Duration, expected: Option<&str>) {
        let folder = tempfile::tempdir().unwrap();
        let argv = ["sh", "-c", script].map(str::to_owned);
        let found = version(&argv, &folder.path().join("log"), limit, &Stop::default());
        assert_eq!(found.as_deref(), expected, "{script}");
    }

    #[test]
    fn a_version_is_the_first_line_on_either_output() {
        let limit = Duration::from_secs(30);
        check("echo; echo a 1.2; echo more", limit, Some("a 1.2"));
        check("echo b 2.0 >&2", limit, Some("b 2.0"));
        check("exit 3", limit, None);
    }

    #[test]
    fn an_answer_counts_only_when_the_command_ended_well() {
        let folder = tempfile::tempdir().unwrap();
        let ask = |script: &str| {
            let argv = ["sh", "-c", script].map(str::to_owned);
            answer(&argv, &folder.path().join("log"), &Stop::default())
        };
        assert_eq!(ask("echo a; echo b").as_deref(), Ok("a"));
        let failed = ask("echo a; echo why >&2; exit 3").unwrap_err();
        assert!(failed.contains("why") && failed.contains('3'), "{failed}");
        assert!(ask("true").unwrap_err().contains("printed nothing"));
        let missing = answer(
            &["/nowhere/program".to_owned()],
            &folder.path().join("log"),
            &Stop::default(),
        );
        assert!(missing.unwrap_err().contains("/nowhere/program"));
    }

    #[test]
    fn a_version_command_that_never_ends_has_no_version() {
        check("exec sleep 1000", Duration::from_millis(50), None);
    }

    #[test]
    fn a_version_command_ends_with_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let stop = Stop::default();
        stop.set();
        let argv = ["sleep", "1000"].map(str::to_owned);
        let limit = Duration::from_secs(1000);
        assert_eq!(
            version(&argv, &folder.path().join("log"), limit, &stop),
            None
        );
    }
}
