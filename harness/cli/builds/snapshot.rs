//! What head is: the commit that is checked out, or with changes a commit made of them that no name
//! stands for. Neither the caller's files nor the list of staged ones is touched.

use std::fs;
use std::io;

use super::error::BuildsError;
use super::place::Place;
use super::repository::{Repository, ask};

/// What is checked out, as a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// The commit.
    pub(crate) commit: String,
    /// The short hash of what is checked out, with `-dirty` behind it when there are changes.
    pub(crate) name: String,
    /// How many files have changes.
    pub(crate) changed: usize,
}

impl Snapshot {
    /// Looks at the files. Changes are refused unless `allow_dirty`. A new file is a change too,
    /// unless git is told to ignore it: a module may be in it.
    pub(crate) fn take(
        repository: &Repository,
        place: &Place,
        allow_dirty: bool,
    ) -> Result<Self, BuildsError> {
        let commit = repository.resolve("HEAD")?;
        let short = ["rev-parse", "--short=12", "HEAD"];
        let name = repository.git("shorten a hash", short)?;
        let changes = changes(repository)?;
        let Some(first) = changes.first() else {
            return Ok(Self {
                commit,
                name,
                changed: 0,
            });
        };
        if !allow_dirty {
            return Err(BuildsError::Dirty {
                repository: repository.top().to_owned(),
                count: changes.len(),
                first: first.clone(),
            });
        }
        Ok(Self {
            commit: commit_of_files(repository, place, &commit)?,
            name: format!("{name}-dirty"),
            changed: changes.len(),
        })
    }
}

/// Files that differ from the commit, and files that git neither knows nor ignores.
fn changes(repository: &Repository) -> Result<Vec<String>, BuildsError> {
    // The caller's settings may hide new files and write names in another form.
    let words = [
        "-c",
        "core.quotePath=false",
        "status",
        "--porcelain",
        "--untracked-files=all",
    ];
    let listed = repository.git("list changes", words)?;
    // Two letters and a space stand before each name.
    Ok(listed
        .lines()
        .filter_map(|line| line.get(3..))
        .map(str::to_owned)
        .collect())
}

/// A commit of all files as they are, made from a copy of git's list of files.
fn commit_of_files(
    repository: &Repository,
    place: &Place,
    parent: &str,
) -> Result<String, BuildsError> {
    let index = place.index();
    let words = ["rev-parse", "--git-path", "index"];
    let own = repository.git("find the list of staged files", words)?;
    // The copy spares git from reading every file again. A repository without one has none staged.
    match fs::copy(repository.top().join(own), &index) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(BuildsError::file("write", &index)(error));
        }
        _ => {}
    }
    let git = |step: &'static str, words: &[&str]| {
        let mut command = repository.command(words);
        command.env("GIT_INDEX_FILE", &index);
        for role in ["AUTHOR", "COMMITTER"] {
            // A build machine has no name of its own.
            command.env(format!("GIT_{role}_NAME"), "ringside");
            command.env(format!("GIT_{role}_EMAIL"), "ringside@localhost");
        }
        ask(command, step)
    };
    git("list the changed files", &["add", "--all"])?;
    let tree = git("keep the changed files", &["write-tree"])?;
    let message = "Files as they were when two builds were compared";
    let words = ["commit-tree", "-p", parent, "-m", message, &tree];
    let commit = git("make a commit of the changed files", &words);
    let _ = fs::remove_file(&index);
    commit
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Project, git};
    use super::*;

    fn take(project: &Project, allow_dirty: bool) -> Result<Snapshot, BuildsError> {
        let place = Place::take(&project.target()).unwrap();
        Snapshot::take(&project.repository(), &place, allow_dirty)
    }

    #[test]
    fn without_changes_head_is_the_commit() {
        let project = Project::new();
        let head = take(&project, false).unwrap();
        assert_eq!(head.commit, project.repository().resolve("HEAD").unwrap());
        assert_eq!(head.name, head.commit[..12]);
        // Ignored files are no changes.
        project.write("target/any", "");
        assert_eq!(take(&project, true).unwrap(), head);
    }

    #[test]
    fn changes_of_known_files_are_refused() {
        let project = Project::new();
        project.write("main.rs", "fn main() { /* changed */ }\n");
        let said = take(&project, false).unwrap_err().to_string();
        assert!(said.contains("1 file of"), "{said}");
        assert!(said.contains("(main.rs)"), "{said}");
        assert!(said.contains("--allow-dirty"), "{said}");
    }

    #[test]
    fn new_files_are_refused_although_the_settings_hide_them() {
        let project = Project::new();
        let hide = ["config", "status.showUntrackedFiles", "no"];
        git(project.path(), &hide);
        project.write("folder/ñew.rs", "");
        let said = take(&project, false).unwrap_err().to_string();
        assert!(said.contains("(folder/ñew.rs)"), "{said}");
    }

    #[test]
    fn allowed_changes_become_a_commit_and_the_files_stay_as_they_are() {
        let project = Project::new();
        let clean = project.repository().resolve("HEAD").unwrap();
        project.write("main.rs", "fn main() { /* changed */ }\n");
        project.write("new.rs", "// new\n");
        project.write("target/ignored", "");
        fs::remove_file(project.path().join("Cargo.lock")).unwrap();
        let before = git(project.path(), &["status", "--porcelain"]);
        let dirty = take(&project, true).unwrap();
        assert_eq!(dirty.name, format!("{}-dirty", &clean[..12]));
        assert_eq!(dirty.changed, 3);
        let files = git(
            project.path(),
            &["diff", "--name-status", &clean, &dirty.commit],
        );
        assert_eq!(files, "D\tCargo.lock\nM\tmain.rs\nA\tnew.rs");
        assert_eq!(git(project.path(), &["status", "--porcelain"]), before);
        assert_eq!(project.repository().resolve("HEAD").unwrap(), clean);
    }
}
