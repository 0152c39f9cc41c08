//! From a revision to two programs.

use std::path::{Path, PathBuf};

use ringside_run::Stop;

use super::compile::Compiler;
use super::differences::differences;
use super::error::BuildsError;
use super::place::{Place, Side};
use super::repository::Repository;
use super::snapshot::Snapshot;
use super::worktree::Worktree;

/// Two programs to compare. Keep the value for as long as they are used: then no other gate takes
/// the folder that they lie in.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The older one.
    pub(crate) base: Built,
    /// The newer one: what is checked out.
    pub(crate) head: Built,
    /// How they differ besides their source, a sentence each.
    pub(crate) differences: Vec<String>,
    /// What a reader should know besides, a sentence each.
    pub(crate) warnings: Vec<String>,
    _place: Place,
}

/// One program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Built {
    /// Where it lies. The paths of both are equally long, and stay after the end.
    pub(crate) program: PathBuf,
    /// Base as the caller named it; head as a short hash, with `-dirty` behind it when changed files
    /// are in it.
    pub(crate) name: String,
    /// The whole hash of what was built. With changed files no name stands for this commit.
    pub(crate) commit: String,
}

/// Builds what `base` names and what is checked out, in the repository that `repository` lies in.
/// Both get head's toolchain, cargo configuration and compiler flags, and each its own `Cargo.lock`.
/// Files that no commit holds are refused unless `allow_dirty`, and are then part of head. Everything
/// lies in the folder `gate` of `target`, or of the repository's own `target` without one. It takes minutes; `stop` ends it soon, and nothing is left
/// but what cargo built.
pub(crate) fn prepare(
    repository: &Path,
    base: &str,
    allow_dirty: bool,
    target: Option<&Path>,
    stop: &Stop,
) -> Result<Prepared, BuildsError> {
    let run = || {
        let repository = Repository::open(repository)?;
        let own = repository.top().join("target");
        let place = Place::take(target.unwrap_or(&own))?;
        let commit = repository.resolve(base)?;
        let head = Snapshot::take(&repository, &place, allow_dirty)?;
        build(&repository, place, (base, commit), head, stop)
    };
    // A signal from the terminal reaches git too, which then fails for that reason alone.
    run().map_err(|error| match stop.is_set() {
        true => BuildsError::Interrupted,
        false => error,
    })
}

/// Head comes first: its toolchain and configuration count for both.
fn build(
    repository: &Repository,
    place: Place,
    (base, commit): (&str, String),
    head: Snapshot,
    stop: &Stop,
) -> Result<Prepared, BuildsError> {
    let warnings = warnings(repository, &commit, &head)?;
    let tree = Worktree::add(repository, &head.commit, &place.tree())?;
    let compiler = Compiler::of_head(&tree, repository)?;
    let head_sources = tree.sources();
    let head_program = compiler.compile((Side::Head, &head.name), &tree, &place, stop)?;
    drop(tree);
    let tree = Worktree::add(repository, &commit, &place.tree())?;
    let differences = differences(&tree.sources(), &head_sources);
    let base_program = compiler.compile((Side::Base, base), &tree, &place, stop)?;
    drop(tree);
    Ok(Prepared {
        base: Built {
            program: base_program,
            name: base.to_owned(),
            commit,
        },
        head: Built {
            program: head_program,
            name: head.name,
            commit: head.commit,
        },
        differences,
        warnings,
        _place: place,
    })
}

fn warnings(
    repository: &Repository,
    base: &str,
    head: &Snapshot,
) -> Result<Vec<String>, BuildsError> {
    let mut sentences = Vec::new();
    if base == head.commit {
        sentences.push("base and head are the same commit".to_owned());
    }
    if head.changed > 0 {
        let count = head.changed;
        sentences.push(format!(
            "head holds changes of files that no commit of the repository's holds ({count})"
        ));
    }
    if repository.has(base, ".gitmodules")? || repository.has(&head.commit, ".gitmodules")? {
        sentences.push("the repository has submodules, which are in neither build".to_owned());
    }
    Ok(sentences)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;
    use std::thread;

    use super::super::testing::{Project, git, prints};
    use super::*;

    fn run(project: &Project, base: &str, allow_dirty: bool) -> Result<Prepared, BuildsError> {
        let stop = Stop::default();
        prepare(
            project.path(),
            base,
            allow_dirty,
            Some(&project.target()),
            &stop,
        )
    }

    fn printed(built: &Built) -> String {
        let output = Command::new(&built.program).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn nothing_is_left(project: &Project) {
        assert!(!project.target().join("gate/tree").exists());
        let listed = git(project.path(), &["worktree", "list"]);
        assert_eq!(listed.lines().count(), 1, "{listed}");
    }

    #[test]
    fn both_programs_are_of_their_own_commit_again_and_again() {
        let project = Project::new();
        let first = project.repository().resolve("HEAD").unwrap();
        project.commit("main.rs", &prints("second"));
        for _ in 0..2 {
            let prepared = run(&project, "HEAD~1", false).unwrap();
            assert_eq!(printed(&prepared.base), "first");
            assert_eq!(printed(&prepared.head), "second");
            assert_eq!(prepared.base.commit, first);
            assert_eq!(prepared.base.name, "HEAD~1");
            let length = |built: &Built| built.program.as_os_str().len();
            assert_eq!(length(&prepared.base), length(&prepared.head));
            assert!(prepared.warnings.is_empty(), "{prepared:?}");
            nothing_is_left(&project);
        }
    }

    #[test]
    fn both_are_built_with_the_configuration_of_head_alone() {
        let project = Project::new();
        let source = "fn main() { println!(\"{}{}\", cfg!(old), cfg!(new)); }";
        project.write("main.rs", source);
        project.commit(
            ".cargo/config.toml",
            "[build]\nrustflags = ['--cfg', 'old']\n",
        );
        project.commit(
            ".cargo/config.toml",
            "[build]\nrustflags = ['--cfg', 'new']\n",
        );
        let prepared = run(&project, "HEAD~1", false).unwrap();
        // Flags of the environment count before those of a file, and tests may run with some.
        if std::env::var_os("RUSTFLAGS").is_none() {
            assert_eq!(printed(&prepared.base), "falsetrue");
            assert_eq!(printed(&prepared.head), "falsetrue");
        }
        assert_eq!(prepared.differences.len(), 1, "{prepared:?}");
    }

    #[test]
    fn a_base_that_does_not_build_is_named_and_nothing_is_left() {
        let project = Project::new();
        project.commit("main.rs", "fn main() { no_such_thing() }\n");
        project.commit("main.rs", &prints("mended"));
        let said = run(&project, "HEAD~1", false).unwrap_err().to_string();
        assert!(said.starts_with("failed to build base (HEAD~1)"), "{said}");
        nothing_is_left(&project);
    }

    #[test]
    fn allowed_changes_and_new_files_are_in_head() {
        let project = Project::new();
        project.write(
            "main.rs",
            "mod new; fn main() { println!(\"{}\", new::WORD); }",
        );
        project.write("new.rs", "pub const WORD: &str = \"changed\";");
        let prepared = run(&project, "HEAD", true).unwrap();
        assert_eq!(printed(&prepared.base), "first");
        assert_eq!(printed(&prepared.head), "changed");
        assert!(prepared.head.name.ends_with("-dirty"), "{prepared:?}");
        assert_eq!(prepared.warnings.len(), 1, "{prepared:?}");
    }

    #[test]
    fn a_wish_to_stop_ends_cargo_with_its_children_and_leaves_nothing() {
        let project = Project::new();
        let script = "fn main() { std::fs::write(\"begun.new\", std::process::id().to_string()).unwrap(); \
            std::fs::rename(\"begun.new\", \"begun\").unwrap(); loop { std::thread::park() } }";
        project.commit("build.rs", script);
        let begun = project.target().join("gate/tree/begun");
        let stop = Stop::default();
        let (error, child) = thread::scope(|scope| {
            let target = project.target();
            let (path, stop) = (project.path(), &stop);
            let building = scope.spawn(move || prepare(path, "HEAD", false, Some(&target), stop));
            while !begun.exists() && !building.is_finished() {
                thread::yield_now();
            }
            let child = fs::read_to_string(&begun).unwrap_or_default();
            stop.set();
            (building.join().unwrap().unwrap_err(), child)
        });
        assert!(matches!(error, BuildsError::Interrupted), "{error}");
        assert!(!child.is_empty());
        assert!(!Path::new("/proc").join(child).exists());
        nothing_is_left(&project);
    }
}
