//! Every crate that a build may contain is under a licence that goes with MIT and Apache-2.0 alike.

use std::process::Command;

/// Licences of which one is enough.
const FREE: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Zlib",
    "Unlicense",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "BSL-1.0",
    "Unicode-3.0",
];

/// Crates under another licence that are taken all the same, each for the reason that CONTRIBUTING.md gives.
const EXCEPTIONS: &[(&str, &str)] = &[("inferno", "CDDL-1.0")];

#[test]
fn every_dependency_has_a_compatible_licence() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        // Crates for other systems were not fetched.
        .args(["--filter-platform", env!("RINGSIDE_TARGET")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "{}", packages.len());
    let refused: Vec<String> = packages
        .iter()
        .map(|package| {
            let licence = package["license"].as_str().unwrap_or("none");
            (package["name"].as_str().unwrap(), licence)
        })
        .filter(|named| !is_free(named.1) && !EXCEPTIONS.contains(named))
        .map(|(name, licence)| format!("{name}: {licence}"))
        .collect();
    assert_eq!(refused, Vec::<String>::new());
}

/// Whether every part that `AND` joins offers a free choice. `/` is an old form of `OR`, and the words may be
/// written small (SPDX 3, annex B).
fn is_free(expression: &str) -> bool {
    expression
        .replace(['(', ')'], "")
        .replace(" or ", " OR ")
        .replace(" and ", " AND ")
        .split(" AND ")
        .all(|part| {
            part.replace('/', " OR ")
                .split(" OR ")
                .any(|licence| FREE.contains(&licence.trim()))
        })
}

#[test]
fn expressions_are_read_as_they_are_written() {
    for (expression, free) in [
        ("MIT", true),
        ("MIT/Apache-2.0", true),
        ("LGPL-2.1-or-later OR MIT", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("MIT or Apache-2.0", true),
        ("MIT and GPL-3.0", false),
        ("MIT AND GPL-3.0", false),
        ("none", false),
    ] {
        assert_eq!(is_free(expression), free, "{expression}");
    }
}
