//! The binary, and files for it and from it.

use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;
use serde_json::Value;

/// The binary, which nothing lets hang.
pub(crate) fn ringside() -> Command {
    let mut command = Command::cargo_bin("ringside").unwrap();
    command
        .timeout(Duration::from_secs(120))
        .env("NO_COLOR", "1");
    command
}

/// Runs the binary, expects the code, and gives what it printed on both outputs.
pub(crate) fn run(arguments: &[&str], code: i32) -> (String, String) {
    let output = ringside().args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}\n{stdout}\n{stderr}"
    );
    assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    (stdout, stderr)
}

/// A file in `folder`, and its path.
pub(crate) fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Each line of a file of JSON lines.
pub(crate) fn json_lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
