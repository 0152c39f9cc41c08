//! `ringside gate --base` where there is nothing to compare: what is said, with which code, and that nothing is left.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::BINARY;
use crate::common::{ringside, write};
use crate::processes::{interrupt, processes_left};

/// A crate of this project's name that does nothing, committed once.
fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
    write(folder.path(), ".gitignore", "/target\n");
    write(folder.path(), "Cargo.toml", MANIFEST);
    write(folder.path(), "Cargo.lock", LOCK);
    commit(folder.path(), "main.rs", "fn main() {}\n");
    folder
}

fn commit(folder: &Path, name: &str, text: &str) {
    write(folder, name, text);
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", name]);
}

fn git(folder: &Path, words: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {words:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Gates what is checked out in `folder` against `base`; what was said.
fn gate(folder: &Path, base: &str, code: i32) -> String {
    let output = ringside()
        .current_dir(folder)
        .env_remove("CARGO_TARGET_DIR")
        .args(["gate", "--base", base])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn nothing_is_left(folder: &Path) {
    assert!(!folder.join("target/gate/tree").exists());
    assert!(!folder.join("reports").exists());
    let listed = git(folder, &["worktree", "list"]);
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

/// Gates it, and looks for a part of what is said.
fn check(folder: &Path, base: &str, code: i32, part: &str) {
    let said = gate(folder, base, code);
    assert!(said.contains(part), "{said}");
    nothing_is_left(folder);
}

#[test]
fn what_cannot_be_compared_is_told_by_a_sentence_and_a_code() {
    let project = project();
    check(
        project.path(),
        "nowhere",
        2,
        "revision nowhere does not exist",
    );
    let shallow = tempfile::tempdir().unwrap();
    commit(project.path(), "main.rs", "fn main() { no_such_thing() }\n");
    let first = git(project.path(), &["rev-parse", "HEAD~1"]);
    let source = format!("file://{}", project.path().display());
    git(
        shallow.path(),
        &["clone", "--quiet", "--depth", "1", &source, "."],
    );
    check(
        shallow.path(),
        first.trim(),
        2,
        "shallow clone: fetch it with",
    );
    commit(project.path(), "main.rs", "fn main() {}\n");
    check(project.path(), "HEAD~1", 1, "failed to build base (HEAD~1)");
    write(project.path(), "main.rs", "fn main() { println!() }\n");
    check(project.path(), "HEAD", 2, "--allow-dirty");
}

#[test]
fn a_folder_without_a_repository_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let said = gate(folder.path(), "HEAD", 2);
    assert!(said.contains("is not in a git repository"), "{said}");
}

#[test]
fn an_interrupted_build_is_code_130_and_leaves_no_process_and_no_checkout() {
    let project = project();
    // Cargo waits for it, and it for longer than any test.
    let script = "fn main() {\n    std::fs::write(std::env::var(\"STARTED\").unwrap(), \"\").unwrap();\n    \
                  std::thread::sleep(std::time::Duration::from_secs(600));\n}\n";
    commit(project.path(), "build.rs", script);
    let started = project.path().join("target/started");
    std::fs::create_dir(project.path().join("target")).unwrap();
    let mut child = Command::new(BINARY)
        .current_dir(project.path())
        .env_remove("CARGO_TARGET_DIR")
        .env("STARTED", &started)
        .args(["gate", "--base", "HEAD~1"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(100);
    while !started.exists() && child.try_wait().unwrap().is_none() && Instant::now() < patience {
        std::thread::yield_now();
    }
    interrupt(&child);
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(started.exists(), "{said}");
    assert_eq!(processes_left(project.path()), Vec::<String>::new());
    nothing_is_left(project.path());
}

const MANIFEST: &str = r#"[package]
name = "ringside"
version = "0.1.0"
edition = "2024"

[[bin]]
name = "ringside"
path = "main.rs"

[workspace]
"#;

const LOCK: &str = r#"version = 4

[[package]]
name = "ringside"
version = "0.1.0"
"#;
