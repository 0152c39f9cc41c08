//! A commit's files in a folder of their own, for as long as its build takes.

use std::fmt::{self, Display};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::differences::Sources;
use super::error::GateSetupError;
use super::revision::Repository;

/// One of the two builds. Their names are equally long, and so are all paths with them: a path's
/// length moves what lies behind it in the program and on the stack, which changes speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The older one.
    Base,
    /// The newer one.
    Head,
}

impl Side {
    /// Where its files are checked out, below the folder of built things.
    pub(crate) fn worktree(self, target: &Path) -> PathBuf {
        target.join("gate").join(self.to_string())
    }

    /// Where its program is kept.
    pub(crate) fn program(self, target: &Path) -> PathBuf {
        target.join("gate").join(format!("bin-{self}"))
    }
}

impl Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base => "base",
            Self::Head => "head",
        })
    }
}

/// Checked-out files. Dropping it removes them.
#[derive(Debug)]
pub(crate) struct Worktree {
    repository: Repository,
    path: PathBuf,
}

impl Worktree {
    /// Checks `commit` out at `path`. What a killed gate left there is removed first; anything else
    /// there is an error.
    pub(crate) fn add(
        repository: &Repository,
        commit: &str,
        path: &Path,
    ) -> Result<Self, GateSetupError> {
        clear(repository, path)?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(GateSetupError::file("create", parent))?;
        }
        // Built before the checkout, so that what a failed one leaves is removed too.
        let worktree = Self {
            repository: repository.clone(),
            path: std::path::absolute(path).map_err(GateSetupError::file("find", path))?,
        };
        let words = ["worktree", "add", "--detach", "--force"].map(Into::into);
        let place = [worktree.path.clone().into_os_string(), commit.into()];
        repository.git("check a commit out", words.into_iter().chain(place))?;
        Ok(worktree)
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The files that say how it is built.
    pub(crate) fn sources(&self) -> Sources {
        let read = |name: &str| fs::read_to_string(self.path.join(name)).ok();
        Sources {
            lock: read("Cargo.lock"),
            toolchain: read("rust-toolchain.toml").or_else(|| read("rust-toolchain")),
            config: read(".cargo/config.toml").or_else(|| read(".cargo/config")),
            manifest: read("Cargo.toml"),
        }
    }

    /// Makes all files new. Both builds share cargo's folder, and cargo names crates of a workspace
    /// by their place in it: it takes the other side's program for this one's unless a file is newer.
    pub(crate) fn touch(&self) -> Result<(), GateSetupError> {
        let failed = GateSetupError::file("set the time of the files below", &self.path);
        touch_below(&self.path, SystemTime::now()).map_err(failed)
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        // There is nobody to tell, and the next gate clears what is left.
        let _ = remove(&self.repository, &self.path);
    }
}

/// Removes a gate's leftover at `path`.
fn clear(repository: &Repository, path: &Path) -> Result<(), GateSetupError> {
    if path.exists() && !is_leftover(path) {
        let path = path.to_owned();
        return Err(GateSetupError::Occupied { path });
    }
    remove(repository, path).map_err(GateSetupError::file("remove the leftover", path))
}

/// Only what git checked out as a worktree, or an empty folder, may be removed: both are known by
/// what they hold. In a clone of its own `.git` is a folder.
fn is_leftover(path: &Path) -> bool {
    let empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    empty || path.join(".git").is_file()
}

fn remove(repository: &Repository, path: &Path) -> io::Result<()> {
    // git refuses a folder that it does not know (any more); the folder goes all the same.
    let words = ["worktree", "remove", "--force", "--force"].map(Into::into);
    let place = [path.as_os_str().to_owned()];
    let _ = repository.git("remove a worktree", words.into_iter().chain(place));
    let removed = match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    let _ = repository.git("forget removed worktrees", ["worktree", "prune"]);
    removed
}

fn touch_below(folder: &Path, now: SystemTime) -> io::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                File::open(entry.path())?.set_modified(now)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Project, git};
    use super::*;

    #[test]
    fn a_worktree_is_there_until_it_is_dropped() {
        let project = Project::new();
        let path = Side::Base.worktree(&project.target());
        let repository = project.repository();
        let commit = repository.resolve("HEAD").unwrap();
        let worktree = Worktree::add(&repository, &commit, &path).unwrap();
        assert!(worktree.path().join("main.rs").exists());
        assert!(worktree.sources().lock.is_some());
        assert!(worktree.sources().config.is_none());
        drop(worktree);
        assert!(!path.exists());
        let listed = git(project.path(), &["worktree", "list"]);
        assert_eq!(listed.lines().count(), 1, "{listed}");
    }

    #[test]
    fn leftovers_of_a_killed_gate_are_replaced() {
        let project = Project::new();
        let path = Side::Head.worktree(&project.target());
        let repository = project.repository();
        let killed = Worktree::add(&repository, "HEAD", &path).unwrap();
        project.write("target/gate/head/left.rs", "");
        std::mem::forget(killed);
        let worktree = Worktree::add(&repository, "HEAD", &path).unwrap();
        assert!(!worktree.path().join("left.rs").exists());
        // Registered with git, but gone from the disk.
        std::mem::forget(worktree);
        fs::remove_dir_all(&path).unwrap();
        drop(Worktree::add(&repository, "HEAD", &path).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn what_no_gate_left_stays() {
        let project = Project::new();
        project.write("target/gate/base/precious", "");
        let path = Side::Base.worktree(&project.target());
        let error = Worktree::add(&project.repository(), "HEAD", &path).unwrap_err();
        assert!(
            error.to_string().contains("no leftover of a gate"),
            "{error}"
        );
        assert!(path.join("precious").exists());
    }

    #[test]
    fn a_failed_checkout_leaves_nothing() {
        let project = Project::new();
        let path = Side::Base.worktree(&project.target());
        let error = Worktree::add(&project.repository(), "nowhere", &path).unwrap_err();
        assert!(error.to_string().contains("check a commit out"), "{error}");
        assert!(!path.exists());
    }

    #[test]
    fn paths_of_both_sides_are_equally_long() {
        let length = |path: PathBuf| path.as_os_str().len();
        for path in [Side::worktree, Side::program] {
            let target = Path::new("/t");
            assert_eq!(
                length(path(Side::Base, target)),
                length(path(Side::Head, target))
            );
        }
    }
}
