//! README against the tool: what it lists has to be what there is, and what it shows has to be accepted.
#![cfg(all(feature = "measure", target_os = "linux"))]
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::collections::{BTreeMap, BTreeSet};

use assert_cmd::Command;

const README: &str = include_str!("../../../README.md");
const EXIT: &str = include_str!("../exit.rs");

/// Standard output of the tool.
fn ringside(arguments: &[&str]) -> String {
    let output = Command::cargo_bin("ringside")
        .unwrap()
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Names by family, of everything of one kind.
fn listed(kind: &str) -> BTreeMap<String, BTreeSet<String>> {
    let plural = format!("{kind}s");
    let json: serde_json::Value =
        serde_json::from_str(&ringside(&["list", &plural, "--format", "json"])).unwrap();
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in json.as_array().unwrap() {
        let (family, name) = entry["id"].as_str().unwrap().split_once('/').unwrap();
        names
            .entry(family.to_owned())
            .or_default()
            .insert(name.to_owned());
    }
    names
}

/// The rows of the table of families: family, engines, outside programs, scenarios.
fn families() -> Vec<[String; 4]> {
    let rows = README.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<String> = row
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().replace('`', ""))
            .collect();
        cells.try_into().expect("a row has four cells")
    })
    .collect()
}

fn names(cell: &str) -> BTreeSet<String> {
    let names = cell.split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_table_of_families_is_what_the_tool_lists() {
    let (engines, programs) = (listed("implementation"), listed("program"));
    let scenarios = listed("scenario");
    let of = |all: &BTreeMap<_, BTreeSet<String>>, family: &str| {
        all.get(family).cloned().unwrap_or_default()
    };
    let mut seen = BTreeSet::new();
    let mut engines_above = String::new();
    for [family, own, beside, asked] in families() {
        // "the same" repeats the row above.
        let own = if own == "the same" {
            engines_above
        } else {
            own
        };
        assert_eq!(names(&own), of(&engines, &family), "engines of {family}");
        assert_eq!(names(&beside), of(&programs, &family), "beside {family}");
        assert_eq!(names(&asked), of(&scenarios, &family), "of {family}");
        engines_above = own;
        seen.insert(family);
    }
    assert_eq!(seen, scenarios.keys().cloned().collect());
}

#[test]
fn the_exit_codes_are_those_of_the_tool() {
    let code = |line: &str| {
        let (_, number) = line.trim().strip_suffix(',')?.split_once(" = ")?;
        number.parse::<u8>().ok()
    };
    let known: BTreeSet<u8> = EXIT.lines().filter_map(code).collect();
    assert!(known.len() > 5, "{known:?}");
    let list = exit_codes(README);
    assert_eq!(list, exit_codes(&ringside(&["--help"])));
    let told: Vec<u8> = list
        .split(", ")
        .map(|part| {
            let (number, _meaning) = part.split_once(' ').expect("a code and its meaning");
            number.parse().expect("a code")
        })
        .collect();
    assert_eq!(told, known.into_iter().collect::<Vec<_>>());
}

/// The sentence that lists the codes, on one line.
fn exit_codes(text: &str) -> String {
    let (_, list) = text.split_once("Exit codes: ").expect("a list of codes");
    let (list, _) = list.split_once('.').expect("a sentence");
    let words: Vec<&str> = list.split_whitespace().collect();
    words.join(" ").replace('`', "")
}

#[test]
fn the_commands_shown_are_accepted() {
    let known = ringside(&["--help"]);
    let ids: BTreeSet<String> = ["implementation", "program", "scenario"]
        .iter()
        .flat_map(|kind| listed(kind))
        .flat_map(|(family, names)| {
            names
                .into_iter()
                .map(move |name| format!("{family}/{name}"))
        })
        .collect();
    let shown = README
        .lines()
        .filter_map(|line| line.strip_prefix("    ringside "));
    let mut commands = 0;
    for line in shown {
        let words: Vec<&str> = line
            .split('#')
            .next()
            .unwrap_or(line)
            .split_whitespace()
            .collect();
        let command = words[0];
        let is_listed = known
            .lines()
            .any(|line| line.split_whitespace().next() == Some(command));
        assert!(is_listed, "{line}");
        let help = ringside(&[command, "--help"]);
        for word in &words[1..] {
            if word.starts_with("--") {
                assert!(help.contains(word), "{word} is no option: {line}");
            } else if let Some(id) = id(word) {
                assert!(ids.contains(id), "{id} is not listed: {line}");
            }
        }
        commands += 1;
    }
    assert!(commands > 3, "README shows {commands} commands");
}

/// The id in an argument, such as `http/epoll` of `'http/epoll[body=sendfile]'`: no path, no filter, and
/// not `http/mine`, which stands for a server of the reader's own.
fn id(word: &str) -> Option<&str> {
    let word = word.trim_matches('\'').split(['[', '{']).next()?;
    let (family, name) = word.split_once('/')?;
    let own = name == "mine" || name.is_empty();
    (families().iter().any(|row| row[0] == family) && !own).then_some(word)
}
