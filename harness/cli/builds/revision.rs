//! The commits to compare: what a revision means in the caller's repository, and what head is when
//! its files have changes. Nothing here changes a file of the caller's.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::GateSetupError;

/// A clone of the project.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    top: PathBuf,
}

/// What is checked out, as a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The commit; that of a stash which nothing names when there are changes.
    pub(crate) commit: String,
    /// What to call it: the commit that is checked out, with `-dirty` behind it when there are changes.
    pub(crate) name: String,
    /// What a reader should know besides, a sentence each.
    pub(crate) warnings: Vec<String>,
}

impl Repository {
    /// The repository that `path` lies in.
    pub(crate) fn open(path: &Path) -> Result<Self, GateSetupError> {
        let step = "find the repository's folder";
        let top = run(path, step, &["rev-parse", "--show-toplevel"]);
        let top = top.map_err(|error| match error {
            GateSetupError::Git { said, .. } if said.contains("not a git repository") => {
                GateSetupError::NotARepository {
                    path: path.to_owned(),
                }
            }
            GateSetupError::Git { said, .. } if said.contains("dubious ownership") => {
                GateSetupError::Untrusted {
                    path: path.to_owned(),
                }
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
    pub(crate) fn resolve(&self, revision: &str) -> Result<String, GateSetupError> {
        let commit = format!("{revision}^{{commit}}");
        let words = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ];
        match self.git("resolve a revision", words) {
            Ok(commit) => Ok(commit),
            Err(GateSetupError::Git { .. }) => Err(self.unknown(revision)?),
            Err(error) => Err(error),
        }
    }

    /// What is checked out. Changes of tracked files are refused unless `allow_dirty`; they are then
    /// taken as a stash that no reference names, so that the files stay as they are.
    pub(crate) fn head(&self, allow_dirty: bool) -> Result<Head, GateSetupError> {
        let commit = self.resolve("HEAD")?;
        let warnings = Vec::from_iter(self.untracked()?);
        let changed = self.git("list changes", ["diff", "--name-only", "HEAD", "--"])?;
        let Some(first) = changed.lines().next() else {
            let name = commit.clone();
            return Ok(Head {
                commit,
                name,
                warnings,
            });
        };
        if !allow_dirty {
            return Err(GateSetupError::Dirty {
                repository: self.top.clone(),
                count: changed.lines().count(),
                first: first.to_owned(),
            });
        }
        let stash = self.git("take the changes of tracked files", ["stash", "create"])?;
        Ok(Head {
            // It says nothing when the files only look changed.
            commit: if stash.is_empty() {
                commit.clone()
            } else {
                stash
            },
            name: format!("{commit}-dirty"),
            warnings,
        })
    }

    /// Runs git in it; its standard output without the space around it.
    pub(crate) fn git<S: AsRef<OsStr>>(
        &self,
        step: &'static str,
        words: impl IntoIterator<Item = S>,
    ) -> Result<String, GateSetupError> {
        run(&self.top, step, &Vec::from_iter(words))
    }

    /// Why `revision` is unknown.
    fn unknown(&self, revision: &str) -> Result<GateSetupError, GateSetupError> {
        let revision = revision.to_owned();
        let repository = self.top.clone();
        let shallow = self.git(
            "ask for the depth of the clone",
            ["rev-parse", "--is-shallow-repository"],
        )?;
        if shallow == "true" {
            return Ok(GateSetupError::Shallow {
                revision,
                repository,
            });
        }
        let remedy = match self.remote_branch(&revision)? {
            Some(branch) => format!("did you mean {branch}?"),
            None => "`git fetch --all --tags` fetches what is new, and `git branch --all` and \
                     `git tag` list the names that there are"
                .to_owned(),
        };
        Ok(GateSetupError::NoSuchRevision {
            revision,
            repository,
            remedy,
        })
    }

    /// The branch of a remote whose own name is `name`: a fresh clone has `origin/main` alone.
    fn remote_branch(&self, name: &str) -> Result<Option<String>, GateSetupError> {
        let words = ["for-each-ref", "--format=%(refname:short)", "refs/remotes"];
        let branches = self.git("list branches", words)?;
        let found = branches
            .lines()
            .find(|branch| branch.split_once('/').is_some_and(|(_, own)| own == name));
        Ok(found.map(str::to_owned))
    }

    /// A sentence about files that git does not know, as they are in neither build.
    fn untracked(&self) -> Result<Option<String>, GateSetupError> {
        let words = ["ls-files", "--others", "--exclude-standard"];
        let files = self.git("list untracked files", words)?;
        Ok(files.lines().next().map(|first| {
            let count = files.lines().count();
            format!(
                "untracked files are not part of head ({count}, the first is {first}): \
                 `git add` those that belong to it"
            )
        }))
    }
}

/// Runs git in `folder`.
fn run<S: AsRef<OsStr>>(
    folder: &Path,
    step: &'static str,
    words: &[S],
) -> Result<String, GateSetupError> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(words);
    // Its messages are looked at, so they have to be in English.
    command.env("LC_ALL", "C");
    // In a hook these name the caller's repository, and would outweigh the folder.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    let output = command.output().map_err(GateSetupError::NoGit)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(GateSetupError::Git { step, said })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::testing::{Project, git};
    use super::*;

    fn message<T: std::fmt::Debug>(result: Result<T, GateSetupError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn a_folder_without_a_repository_says_what_to_give_instead() {
        let folder = tempfile::tempdir().unwrap();
        let said = message(Repository::open(folder.path()));
        assert!(said.contains("is not in a git repository"), "{said}");
        assert!(said.contains("--base-bin"), "{said}");
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
    fn a_shallow_clone_says_how_to_fetch_the_rest() {
        let project = Project::new();
        let first = project.repository().resolve("HEAD").unwrap();
        project.commit("main.rs", "fn main() {}\n");
        let clone = project.clone_of(&["--depth", "1"]);
        let repository = Repository::open(clone.path()).unwrap();
        let said = message(repository.resolve(&first));
        assert!(said.contains("git fetch --unshallow"), "{said}");
        assert!(said.contains("fetch-depth: 0"), "{said}");
    }

    #[test]
    fn changes_are_refused_and_when_allowed_taken_without_a_touch() {
        let project = Project::new();
        let clean = project.repository().head(false).unwrap();
        assert_eq!(clean.commit, clean.name);
        project.write("main.rs", "fn main() { /* changed */ }\n");
        let said = message(project.repository().head(false));
        assert!(said.contains("(main.rs)"), "{said}");
        assert!(said.contains("--allow-dirty"), "{said}");
        let dirty = project.repository().head(true).unwrap();
        assert_eq!(dirty.name, format!("{}-dirty", clean.commit));
        let shown = git(
            project.path(),
            &["show", &format!("{}:main.rs", dirty.commit)],
        );
        assert!(shown.contains("changed"), "{shown}");
        let text = fs::read_to_string(project.path().join("main.rs")).unwrap();
        assert!(text.contains("changed"), "{text}");
        assert_eq!(git(project.path(), &["stash", "list"]), "");
    }

    #[test]
    fn untracked_files_are_no_hindrance_and_are_named() {
        let project = Project::new();
        project.write("new.rs", "");
        let head = project.repository().head(false).unwrap();
        assert_eq!(head.commit, head.name);
        assert!(head.warnings[0].contains("new.rs"), "{head:?}");
    }
}
