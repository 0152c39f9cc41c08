//! Compiles both sides alike: one toolchain, one set of flags, one folder of cargo's.
//!
//! cargo runs as a child that ends with the gate (`ringside_metal::process`), so that an
//! interrupted one leaves no compiler behind.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ringside_metal::process::{Ended, Process, SpawnRequest, spawn};
use ringside_run::{Stop, tail};
use serde::Deserialize;

use super::error::GateSetupError;
use super::flags::encoded_flags;
use super::worktree::{Side, Worktree};

/// How often the wish to stop is looked at while cargo runs.
const STOP_PERIOD: Duration = Duration::from_millis(100);

/// What both builds have in common.
#[derive(Debug, Clone)]
pub(crate) struct BuildOptions {
    /// The package to build.
    pub(crate) package: String,
    /// Its program.
    pub(crate) program: String,
    /// The folder of built things, `target`; all that the gate makes is in its folder `gate`.
    pub(crate) target: PathBuf,
    /// Name of rustup's toolchain; `None` without rustup.
    pub(crate) toolchain: Option<String>,
    /// The value of `CARGO_ENCODED_RUSTFLAGS`.
    pub(crate) flags: String,
}

impl BuildOptions {
    /// Options that build the server of this project as `head` would be built.
    pub(crate) fn of_head(head: &Worktree, target: &Path) -> Result<Self, GateSetupError> {
        let variable = |name: &str| std::env::var(name).ok();
        let config = head.sources().config;
        let toolchain = toolchain(head.path())?;
        let machine = machine(head.path(), toolchain.as_deref())?;
        Ok(Self {
            package: "ringside".to_owned(),
            program: "ringside".to_owned(),
            // cargo runs in another folder than this process.
            target: std::path::absolute(target).map_err(GateSetupError::file("find", target))?,
            flags: encoded_flags(variable, config.as_deref(), &machine)?,
            toolchain,
        })
    }

    fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut variables: Vec<(OsString, OsString)> = vec![
            (
                "CARGO_TARGET_DIR".into(),
                self.target.join("gate/build").into(),
            ),
            ("CARGO_ENCODED_RUSTFLAGS".into(), self.flags.clone().into()),
        ];
        if let Some(toolchain) = &self.toolchain {
            variables.push(("RUSTUP_TOOLCHAIN".into(), toolchain.into()));
        }
        variables
    }

    fn command(&self) -> Vec<OsString> {
        let words = [
            "cargo",
            "build",
            "--release",
            "--locked",
            "--message-format=json-render-diagnostics",
            "--package",
            &self.package,
            "--bin",
            &self.program,
        ];
        words.map(OsString::from).to_vec()
    }
}

/// Builds `side` and returns its program, a copy that the other side's build leaves alone.
pub(crate) fn build(
    side: Side,
    worktree: &Worktree,
    options: &BuildOptions,
    stop: &Stop,
) -> Result<PathBuf, GateSetupError> {
    worktree.touch()?;
    let folder = options.target.join("gate");
    fs::create_dir_all(&folder).map_err(GateSetupError::file("create", &folder))?;
    let log = folder.join(format!("log-{side}"));
    let stderr = File::create(&log).map_err(GateSetupError::file("create", &log))?;
    let mut request = SpawnRequest::new(options.command(), stderr);
    request.environment = options.environment();
    request.directory = Some(worktree.path().to_owned());
    let mut process = spawn(request).map_err(GateSetupError::NoCargo)?;
    let artifacts = process.take_stdout().map(read_artifacts);
    let ended = wait(&process, side, stop)?;
    // Whatever of cargo still holds its output open ends here.
    drop(process);
    if !ended.is_success() {
        let (ended, tail) = (ended.to_string(), tail(&log));
        return Err(GateSetupError::Build { side, ended, tail });
    }
    let artifacts = artifacts.and_then(|reader| reader.join().ok());
    let built = pick(&artifacts.unwrap_or_default(), &options.program)
        .map_err(|because| GateSetupError::NoProgram { side, because })?;
    keep(&built, &side.program(&options.target))
}

/// How cargo ended.
fn wait(process: &Process, side: Side, stop: &Stop) -> Result<Ended, GateSetupError> {
    loop {
        // Dropping the process on the way out ends it and the compilers that it started.
        if stop.is_set() {
            return Err(GateSetupError::Interrupted { side });
        }
        match process.wait(STOP_PERIOD) {
            Ok(Some(ended)) => return Ok(ended),
            Ok(None) => {}
            Err(error) => return Err(GateSetupError::NoCargo(error)),
        }
    }
}

/// What cargo says of one thing that it made.
#[derive(Debug, Deserialize)]
struct Artifact {
    target: ArtifactTarget,
    executable: Option<PathBuf>,
    fresh: bool,
}

#[derive(Debug, Deserialize)]
struct ArtifactTarget {
    name: String,
}

/// A thread that keeps what cargo says of programs.
fn read_artifacts(stdout: ChildStdout) -> JoinHandle<Vec<Artifact>> {
    thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let artifacts = lines.filter_map(|line| serde_json::from_str::<Artifact>(&line).ok());
        artifacts
            .filter(|artifact| artifact.executable.is_some())
            .collect()
    })
}

/// The file of `program` among what cargo made; else what is wrong.
fn pick(artifacts: &[Artifact], program: &str) -> Result<PathBuf, String> {
    let found = artifacts
        .iter()
        .find(|artifact| artifact.target.name == program);
    let path = found.and_then(|artifact| artifact.executable.clone());
    match (found, path) {
        // Its files are all new, so that this would be the other side's program.
        (Some(artifact), Some(_)) if artifact.fresh => Err(format!(
            "took an older {program} for this one: remove the folder target/gate/build and start again"
        )),
        (_, Some(path)) => Ok(path),
        _ => Err(format!("made no program of the name {program}")),
    }
}

/// Copies the program to its place. An older one is removed first, as it may still run.
fn keep(built: &Path, place: &Path) -> Result<PathBuf, GateSetupError> {
    let _ = fs::remove_file(place);
    fs::copy(built, place).map_err(GateSetupError::file("copy the program to", place))?;
    Ok(place.to_owned())
}

/// The toolchain that rustup takes in `folder`; `None` without rustup.
fn toolchain(folder: &Path) -> Result<Option<String>, GateSetupError> {
    let mut command = Command::new("rustup");
    command
        .args(["show", "active-toolchain"])
        .current_dir(folder);
    let Ok(output) = command.output() else {
        return Ok(None);
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(GateSetupError::Toolchain { said });
    }
    // The name, and behind it why this one.
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(said.split_whitespace().next().map(str::to_owned))
}

/// The triple that the compiler builds for when it is told none.
fn machine(folder: &Path, toolchain: Option<&str>) -> Result<String, GateSetupError> {
    let mut command = Command::new("rustc");
    command.arg("-vV").current_dir(folder);
    if let Some(toolchain) = toolchain {
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    let output = command.output().map_err(GateSetupError::NoCargo)?;
    let said = String::from_utf8_lossy(&output.stdout);
    match said.lines().find_map(|line| line.strip_prefix("host: ")) {
        Some(host) => Ok(host.to_owned()),
        None => Err(GateSetupError::Toolchain {
            said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Project, git, prints};
    use super::*;

    fn options(worktree: &Worktree, project: &Project) -> BuildOptions {
        let mut options = BuildOptions::of_head(worktree, &project.target()).unwrap();
        options.package = "tiny".to_owned();
        options.program = "tiny".to_owned();
        options
    }

    fn add(project: &Project, side: Side, commit: &str) -> Worktree {
        let path = side.worktree(&project.target());
        Worktree::add(&project.repository(), commit, &path).unwrap()
    }

    fn printed(program: &Path) -> String {
        let output = Command::new(program).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn both_programs_are_of_their_own_commit_though_both_were_checked_out_first() {
        let project = Project::new();
        let commit = project.commit("main.rs", &prints("second"));
        let base = add(&project, Side::Base, "HEAD~1");
        let head = add(&project, Side::Head, &commit);
        let options = options(&head, &project);
        let stop = Stop::default();
        let base = build(Side::Base, &base, &options, &stop).unwrap();
        let head = build(Side::Head, &head, &options, &stop).unwrap();
        assert_eq!(printed(&base), "first");
        assert_eq!(printed(&head), "second");
    }

    #[test]
    fn both_are_built_with_the_flags_of_head() {
        let project = Project::new();
        let source =
            "fn main() { println!(\"{}\", if cfg!(fast) { \"fast\" } else { \"slow\" }); }";
        project.commit("main.rs", source);
        let config = "[build]\nrustflags = ['--cfg', 'fast']\n";
        let commit = project.commit(".cargo/config.toml", config);
        let base = add(&project, Side::Base, "HEAD~1");
        let head = add(&project, Side::Head, &commit);
        let mut options = options(&head, &project);
        // Not of the environment that the tests happen to run in.
        let config = head.sources().config;
        options.flags = encoded_flags(|_| None, config.as_deref(), "here").unwrap();
        let base = build(Side::Base, &base, &options, &Stop::default()).unwrap();
        assert_eq!(printed(&base), "fast");
    }

    #[test]
    fn a_build_that_fails_names_its_side_and_shows_the_end_of_the_log() {
        let project = Project::new();
        let commit = project.commit("main.rs", "fn main() { no_such_thing() }\n");
        let worktree = add(&project, Side::Head, &commit);
        let path = worktree.path().to_owned();
        let options = options(&worktree, &project);
        let error = build(Side::Head, &worktree, &options, &Stop::default()).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with("failed to build head"), "{said}");
        assert!(said.contains("no_such_thing"), "{said}");
        drop(worktree);
        assert!(!path.exists());
        let listed = git(project.path(), &["worktree", "list"]);
        assert_eq!(listed.lines().count(), 1, "{listed}");
    }

    #[test]
    fn a_lock_file_that_does_not_fit_is_not_mended() {
        let project = Project::new();
        let commit = project.commit("Cargo.lock", "version = 4\n");
        let worktree = add(&project, Side::Base, &commit);
        let options = options(&worktree, &project);
        let error = build(Side::Base, &worktree, &options, &Stop::default()).unwrap_err();
        assert!(error.to_string().contains("--locked"), "{error}");
    }

    #[test]
    fn a_wish_to_stop_ends_a_build_that_would_go_on_for_ever() {
        let project = Project::new();
        let script =
            "fn main() { std::fs::write(\"begun\", \"\").unwrap(); loop { std::thread::park() } }";
        let commit = project.commit("build.rs", script);
        let worktree = add(&project, Side::Base, &commit);
        let begun = worktree.path().join("begun");
        let options = options(&worktree, &project);
        let stop = Stop::default();
        let error = thread::scope(|scope| {
            let building = scope.spawn(|| build(Side::Base, &worktree, &options, &stop));
            while !begun.exists() && !building.is_finished() {
                thread::yield_now();
            }
            stop.set();
            building.join().unwrap().unwrap_err()
        });
        assert!(error.to_string().contains("interrupted"), "{error}");
    }

    #[test]
    fn a_program_that_cargo_did_not_make_anew_is_refused() {
        let artifact = |name: &str, fresh| Artifact {
            target: ArtifactTarget {
                name: name.to_owned(),
            },
            executable: Some(PathBuf::from("/t/tiny")),
            fresh,
        };
        assert_eq!(
            pick(&[artifact("tiny", false)], "tiny").unwrap(),
            Path::new("/t/tiny")
        );
        let said = pick(&[artifact("tiny", true)], "tiny").unwrap_err();
        assert!(said.contains("took an older tiny"), "{said}");
        let said = pick(&[artifact("other", false)], "tiny").unwrap_err();
        assert!(said.contains("made no program"), "{said}");
    }
}
