//! A commit's files in a folder of their own, for as long as its build takes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::differences::Sources;
use super::error::BuildsError;
use super::repository::Repository;

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
    ) -> Result<Self, BuildsError> {
        clear(repository, path)?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(BuildsError::file("create", parent))?;
        }
        // Built before the checkout, so that what a failed one leaves is removed too.
        let worktree = Self {
            repository: repository.clone(),
            path: std::path::absolute(path).map_err(BuildsError::file("find", path))?,
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
}

impl Drop for Worktree {
    fn drop(&mut self) {
        // There is nobody to tell, and the next gate clears what is left.
        let _ = remove(&self.repository, &self.path);
    }
}

/// Removes a gate's leftover at `path`.
fn clear(repository: &Repository, path: &Path) -> Result<(), BuildsError> {
    if path.exists() && !is_leftover(path) {
        let path = path.to_owned();
        return Err(BuildsError::Occupied { path });
    }
    remove(repository, path).map_err(BuildsError::file("remove the leftover", path))
}

/// Only what git checked out as a worktree, or an empty folder, may be removed: both are known by
/// what they hold. In a clone of its own `.git` is a folder.
fn is_leftover(path: &Path) -> bool {
    let empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    empty || path.join(".git").is_file()
}

fn remove(repository: &Repository, path: &Path) -> io::Result<()> {
    // git forgets one whose folder is gone, too. It refuses a folder that it does not know (any more);
    // the folder goes all the same. `git worktree prune` would also forget worktrees of the caller's
    // on disks that are not there at the moment.
    let words = ["worktree", "remove", "--force", "--force"].map(Into::into);
    let place = [path.as_os_str().to_owned()];
    let _ = repository.git("remove a worktree", words.into_iter().chain(place));
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::super::testing::{Project, git};
    use super::*;

    fn listed(project: &Project) -> usize {
        git(project.path(), &["worktree", "list"]).lines().count()
    }

    #[test]
    fn a_worktree_is_there_until_it_is_dropped() {
        let project = Project::new();
        let path = project.target().join("gate/tree");
        let repository = project.repository();
        let commit = repository.resolve("HEAD").unwrap();
        let worktree = Worktree::add(&repository, &commit, &path).unwrap();
        assert!(worktree.path().join("main.rs").exists());
        assert!(worktree.sources().lock.is_some());
        assert!(worktree.sources().config.is_none());
        drop(worktree);
        assert!(!path.exists());
        assert_eq!(listed(&project), 1);
    }

    #[test]
    fn leftovers_of_a_killed_gate_are_replaced() {
        let project = Project::new();
        let path = project.target().join("gate/tree");
        let repository = project.repository();
        let add = || Worktree::add(&repository, "HEAD", &path).unwrap();
        std::mem::forget(add());
        fs::write(path.join("left.rs"), "").unwrap();
        let worktree = add();
        assert!(!path.join("left.rs").exists());
        // Registered with git, but gone from the disk.
        std::mem::forget(worktree);
        fs::remove_dir_all(&path).unwrap();
        std::mem::forget(add());
        // On the disk, but no more registered with git.
        fs::remove_dir_all(project.path().join(".git/worktrees")).unwrap();
        drop(add());
        assert!(!path.exists());
        assert_eq!(listed(&project), 1);
    }

    #[test]
    fn what_no_gate_left_stays() {
        let project = Project::new();
        project.write("target/gate/tree/precious", "");
        let path = project.target().join("gate/tree");
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
        let path = project.target().join("gate/tree");
        let error = Worktree::add(&project.repository(), "nowhere", &path).unwrap_err();
        assert!(error.to_string().contains("check a commit out"), "{error}");
        assert!(!path.exists());
        assert_eq!(listed(&project), 1);
    }

    #[test]
    fn hooks_of_the_repository_are_left_alone() {
        let project = Project::new();
        let hook = ".git/hooks/post-checkout";
        project.write(hook, "#!/bin/sh\ntouch hooked\n");
        let executable = Permissions::from_mode(0o755);
        fs::set_permissions(project.path().join(hook), executable).unwrap();
        let path = project.target().join("gate/tree");
        let worktree = Worktree::add(&project.repository(), "HEAD", &path).unwrap();
        assert!(!worktree.path().join("hooked").exists());
    }
}
