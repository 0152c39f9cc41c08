//! Rules of the repository that a reviewer should not have to look for.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every tracked file that ends with `ending`, with its path from the top of the repository.
fn tracked(ending: &str) -> Vec<(String, String)> {
    let top = top();
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(&top)
        .output();
    let names = match listed {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap(),
        _ => walk(&top, &top).join("\0"),
    };
    let mut files: Vec<(String, String)> = names
        .split('\0')
        .filter(|name| name.ends_with(ending) && !name.starts_with("target/"))
        .filter_map(|name| Some((name.to_owned(), fs::read_to_string(top.join(name)).ok()?)))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no file ends with {ending}");
    files
}

/// Without git (a source archive): every file below `folder`, build output left out.
fn walk(top: &Path, folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name();
        if entry.file_type().unwrap().is_dir() {
            if name != "target" && name != ".git" && name != "runs" {
                names.extend(walk(top, &entry.path()));
            }
        } else {
            names.push(
                entry
                    .path()
                    .strip_prefix(top)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
            );
        }
    }
    names
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Fails with all offenders at once.
fn none(rule: &str, offenders: &[String]) {
    assert!(
        offenders.is_empty(),
        "{rule}:\n  {}",
        offenders.join("\n  ")
    );
}

#[test]
fn unsafe_code_is_in_metal_and_in_structures_under_test_alone() {
    let mut offenders = Vec::new();
    for (name, text) in tracked(".rs") {
        // A structure without locks is what is compared there.
        let excepted = ["harness/metal/", "impls/map/bucketed/"];
        if excepted.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"]
                .iter()
                .any(|form| code.contains(*form))
                && !code.contains('"')
            {
                offenders.push(format!("{name}:{}", number + 1));
            }
        }
    }
    none(
        "unsafe outside of harness/metal and of what is excepted",
        &offenders,
    );
}

#[test]
fn files_have_at_most_600_lines() {
    let long = |(name, text): (String, String)| {
        let lines = text.lines().count();
        (lines > 600).then(|| format!("{name}: {lines} lines"))
    };
    none(
        "look for a seam",
        &tracked(".rs")
            .into_iter()
            .filter_map(long)
            .collect::<Vec<_>>(),
    );
}

#[test]
fn functions_have_at_most_70_lines() {
    let mut offenders = Vec::new();
    for (name, text) in tracked(".rs") {
        let mut open: Option<(usize, usize, String)> = None;
        for (number, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            if is_function(line) {
                open = Some((indent, number, line.trim().to_owned()));
            } else if line.trim_start().starts_with('}')
                && let Some((_, start, title)) =
                    open.take_if(|(start_indent, ..)| *start_indent == indent)
            {
                let lines = number - start + 1;
                if lines > 70 {
                    offenders.push(format!("{name}:{}: {lines} lines: {title}", start + 1));
                }
            }
        }
    }
    none("functions over 70 lines", &offenders);
}

fn is_function(line: &str) -> bool {
    let mut words = line.split_whitespace().filter(|word| {
        !word.starts_with("pub") && !["const", "async", "unsafe", "extern", "\"C\""].contains(word)
    });
    words.next() == Some("fn") && !line.trim_end().ends_with(';')
}

#[test]
fn implementations_and_scenarios_lie_where_their_id_says() {
    let mut offenders = Vec::new();
    for (name, text) in tracked(".rs") {
        let folder = ["impls/", "scenarios/"]
            .into_iter()
            .find(|folder| name.starts_with(*folder));
        let Some(folder) = folder else { continue };
        let path = name.trim_start_matches(folder).trim_end_matches(".rs");
        for line in text.lines().map(str::trim) {
            let id = line
                .strip_prefix("id: \"")
                .and_then(|rest| rest.split('"').next());
            if id.is_some_and(|id| id != path) {
                offenders.push(format!("{name} declares another id: {line}"));
            }
        }
    }
    none("an id is a path", &offenders);
}

#[test]
fn every_source_file_is_part_of_a_crate() {
    let files = tracked(".rs");
    let mut offenders = Vec::new();
    for (name, _) in &files {
        let path = Path::new(name);
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let folder = path.parent().unwrap();
        let whole = ["lib", "main", "build"].contains(&stem)
            || ["tests", "benches", "examples", "bin", "fuzz_targets"]
                .iter()
                .any(|part| name.contains(&format!("/{part}/")));
        if whole {
            continue;
        }
        let (module, parents) = if stem == "mod" {
            let module = folder.file_name().unwrap().to_str().unwrap();
            (module, candidates(folder.parent().unwrap()))
        } else {
            (stem, candidates(folder))
        };
        let declared = files.iter().any(|(other, text)| {
            parents.contains(other)
                && text
                    .lines()
                    .map(|line| line.replace("mod r#", "mod "))
                    .any(|line| line.trim_end().ends_with(&format!("mod {module};")))
        });
        if !declared {
            offenders.push(name.clone());
        }
    }
    none("no `mod` line names these files", &offenders);
}

/// Files that may declare the modules of a folder.
fn candidates(folder: &Path) -> Vec<String> {
    let mut files: Vec<String> = ["mod.rs", "lib.rs", "main.rs"]
        .iter()
        .map(|file| folder.join(file).to_str().unwrap().to_owned())
        .collect();
    files.push(format!("{}.rs", folder.to_str().unwrap()));
    files
}

#[test]
fn pure_parts_know_no_clock_and_no_socket() {
    let pure = [
        "harness/contract/",
        "harness/wire/",
        "harness/judge/",
        "harness/profile/",
        "scenarios/",
        "reports/",
    ];
    let impure = [
        "std::net::Tcp",
        "std::process::Command",
        "Instant::now",
        "SystemTime::now",
        "thread::sleep",
    ];
    let mut offenders = Vec::new();
    for (name, text) in tracked(".rs") {
        if !pure.iter().any(|folder| name.starts_with(folder))
            || name.contains("/tests/")
            || name.contains("/benches/")
        {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for word in impure.iter().filter(|word| code.contains(**word)) {
            offenders.push(format!("{name}: {word}"));
        }
    }
    none("clocks, processes and sockets in a pure part", &offenders);
}

#[test]
fn runtimes_appear_only_in_engines_named_after_them_and_operations_that_say_so() {
    let mut offenders = Vec::new();
    for (name, text) in tracked(".rs") {
        for runtime in ["tokio", "tokio_uring", "compio"] {
            let used = text.lines().any(|line| {
                let code = line.split("//").next().unwrap_or_default();
                code.contains(&format!("use {runtime}::"))
                    || code.contains(&format!(" ::{runtime}::"))
            });
            let named = name.starts_with("harness/engine/") && name.contains(runtime);
            let says = |line: &str| line.contains("about: ") && line.contains(runtime);
            let said = name.starts_with("impls/") && text.lines().any(says);
            if used && !named && !said && !name.contains("/tests/") {
                offenders.push(format!("{name} uses {runtime}"));
            }
        }
    }
    none(
        "async runtimes outside their engines, in what does not say so",
        &offenders,
    );
}

#[test]
fn crates_depend_only_along_the_arrows() {
    let allowed: &[(&str, &[&str])] = &[
        ("harness/contract", &[]),
        ("harness/metal", &["contract"]),
        ("harness/wire", &[]),
        ("harness/engine", &["contract", "metal"]),
        ("harness/conform", &["contract", "wire"]),
        ("harness/load", &["contract", "metal"]),
        ("harness/judge", &["contract"]),
        ("harness/profile", &["contract"]),
        ("harness/run", &["contract", "metal", "load", "judge"]),
        ("impls", &["contract", "metal", "wire"]),
        ("impls/echo", &["contract", "metal", "wire", "engine"]),
        ("impls/http", &["contract", "metal", "wire", "engine"]),
        ("scenarios", &["contract", "wire"]),
        ("reports", &["contract"]),
    ];
    let mut offenders = Vec::new();
    for (folder, arrows) in allowed {
        let text = fs::read_to_string(top().join(folder).join("Cargo.toml")).unwrap();
        let own = text.split("[dev-dependencies]").next().unwrap_or_default();
        for line in own.lines().filter(|line| line.starts_with("ringside-")) {
            let other = line
                .trim_start_matches("ringside-")
                .split(['.', ' ', '='])
                .next()
                .unwrap_or_default();
            if !arrows.contains(&other) {
                offenders.push(format!("{folder} depends on {other}"));
            }
        }
    }
    none("arrows between crates", &offenders);
}

#[test]
fn every_crate_has_the_lints_of_the_workspace() {
    let offenders: Vec<String> = tracked("Cargo.toml")
        .into_iter()
        .filter(|(name, text)| {
            name != "Cargo.toml"
                && !name.starts_with("fuzz/")
                && !name.starts_with("yardsticks/")
                && !text.contains("[lints]\nworkspace = true")
        })
        .map(|(name, _)| name)
        .collect();
    none("crates without the lints of the workspace", &offenders);
}
