//! Compiles both sides alike: one toolchain, one configuration of cargo's, one folder of built things.
//!
//! cargo runs as a child that ends with the gate (`ringside_metal::process`), so that an
//! interrupted one leaves no compiler behind.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ringside_metal::process::{Ended, Process, SpawnRequest, spawn};
use ringside_run::{Stop, tail};
use serde::Deserialize;

use super::error::BuildsError;
use super::place::{Place, Side};
use super::repository::Repository;
use super::worktree::Worktree;

/// The package that is built, and its program.
const NAME: &str = "ringside";

/// How often the wish to stop is looked at while cargo runs.
const STOP_PERIOD: Duration = Duration::from_millis(100);

/// What both builds have in common.
#[derive(Debug, Clone)]
pub(crate) struct Compiler {
    cargo: OsString,
    /// Where cargo starts. It reads the configuration of this folder and of those above: here what a
    /// build in the repository reads as well, less the repository's own.
    directory: PathBuf,
    /// Name of rustup's toolchain; `None` without rustup.
    toolchain: Option<String>,
    /// The text of head's `.cargo/config.toml`.
    config: Option<String>,
}

impl Compiler {
    /// Builds as `head` would be built in `repository`.
    pub(crate) fn of_head(head: &Worktree, repository: &Repository) -> Result<Self, BuildsError> {
        let top = repository.top();
        Ok(Self {
            cargo: "cargo".into(),
            directory: top.parent().unwrap_or(top).to_owned(),
            toolchain: toolchain(head.path())?,
            config: head.sources().config,
        })
    }

    /// Builds what is checked out and returns its program, a copy that no later build touches.
    pub(crate) fn compile(
        &self,
        (side, name): (Side, &str),
        worktree: &Worktree,
        place: &Place,
        stop: &Stop,
    ) -> Result<PathBuf, BuildsError> {
        let log = place.log(side);
        let stderr = File::create(&log).map_err(BuildsError::file("create", &log))?;
        let mut request = SpawnRequest::new(self.command(worktree)?, stderr);
        request.environment = self.environment(place);
        request.directory = Some(self.directory.clone());
        let mut process = spawn(request).map_err(BuildsError::NoCargo)?;
        let artifacts = process.take_stdout().map(read_artifacts);
        let ended = wait(&process, stop)?;
        // Whatever of cargo still holds its output open ends here.
        drop(process);
        if !ended.is_success() {
            let tail = tail(&log);
            return Err(BuildsError::Build {
                side,
                name: name.to_owned(),
                ended: ended.to_string(),
                log,
                tail,
                hint: hint(worktree),
            });
        }
        let artifacts = artifacts.and_then(|reader| reader.join().ok());
        let built = pick(&artifacts.unwrap_or_default(), worktree.path(), place)
            .map_err(|because| BuildsError::NoProgram { side, because })?;
        keep(&built, &place.program(side))
    }

    /// The command line for what is checked out.
    fn command(&self, worktree: &Worktree) -> Result<Vec<OsString>, BuildsError> {
        let mut words = vec![self.cargo.clone()];
        let fixed = ["build", "--release", "--locked", "--package", NAME];
        words.extend(fixed.map(OsString::from));
        let fixed = ["--bin", NAME, "--message-format=json-render-diagnostics"];
        words.extend(fixed.map(OsString::from));
        words.push("--manifest-path".into());
        words.push(worktree.path().join("Cargo.toml").into());
        if let Some(config) = &self.config {
            // Paths in it count from the folder above the file's own: from the checkout, as always.
            let folder = worktree.path().join(".cargo-of-head");
            let path = folder.join("config.toml");
            fs::create_dir_all(&folder).map_err(BuildsError::file("create", &folder))?;
            fs::write(&path, config).map_err(BuildsError::file("write", &path))?;
            words.push("--config".into());
            words.push(path.into());
        }
        Ok(words)
    }

    fn environment(&self, place: &Place) -> Vec<(OsString, OsString)> {
        let mut variables = vec![("CARGO_TARGET_DIR".into(), place.build().into())];
        if let Some(toolchain) = &self.toolchain {
            variables.push(("RUSTUP_TOOLCHAIN".into(), toolchain.into()));
        }
        variables
    }
}

/// What may be the reason of a failed build that cargo does not know of.
fn hint(worktree: &Worktree) -> &'static str {
    if worktree.path().join(".gitmodules").exists() {
        "\nThe repository has submodules, which are not checked out for the two builds."
    } else {
        ""
    }
}

/// How cargo ended.
fn wait(process: &Process, stop: &Stop) -> Result<Ended, BuildsError> {
    loop {
        // Dropping the process on the way out ends it and the compilers that it started.
        if stop.is_set() {
            return Err(BuildsError::Interrupted);
        }
        match process.wait(STOP_PERIOD) {
            Ok(Some(ended)) => return Ok(ended),
            Ok(None) => {}
            Err(error) => return Err(BuildsError::NoCargo(error)),
        }
    }
}

/// What cargo says of one thing that it made.
#[derive(Debug, Deserialize)]
struct Artifact {
    target: ArtifactTarget,
    manifest_path: PathBuf,
    executable: Option<PathBuf>,
    fresh: bool,
}

#[derive(Debug, Deserialize)]
struct ArtifactTarget {
    name: String,
}

/// A thread that keeps what cargo says of crates.
fn read_artifacts(stdout: ChildStdout) -> JoinHandle<Vec<Artifact>> {
    thread::spawn(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        lines
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect()
    })
}

/// The program among what cargo made; else what is wrong.
fn pick(artifacts: &[Artifact], tree: &Path, place: &Place) -> Result<PathBuf, String> {
    // All files of the checkout are newer than all that was built before, so that a crate of it which
    // cargo did not build anew may be the other side's. Clocks that went back lead here.
    let older = artifacts
        .iter()
        .find(|artifact| artifact.fresh && artifact.manifest_path.starts_with(tree));
    if let Some(Artifact { target, .. }) = older {
        return Err(format!(
            "took an older {} for this one: remove the folder {} and start again",
            target.name,
            place.build().display()
        ));
    }
    let mut programs = artifacts
        .iter()
        .filter(|artifact| artifact.target.name == NAME)
        .filter_map(|artifact| artifact.executable.clone());
    programs
        .next()
        .ok_or_else(|| format!("made no program of the name {NAME}"))
}

/// Copies the program to its place. An older one is removed first, as it may still run.
fn keep(built: &Path, place: &Path) -> Result<PathBuf, BuildsError> {
    let _ = fs::remove_file(place);
    fs::copy(built, place).map_err(BuildsError::file("copy the program to", place))?;
    Ok(place.to_owned())
}

/// The toolchain that rustup takes in `folder`; `None` without rustup.
fn toolchain(folder: &Path) -> Result<Option<String>, BuildsError> {
    let mut command = Command::new("rustup");
    command
        .args(["show", "active-toolchain"])
        .current_dir(folder);
    let output = match command.output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(BuildsError::NoCargo)?,
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(BuildsError::Toolchain { said });
    }
    // The name, and behind it why this one.
    let said = String::from_utf8_lossy(&output.stdout);
    Ok(said.split_whitespace().next().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Project, prints};
    use super::*;

    /// Compiles what is checked out as head with a compiler that `change` altered.
    fn compile(project: &Project, change: impl FnOnce(&mut Compiler)) -> Result<PathBuf, String> {
        let (repository, place) = (
            project.repository(),
            Place::take(&project.target()).unwrap(),
        );
        let worktree = Worktree::add(&repository, "HEAD", &place.tree()).unwrap();
        let mut compiler = Compiler::of_head(&worktree, &repository).unwrap();
        change(&mut compiler);
        let side = (Side::Head, "HEAD");
        compiler
            .compile(side, &worktree, &place, &Stop::default())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_machine_without_cargo_says_to_install_rust() {
        let without = |compiler: &mut Compiler| compiler.cargo = "/nowhere/cargo".into();
        let said = compile(&Project::new(), without).unwrap_err();
        assert!(
            said.contains("failed to start cargo: install Rust"),
            "{said}"
        );
    }

    #[test]
    fn a_build_that_fails_names_its_side_its_log_and_the_end_of_it() {
        let project = Project::new();
        project.commit("main.rs", "fn main() { no_such_thing() }\n");
        let said = compile(&project, |_| ()).unwrap_err();
        assert!(said.starts_with("failed to build head (HEAD)"), "{said}");
        assert!(said.contains("no_such_thing"), "{said}");
        assert!(!said.contains("submodules"), "{said}");
        let log = project.target().join("gate/log-head");
        assert!(said.contains("gate/log-head"), "{said}");
        let log = fs::read_to_string(log).unwrap();
        assert!(log.contains("no_such_thing"), "{log}");
    }

    #[test]
    fn a_failed_build_with_submodules_says_that_they_are_missing() {
        let project = Project::new();
        project.write(".gitmodules", "");
        project.commit("main.rs", "mod submodule; fn main() {}\n");
        let said = compile(&project, |_| ()).unwrap_err();
        assert!(said.contains("submodules, which are not"), "{said}");
    }

    #[test]
    fn a_lock_file_that_does_not_fit_is_not_mended() {
        let project = Project::new();
        project.commit("Cargo.lock", "version = 4\n");
        let said = compile(&project, |_| ()).unwrap_err();
        assert!(said.contains("--locked"), "{said}");
    }

    #[test]
    fn a_program_of_another_name_is_not_taken() {
        let project = Project::new();
        let manifest = fs::read_to_string(project.path().join("Cargo.toml")).unwrap();
        let renamed = manifest.replace("[[bin]]\nname = \"ringside\"", "[[bin]]\nname = \"other\"");
        project.commit("Cargo.toml", &renamed);
        let said = compile(&project, |_| ()).unwrap_err();
        assert!(said.contains("no bin target named `ringside`"), "{said}");
    }

    #[test]
    fn a_crate_of_the_checkout_that_was_built_before_is_refused() {
        let target = tempfile::tempdir().unwrap();
        let place = Place::take(target.path()).unwrap();
        let artifact = |folder: &Path, name: &str, fresh| Artifact {
            target: ArtifactTarget {
                name: name.to_owned(),
            },
            manifest_path: folder.join("Cargo.toml"),
            executable: (name == NAME).then(|| PathBuf::from("/t/ringside")),
            fresh,
        };
        let tree = place.tree();
        let pick = |artifacts: &[Artifact]| pick(artifacts, &tree, &place);
        let program = artifact(&tree, NAME, false);
        let other = artifact(Path::new("/registry/other"), "other", true);
        assert_eq!(pick(&[other, program]).unwrap(), Path::new("/t/ringside"));
        let library = artifact(&tree.join("library"), "library", true);
        let said = pick(&[library, artifact(&tree, NAME, false)]).unwrap_err();
        assert!(said.contains("took an older library"), "{said}");
        assert!(said.contains("gate/build and start again"), "{said}");
        let said = pick(&[]).unwrap_err();
        assert!(said.contains("made no program"), "{said}");
    }

    #[test]
    fn the_copy_replaces_a_program_that_still_runs() {
        let project = Project::new();
        project.commit(
            "main.rs",
            "fn main() { std::io::stdin().lines().for_each(drop) }\n",
        );
        let program = compile(&project, |_| ()).unwrap();
        let mut command = Command::new(&program);
        let mut running = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        project.commit("main.rs", &prints("newer"));
        compile(&project, |_| ()).unwrap();
        let output = Command::new(&program).output().unwrap();
        assert_eq!(output.stdout, b"newer\n");
        drop(running.stdin.take());
        assert!(running.wait().unwrap().success());
    }
}
