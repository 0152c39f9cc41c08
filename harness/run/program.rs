//! Building an outside program, and which version of it there is.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ringside_contract::Program;

use crate::child::{Child, Order};
use crate::manifest::Manifest;
use crate::server::StartFailure;
use crate::stop::Stop;

/// How long a build may take.
const BUILD_LIMIT: Duration = Duration::from_secs(1800);
/// How often a build looks whether the run is to stop.
const LOOK: Duration = Duration::from_millis(200);

/// Runs the manifest's build command, if it has one, with what it says in `log`.
///
/// # Errors
/// [`StartFailure`] with the last lines of its standard error when it fails or takes over half an hour.
pub fn build(manifest: &Manifest, log: &Path, stop: &Stop) -> Result<(), StartFailure> {
    if manifest.build.is_empty() {
        return Ok(());
    }
    let child = Child::start(Order {
        argv: &manifest.build,
        environment: Vec::new(),
        directory: None,
        cpus: &[],
        log,
        inherit: None,
    })
    .map_err(StartFailure::plain)?;
    let began = Instant::now();
    loop {
        let because = match child.ended_within(LOOK) {
            Some(ended) if ended.is_success() => return Ok(()),
            Some(ended) => format!("the build command of {} {ended}", manifest.meta().id),
            None if stop.is_set() => "interrupted".to_owned(),
            None if began.elapsed() > BUILD_LIMIT => {
                format!(
                    "the build command of {} took over 30 minutes",
                    manifest.meta().id
                )
            }
            None => continue,
        };
        return Err(StartFailure {
            because,
            stderr: child.stderr_tail(),
            interrupted: stop.is_set(),
        });
    }
}

/// Asks the program for its version.
pub fn identify(manifest: &Manifest) -> Program {
    let name = manifest.meta().id().name;
    let version = version(manifest).unwrap_or_else(|| "unknown".to_owned());
    Program {
        name,
        version,
        source: manifest.source.clone(),
    }
}

/// The first line that the version command prints, on either output.
fn version(manifest: &Manifest) -> Option<String> {
    let (program, arguments) = manifest.version.split_first()?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .map(str::to_owned)
}
