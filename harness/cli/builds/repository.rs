//! The repository that both builds come from: what a revision means in it, and git's answers as
//! errors that say what to do.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::BuildsError;

/// A clone of the project.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    top: PathBuf,
}

impl Repository {
    /// The repository that `path` lies in.
    pub(crate) fn open(path: &Path) -> Result<Self, BuildsError> {
        let words = ["rev-parse", "--show-toplevel"];
        let top = ask(git_in(path, &words), "find the repository's folder");
        let path = path.to_owned();
        let top = top.map_err(|error| match error {
            BuildsError::Git { said, .. } if said.contains("not a git repository") => {
                BuildsError::NotARepository { path }
            }
            BuildsError::Git { said, .. } if said.contains("dubious ownership") => {
                BuildsError::Untrusted { path }
            }
            error => error,
        })?;
        Ok(Self {
            top: PathBuf::from(top),
        })
    }

    /// Its topmost folder.
    pub(crate) fn top(&self) -> &Path {
        &self.top
    }

    /// The whole hash of the commit that `revision` names.
    pub(crate) fn resolve(&self, revision: &str) -> Result<String, BuildsError> {
        let commit = format!("{revision}^{{commit}}");
        // What follows the marker is never an option of git.
        let marker = "--end-of-options";
        let words = ["rev-parse", "--verify", "--quiet", marker, &commit];
        match self.git("resolve a revision", words) {
            Err(BuildsError::Git { .. }) => Err(self.unknown(revision)?),
            other => other,
        }
    }

    /// True when `commit` has a file or folder of this name.
    pub(crate) fn has(&self, commit: &str, name: &str) -> Result<bool, BuildsError> {
        let words = ["ls-tree", "--name-only", commit, "--", name];
        Ok(!self.git("list files of a commit", words)?.is_empty())
    }

    /// Runs git in it; its standard output without the space behind it.
    pub(crate) fn git<S: AsRef<OsStr>>(
        &self,
        step: &'static str,
        words: impl IntoIterator<Item = S>,
    ) -> Result<String, BuildsError> {
        ask(self.command(&Vec::from_iter(words)), step)
    }

    /// The same, not started yet.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        git_in(&self.top, words)
    }

    /// Why `revision` is unknown.
    fn unknown(&self, revision: &str) -> Result<BuildsError, BuildsError> {
        let depth = ["rev-parse", "--is-shallow-repository"];
        let shallow = self.git("ask for the depth of the clone", depth)? == "true";
        let branch = self.remote_branch(revision)?;
        let (revision, repository) = (revision.to_owned(), self.top.clone());
        if shallow && branch.is_none() {
            let remedy = remedy(&revision, &self.remote()?);
            return Ok(BuildsError::Shallow {
                revision,
                repository,
                remedy,
            });
        }
        let remedy = match branch {
            Some(branch) => format!("did you mean {branch}?"),
            None => "`git fetch --all --tags` fetches what is new, and `git branch --all` and \
                     `git tag` list the names that there are"
                .to_owned(),
        };
        Ok(BuildsError::NoSuchRevision {
            revision,
            repository,
            remedy,
        })
    }

    /// The branch of a remote whose own name is `name`: a fresh clone has `origin/main` alone.
    fn remote_branch(&self, name: &str) -> Result<Option<String>, BuildsError> {
        let words = ["for-each-ref", "--format=%(refname:short)", "refs/remotes"];
        let branches = self.git("list branches", words)?;
        let found = branches
            .lines()
            .find(|branch| branch.split_once('/').is_some_and(|(_, own)| own == name));
        Ok(found.map(str::to_owned))
    }

    /// The remote to fetch from.
    fn remote(&self) -> Result<String, BuildsError> {
        let remotes = self.git("list remotes", ["remote"])?;
        let first = remotes.lines().next().unwrap_or("origin");
        let origin = remotes.lines().any(|remote| remote == "origin");
        Ok(if origin { "origin" } else { first }.to_owned())
    }
}

/// The commands that bring `revision` into a shallow clone.
fn remedy(revision: &str, remote: &str) -> String {
    let hexadecimal = revision.chars().all(|letter| letter.is_ascii_hexdigit());
    let branch = revision
        .strip_prefix(remote)
        .and_then(|rest| rest.strip_prefix('/'));
    if revision.contains(['~', '^', '@']) {
        "`git fetch --deepen=100`".to_owned()
    } else if let Some(branch) = branch {
        format!("`git fetch --depth=1 {remote} +{branch}:refs/remotes/{revision}`")
    } else if hexadecimal && revision.len() >= 40 {
        format!("`git fetch --depth=1 {remote} {revision}`")
    } else if hexadecimal && revision.len() >= 7 {
        // A server gives no commit by a part of its hash.
        "`git fetch --unshallow`".to_owned()
    } else {
        format!("`git fetch --depth=1 {remote} {revision}`, and give FETCH_HEAD in its place")
    }
}

/// git in `folder`, not started yet.
fn git_in<S: AsRef<OsStr>>(folder: &Path, words: &[S]) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder);
    // A hook could change what is checked out, or its times, which cargo goes by.
    command.args(["-c", "core.hooksPath=/dev/null"]).args(words);
    // Its messages are looked at, so they have to be in English.
    command.env("LC_ALL", "C");
    // In a hook these name the caller's repository, and would outweigh the folder.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    command
}

/// Runs git; its standard output without the space behind it. What stands before may count.
pub(crate) fn ask(mut command: Command, step: &'static str) -> Result<String, BuildsError> {
    let output = command.output().map_err(BuildsError::NoGit)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(BuildsError::Git { step, said })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Project, git};
    use super::*;

    fn message<T: std::fmt::Debug>(result: Result<T, BuildsError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_folder_without_a_repository_says_where_to_start() {
        let folder = tempfile::tempdir().unwrap();
        let said = message(Repository::open(folder.path()));
        assert!(said.contains("is not in a git repository"), "{said}");
        assert!(said.contains("in a clone of the project"), "{said}");
    }

    #[test]
    fn a_machine_without_git_says_to_install_it() {
        let said = message(ask(Command::new("/nowhere/git"), "try"));
        assert!(said.contains("failed to start git: install it"), "{said}");
    }

    #[test]
    fn a_name_of_a_commit_becomes_its_hash() {
        let project = Project::new();
        let hash = project.repository().resolve("HEAD").unwrap();
        assert_eq!(hash.len(), 40);
        assert_eq!(project.repository().resolve(&hash[..10]).unwrap(), hash);
    }

    #[test]
    fn an_unknown_revision_says_what_to_try() {
        let project = Project::new();
        let said = message(project.repository().resolve("nowhere"));
        assert!(said.contains("revision nowhere does not exist"), "{said}");
        assert!(said.contains("git fetch --all"), "{said}");
        // Never an option of git.
        let said = message(project.repository().resolve("--all"));
        assert!(said.contains("revision --all does not exist"), "{said}");
    }

    #[test]
    fn a_branch_of_the_remote_alone_is_offered() {
        let project = Project::new();
        git(project.path(), &["branch", "release"]);
        let clone = project.clone_of(&[]);
        let repository = Repository::open(clone.path()).unwrap();
        let said = message(repository.resolve("release"));
        assert!(said.contains("did you mean origin/release?"), "{said}");
    }

    #[test]
    fn a_shallow_clone_names_a_command_that_fetches_the_revision() {
        let project = Project::new();
        let first = project.repository().resolve("HEAD").unwrap();
        git(project.path(), &["branch", "release"]);
        project.commit("main.rs", "fn main() {}\n");
        // Without this a server gives no commit that no name stands for; the large hosts do.
        let allow = ["config", "uploadpack.allowAnySHA1InWant", "true"];
        git(project.path(), &allow);
        for revision in [&first, "HEAD~1", "origin/release", "release", &first[..8]] {
            let clone = project.clone_of(&["--depth", "1"]);
            let repository = Repository::open(clone.path()).unwrap();
            let said = message(repository.resolve(revision));
            assert!(said.contains("which is a shallow clone"), "{said}");
            assert!(said.contains("fetch-depth: 0"), "{said}");
            let command = said.split('`').nth(1).unwrap();
            let words: Vec<&str> = command.split(' ').skip(1).collect();
            git(clone.path(), &words);
            let name = if said.contains("FETCH_HEAD") {
                "FETCH_HEAD"
            } else {
                revision
            };
            assert_eq!(repository.resolve(name).unwrap(), first, "{command}");
        }
    }

    #[test]
    fn a_file_of_a_commit_is_seen_without_a_checkout() {
        let project = Project::new();
        let repository = project.repository();
        assert!(repository.has("HEAD", "main.rs").unwrap());
        assert!(!repository.has("HEAD", ".gitmodules").unwrap());
    }
}
