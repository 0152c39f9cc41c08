//! Writes down how the binary was built, for every record, and whether it can measure at all.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(measures)");
    let linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    if linux && env::var_os("CARGO_FEATURE_MEASURE").is_some() {
        println!("cargo::rustc-cfg=measures");
    }
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS")
        .unwrap_or_default()
        .replace('\x1f', " ");
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    for (name, value) in [
        ("RINGSIDE_COMMIT", commit()),
        (
            "RINGSIDE_RUSTC",
            output(Command::new(rustc).arg("--version")),
        ),
        ("RINGSIDE_FLAGS", Some(flags)),
        ("RINGSIDE_PROFILE", env::var("PROFILE").ok()),
        ("RINGSIDE_TARGET", env::var("TARGET").ok()),
    ] {
        let value = value.unwrap_or_else(|| "unknown".to_owned());
        println!("cargo::rustc-env={name}={value}");
    }
}

/// The commit that is checked out, with `-dirty` behind it when tracked files differ from it.
fn commit() -> Option<String> {
    let head = output(Command::new("git").args(["rev-parse", "--short=12", "HEAD"]))?;
    // Rerun when the checked-out commit changes; changes of files rebuild through the crates.
    if let Some(folder) = output(Command::new("git").args(["rev-parse", "--absolute-git-dir"])) {
        println!("cargo::rerun-if-changed={folder}/HEAD");
        println!("cargo::rerun-if-changed={folder}/logs/HEAD");
    }
    let status =
        output(Command::new("git").args(["status", "--porcelain", "-uno"])).unwrap_or_default();
    Some(if status.is_empty() {
        head
    } else {
        format!("{head}-dirty")
    })
}

fn output(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
