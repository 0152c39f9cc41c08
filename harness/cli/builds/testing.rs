//! A tiny project in a temporary repository, for the tests of the two builds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::repository::Repository;

/// A crate without dependencies that prints one word, committed once. It has this project's name,
/// as that is what is built.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    pub(crate) fn new() -> Self {
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        git(
            project.path(),
            &["init", "--quiet", "--initial-branch=main"],
        );
        git(project.path(), &["config", "user.name", "Test"]);
        git(
            project.path(),
            &["config", "user.email", "test@example.org"],
        );
        project.write(".gitignore", "/target\n");
        project.write("Cargo.toml", MANIFEST);
        project.write("Cargo.lock", LOCK);
        project.commit("main.rs", &prints("first"));
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.path().join("target")
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::open(self.path()).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes a file and commits everything; the new commit.
    pub(crate) fn commit(&self, name: &str, text: &str) -> String {
        self.write(name, text);
        git(self.path(), &["add", "--all"]);
        git(self.path(), &["commit", "--quiet", "--message", name]);
        self.repository().resolve("HEAD").unwrap()
    }

    pub(crate) fn clone_of(&self, options: &[&str]) -> TempDir {
        let clone = tempfile::tempdir().unwrap();
        // Without `file://` git copies the whole and heeds no depth.
        let source = format!("file://{}", self.path().display());
        let words = [&["clone", "--quiet"], options, &[&source, "."]].concat();
        git(clone.path(), &words);
        clone
    }
}

/// A program that prints `word`.
pub(crate) fn prints(word: &str) -> String {
    format!("fn main() {{ println!(\"{word}\"); }}\n")
}

pub(crate) fn git(folder: &Path, words: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(words);
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

const MANIFEST: &str = r#"[package]
name = "ringside"
version = "0.1.0"
edition = "2024"

[[bin]]
name = "ringside"
path = "main.rs"

[profile.release]
opt-level = 0

[workspace]
"#;

const LOCK: &str = r#"version = 4

[[package]]
name = "ringside"
version = "0.1.0"
"#;
