//! The list of statements of both standards against the tests that name them. `cargo test -p ringside-conform
//! --test statements -- --nocapture` counts them.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ringside_conform::mqtt;

/// One line of the list.
struct Statement {
    version: String,
    id: String,
    binds: String,
    statement: String,
    state: String,
    tests: Vec<String>,
    reason: String,
}

/// A statement that a test names.
type Named = BTreeSet<(String, String)>;

/// Statements that the standards have.
const OF_311: usize = 141;
const OF_5: usize = 251;

fn list() -> Vec<Statement> {
    let path = top().join("harness/conform/mqtt/statements.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    let columns = "version,id,binds,statement,state,tests,reason";
    assert_eq!(
        reader
            .headers()
            .unwrap()
            .iter()
            .collect::<Vec<_>>()
            .join(","),
        columns
    );
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let text = |column: usize| record[column].to_owned();
            Statement {
                version: text(0),
                id: text(1),
                binds: text(2),
                statement: text(3),
                state: text(4),
                tests: record[5].split_whitespace().map(str::to_owned).collect(),
                reason: text(6),
            }
        })
        .collect()
}

/// What each test of the core and of the codec names, and each case.
fn named() -> BTreeMap<String, Named> {
    let mut all = BTreeMap::new();
    for (_, name, body) in tests() {
        let named = statements(&body);
        if !named.is_empty() {
            assert!(
                all.insert(name.clone(), named).is_none(),
                "two tests are called {name}"
            );
        }
    }
    for case in mqtt::cases() {
        let before = all.insert(case.name.to_owned(), statements(case.about));
        assert!(
            before.is_none(),
            "a case and another test are called {}",
            case.name
        );
    }
    all
}

/// Each test: its file, its name, and its text with the table and the comment in front of it.
fn tests() -> Vec<(String, String, String)> {
    let mut files = vec![
        "impls/mqtt/core/tests.rs".to_owned(),
        "harness/wire/mqtt/tests.rs".to_owned(),
    ];
    let folder = "impls/mqtt/core/tests";
    for entry in fs::read_dir(top().join(folder)).unwrap() {
        files.push(format!(
            "{folder}/{}",
            entry.unwrap().file_name().to_str().unwrap()
        ));
    }
    let mut tests = Vec::new();
    for file in files {
        let text = fs::read_to_string(top().join(&file)).unwrap();
        for item in text.split("\n}\n") {
            let function = item.lines().rev().find_map(|line| line.strip_prefix("fn "));
            let name = function.and_then(|rest| rest.split('(').next());
            match name {
                Some(name) if item.contains("#[test]\n") => {
                    tests.push((file.clone(), name.to_owned(), item.to_owned()));
                }
                _ => assert!(
                    statements(item).is_empty(),
                    "{file} names statements outside of a test"
                ),
            }
        }
    }
    tests
}

/// The statements that a text names: `3.1.1: MQTT-1.5.3-1. 5.0: MQTT-1.5.4-1`.
fn statements(text: &str) -> Named {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || ".-".contains(letter);
    let mut version = "";
    let mut named = Named::new();
    for word in text.split(|letter| !is_part(letter)) {
        let word = word.trim_end_matches('.');
        if ["3.1.1", "5.0"].contains(&word) {
            version = word;
        } else if is_id(word) {
            named.insert((version.to_owned(), word.to_owned()));
        }
    }
    named
}

/// `MQTT-`, a section and a number.
fn is_id(word: &str) -> bool {
    let parts = word
        .strip_prefix("MQTT-")
        .and_then(|rest| rest.split_once('-'));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    parts.is_some_and(|(section, number)| section.split('.').all(digits) && digits(number))
}

fn top() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
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
fn each_statement_has_one_line_that_says_how_it_stands() {
    let list = list();
    let mut seen = BTreeSet::new();
    let mut offenders = Vec::new();
    for line in &list {
        let Statement { version, id, .. } = line;
        let (tested, excused) = (!line.tests.is_empty(), !line.reason.is_empty());
        let consistent = match &*line.state {
            "covered" => tested && !excused,
            "fails" => tested && excused,
            "not covered" => !tested && excused,
            _ => false,
        };
        let right = ["3.1.1", "5.0"].contains(&&**version)
            && is_id(id)
            && ["server", "client", "both"].contains(&&*line.binds)
            && line.statement.ends_with('.')
            && consistent
            && seen.insert((version, id));
        if !right {
            offenders.push(format!("{version} {id}"));
        }
    }
    none("wrong or twice in the list", &offenders);
    let count = |wanted| list.iter().filter(|line| line.version == wanted).count();
    assert_eq!((count("3.1.1"), count("5.0")), (OF_311, OF_5));
}

#[test]
fn the_list_names_the_tests_that_name_a_statement_and_no_others() {
    let mut missing: BTreeSet<_> = named()
        .into_iter()
        .flat_map(|(test, named)| {
            let of_test = move |(version, id)| format!("{version} {id} {test}");
            named.into_iter().map(of_test)
        })
        .collect();
    let mut offenders = Vec::new();
    for line in list() {
        for test in &line.tests {
            let entry = format!("{} {} {test}", line.version, line.id);
            if !missing.remove(&entry) {
                offenders.push(format!(
                    "{entry}: no such test, or it does not name the statement"
                ));
            }
        }
    }
    offenders.extend(
        missing
            .into_iter()
            .map(|entry| format!("{entry}: not in the list")),
    );
    none("list and tests differ", &offenders);
}

#[test]
fn each_case_names_a_statement() {
    let silent = mqtt::cases()
        .iter()
        .filter(|case| statements(case.about).is_empty());
    let silent: Vec<_> = silent.map(|case| case.name.to_owned()).collect();
    none("cases without a statement", &silent);
}

/// A test that is left out shows a statement that fails, and each such statement has one.
#[test]
fn ignored_tests_are_those_of_statements_that_fail() {
    let ignored: BTreeSet<_> = tests()
        .into_iter()
        .filter(|(_, _, body)| body.contains("#[ignore"))
        .map(|(_, name, _)| name)
        .collect();
    let list = list();
    let failing = list.iter().filter(|line| line.state == "fails");
    let lacking = failing.filter(|line| !line.tests.iter().any(|test| ignored.contains(test)));
    let offenders: Vec<_> = lacking
        .map(|line| format!("{} {}", line.version, line.id))
        .collect();
    none("statements that fail without an ignored test", &offenders);
    let covered = list.iter().filter(|line| line.state == "covered");
    let claimed: Vec<_> = covered
        .flat_map(|line| line.tests.iter().filter(|test| ignored.contains(*test)))
        .cloned()
        .collect();
    none(
        "ignored tests of statements that are said to be covered",
        &claimed,
    );
}

#[test]
fn counts() {
    let mut counts = BTreeMap::new();
    for line in list() {
        *counts.entry((line.version, line.state)).or_insert(0) += 1;
    }
    for ((version, state), count) in &counts {
        println!("{version}: {count} {state}");
    }
    assert_eq!(counts.values().sum::<usize>(), OF_311 + OF_5);
}
