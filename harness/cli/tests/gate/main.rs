//! The gate from end to end: two builds, real servers, files and codes. What a build is that takes part in a
//! test is this binary, or a script that answers for it.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

mod base;
#[path = "../common/mod.rs"]
mod common;
mod processes;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::common::{json_lines, ringside, run, write};
use crate::processes::{interrupt, processes_left};

const BINARY: &str = env!("CARGO_BIN_EXE_ringside");
const BASE: &str = concat!("--base-bin=", env!("CARGO_BIN_EXE_ringside"));
const HEAD: &str = concat!("--head-bin=", env!("CARGO_BIN_EXE_ringside"));

/// Triples of four rounds of turns in which something is done on a busy machine too, and a threshold that noise does
/// not reach.
const PLAN: &str = r#"schema = 1
turns = { rounds = 4, warmup = "10ms", measure = "40ms" }
threshold = 1.0

[[cell]]
scenario = "echo/small"
implementation = "echo/epoll"
"#;

/// A program that answers the gate's question with `identity`, and does nothing else.
fn build_that_says(folder: &Path, name: &str, identity: &str) -> String {
    let path = write(folder, name, &format!("#!/bin/sh\necho '{identity}'\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_gate_leaves_triples_a_report_and_a_summary() {
    let folder = tempfile::tempdir().unwrap();
    let plan = write(folder.path(), "gate.toml", PLAN);
    let (out, summary) = (
        folder.path().join("reports"),
        folder.path().join("summary.md"),
    );
    let output = ringside()
        .args([
            "gate",
            "--base-bin",
            BINARY,
            "--head-bin",
            BINARY,
            "--plan",
            &plan,
        ])
        .args(["--format", "json", "--out"])
        .arg(&out)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // Which of the two it is, is the machine's business; an error is not.
    let code = output.status.code().unwrap();
    assert!(
        [0, 5].contains(&code),
        "{code}: {said} {}",
        String::from_utf8_lossy(&output.stdout)
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let verdict = if code == 0 { "pass" } else { "undecided" };
    assert_eq!(report["verdict"]["verdict"], verdict, "{report}");
    assert_eq!(report["rows"].as_array().unwrap().len(), 1);
    // An echo sends what it got.
    let mut counted = report["counted"].as_array().unwrap().iter();
    let bytes = counted.find(|one| one["metric"] == "bytes an operation");
    let bytes = bytes.unwrap();
    assert_eq!(bytes["state"]["state"], "same", "{bytes}");
    assert_eq!(bytes["name"], "echo/epoll in echo/small", "{bytes}");
    assert!(
        report["warnings"][0]
            .as_str()
            .unwrap()
            .contains("same file")
    );
    let gate = only_folder(&out.join("gates"));
    let triples = json_lines(&gate.join("triples.jsonl"));
    // Where it decides, it has seen ten; a starved machine ends it earlier.
    assert!(
        triples.len() >= if code == 0 { 10 } else { 3 },
        "{}",
        triples.len()
    );
    for triple in triples {
        assert_eq!(triple["turns"].as_array().unwrap().len(), 12, "{triple}");
    }
    let stored = std::fs::read(gate.join("report.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&stored).unwrap(), report);
    let page = std::fs::read_to_string(gate.join("index.html")).unwrap();
    assert!(page.contains("What changed"), "{page}");
    let summary = std::fs::read_to_string(summary).unwrap();
    assert!(summary.contains("| echo/small"), "{summary}");
}

/// Threads of workers take turns as servers do.
#[test]
fn operations_in_process_are_gated_too() {
    let folder = tempfile::tempdir().unwrap();
    let plan = PLAN
        .replace("echo/small", "map/mixed")
        .replace("echo/epoll", "map/mutex");
    let plan = write(folder.path(), "gate.toml", &plan);
    let output = ringside()
        .args([
            "gate", BASE, HEAD, "--plan", &plan, "--format", "json", "--out",
        ])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!([0, 5].contains(&output.status.code().unwrap()), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let changes = report["rows"][0]["changes"].as_array().unwrap();
    // A thread that holds and leaves a lock that nobody else wants does so a million times a second and more.
    let rate = changes.iter().find(|change| change["metric"] == "rate");
    assert!(rate.unwrap()["base"].as_f64().unwrap() > 1e5, "{report}");
}

fn only_folder(parent: &Path) -> std::path::PathBuf {
    let mut entries = std::fs::read_dir(parent).unwrap();
    let only = entries.next().unwrap().unwrap().path();
    assert!(entries.next().is_none());
    only
}

/// Compares two builds by [`PLAN`] and gives what was printed.
fn gate(folder: &Path, [base, head]: [&str; 2], rest: &[&str], code: i32) -> String {
    let plan = write(folder, "gate.toml", PLAN);
    let out = folder.join("reports").display().to_string();
    let fixed = ["gate", base, head, "--plan", &plan, "--out", &out];
    run(&[&fixed[..], rest].concat(), code).0
}

#[test]
fn what_base_does_not_have_is_new_and_alone_no_pass() {
    let folder = tempfile::tempdir().unwrap();
    let (identity, _) = run(&["identity"], 0);
    let without = identity.trim().replace("\"echo/epoll\",", "");
    assert_ne!(without, identity.trim());
    let base = build_that_says(folder.path(), "base", &without);
    let sides = [&format!("--base-bin={base}"), HEAD];
    let said = gate(folder.path(), sides, &[], 5);
    assert!(said.contains("has no implementation echo/epoll"), "{said}");
    assert!(said.contains("new"), "{said}");
}

#[test]
fn a_build_that_does_not_serve_is_an_error_with_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let (identity, _) = run(&["identity"], 0);
    let head = build_that_says(folder.path(), "head", identity.trim());
    let sides = [BASE, &format!("--head-bin={head}")];
    let said = gate(folder.path(), sides, &[], 1);
    assert!(said.contains("echo/epoll of head did not start"), "{said}");
    assert!(said.contains("no ready line"), "{said}");
}

#[test]
fn a_head_that_answers_wrongly_is_an_error_and_such_a_base_is_no_measure() {
    let folder = tempfile::tempdir().unwrap();
    // Its own file, by what it says of itself.
    let (identity, _) = run(&["identity"], 0);
    let mut identity: Value = serde_json::from_str(&identity).unwrap();
    identity["build"]["binary"] = "another".into();
    let script = format!(
        "#!/bin/sh\ncase $1 in\nidentity) echo '{identity}' ;;\n\
         serve) shift 2; exec {BINARY} serve http/epoll \"$@\" ;;\n*) exec {BINARY} \"$@\" ;;\nesac\n"
    );
    let wrong = write(folder.path(), "wrong", &script);
    std::fs::set_permissions(&wrong, std::fs::Permissions::from_mode(0o755)).unwrap();
    let head = [BASE, &format!("--head-bin={wrong}")];
    let said = gate(folder.path(), head, &[], 1);
    let says = "echo/epoll of head fails its cases";
    assert!(said.contains(says) && said.contains("verify"), "{said}");
    let base = [&format!("--base-bin={wrong}"), HEAD];
    let said = gate(folder.path(), base, &[], 5);
    assert!(said.contains("echo/epoll of base is no measure"), "{said}");
}

/// As [`PLAN`], of a family whose functions are counted: to these the threshold of all applies, not the cell's.
const HASH_PLAN: &str = r#"schema = 1
turns = { rounds = 2, warmup = "10ms", measure = "40ms" }
threshold = 0.05

[[cell]]
scenario = "hash/throughput"
implementation = "hash/fnv1a"
threshold = 1.0
"#;

/// A build of its own, which is this one but for what the line `count` of a shell does when its functions are
/// counted.
fn build_that_counts(folder: &Path, name: &str, count: &str) -> String {
    let (identity, _) = run(&["identity"], 0);
    let mut identity: Value = serde_json::from_str(&identity).unwrap();
    identity["build"]["binary"] = name.into();
    let script = format!(
        "#!/bin/sh\ncase $1 in\nidentity) echo '{identity}' ;;\ncount) {count} ;;\n*) exec {BINARY} \"$@\" ;;\nesac\n"
    );
    let path = write(folder, name, &script);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Compares a build with this one by [`HASH_PLAN`]. Gives the code and the report.
fn counted(base: &str, head: &str, path: &str) -> (i32, Value) {
    let folder = tempfile::tempdir().unwrap();
    let plan = write(folder.path(), "gate.toml", HASH_PLAN);
    let output = ringside()
        .args(["gate", "--base-bin", base, "--head-bin", head])
        .args(["--format", "json", "--plan", &plan, "--out"])
        .arg(folder.path())
        .env("PATH", path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.code().unwrap(), report)
}

/// The search path, if valgrind is on it.
fn with_valgrind() -> Option<String> {
    let path = std::env::var("PATH").unwrap();
    let installed = std::env::split_paths(&path).any(|folder| folder.join("valgrind").exists());
    if !installed {
        eprintln!("skipped: valgrind is not installed");
    }
    installed.then_some(path)
}

/// What was counted of functions.
fn instructions(report: &Value) -> impl Iterator<Item = &Value> {
    let counted = report["counted"].as_array().unwrap().iter();
    counted.filter(|one| one["metric"] == "instructions")
}

/// Names and states of functions.
fn states(report: &Value) -> Vec<(&str, &str)> {
    instructions(report)
        .map(|one| {
            let name = one["name"].as_str().unwrap();
            (name, one["state"]["state"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn builds_of_equal_counts_do_not_fail_by_them() {
    let Some(path) = with_valgrind() else { return };
    let folder = tempfile::tempdir().unwrap();
    let count = format!("exec {BINARY} \"$@\"");
    let base = build_that_counts(folder.path(), "base", &count);
    let (code, report) = counted(&base, BINARY, &path);
    assert!([0, 5].contains(&code), "{report}");
    let expected =
        ["hash/fnv1a", "hash/rapidhash", "hash/siphash", "hash/xxh3"].map(|name| (name, "same"));
    assert_eq!(states(&report), expected, "{report}");
    for one in instructions(&report) {
        let [base, head] = ["base", "head"].map(|side| one[side].as_f64().unwrap());
        // Hardly any function of 100 keys takes less, and what they do follows from nothing but the keys.
        assert!(
            base > 100_000.0 && (base / head - 1.0).abs() < 1e-3,
            "{one}"
        );
    }
}

#[test]
fn a_function_of_more_instructions_fails_the_gate_by_its_name() {
    let Some(path) = with_valgrind() else { return };
    let folder = tempfile::tempdir().unwrap();
    // One function takes the place of another, which is faster.
    let count = format!("exec {BINARY} count hash/fnv1a hash/rapidhash hash/siphash hash/fnv1a");
    let head = build_that_counts(folder.path(), "head", &count);
    let (code, report) = counted(BINARY, &head, &path);
    assert_eq!(code, 3, "{report}");
    assert_eq!(report["verdict"]["verdict"], "regression");
    let expected = [
        ("hash/fnv1a", "same"),
        ("hash/rapidhash", "same"),
        ("hash/siphash", "same"),
        ("hash/xxh3", "regression"),
    ];
    assert_eq!(states(&report), expected, "{report}");
}

#[test]
#[cfg(feature = "plant")]
fn a_planted_slowdown_of_a_function_fails_the_gate() {
    let Some(path) = with_valgrind() else { return };
    let folder = tempfile::tempdir().unwrap();
    // 500 steps for each key, against some hundred instructions.
    let count = format!("RINGSIDE_PLANT=processor:00500000000 exec {BINARY} \"$@\"");
    let head = build_that_counts(folder.path(), "head", &count);
    let (code, report) = counted(BINARY, &head, &path);
    assert_eq!(code, 3, "{report}");
    let expected = ["hash/fnv1a", "hash/rapidhash", "hash/siphash", "hash/xxh3"]
        .map(|name| (name, "regression"));
    assert_eq!(states(&report), expected, "{report}");
}

/// Ten times the time of an echo, so that no noise hides it.
#[test]
#[cfg(feature = "plant")]
fn a_planted_slowdown_is_a_regression_with_flame_graphs() {
    let folder = tempfile::tempdir().unwrap();
    let slow = format!("#!/bin/sh\nRINGSIDE_PLANT=processor:10000000000 exec {BINARY} \"$@\"\n");
    let head = write(folder.path(), "slow", &slow);
    std::fs::set_permissions(&head, std::fs::Permissions::from_mode(0o755)).unwrap();
    let sides = [BASE, &format!("--head-bin={head}")];
    let said = gate(folder.path(), sides, &["--format", "json"], 3);
    let report: Value = serde_json::from_str(&said).unwrap();
    let row = &report["rows"][0];
    assert_eq!(row["verdict"]["verdict"], "regression", "{row}");
    assert!(row["confirming"][0]["slowdown"]["low"].as_f64().unwrap() > 0.5);
    let gate = only_folder(&folder.path().join("reports/gates"));
    let graphs = row["graphs"].as_array().unwrap();
    if graphs.is_empty() {
        // Without `perf`, or where it is refused, the report says so.
        let warnings = report["warnings"].to_string();
        assert!(
            warnings.contains("no flame graphs of echo/epoll"),
            "{warnings}"
        );
        return;
    }
    let read = |graph: &Value| std::fs::read_to_string(gate.join(graph.as_str().unwrap())).unwrap();
    let drawn: Vec<String> = graphs.iter().map(read).collect();
    assert!(drawn.iter().all(|text| text.contains("<svg")));
    // Head's own graph comes first, and shows what was planted.
    assert!(drawn[0].contains("chain"), "{}", graphs[0]);
    assert!(!drawn[1].contains("chain"), "{}", graphs[1]);
}

#[test]
fn what_is_not_counted_is_told_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().to_str().unwrap();
    let head = build_that_counts(folder.path(), "head", "exit 9");
    for (head, part) in [(BINARY, "same file"), (&*head, "valgrind is not installed")] {
        let (code, report) = counted(BINARY, head, nothing);
        assert!([0, 5].contains(&code), "{report}");
        assert_eq!(states(&report), [("pure functions (hash)", "not_counted")]);
        let because = report["counted"][0]["state"]["because"].as_str().unwrap();
        assert!(because.contains(part), "{because}");
    }
}

/// An outside program `echo/{name}`, started as `program`.
fn manifest(folder: &Path, name: &str, program: &str) -> String {
    let text = format!(
        r#"schema = 1
id = "echo/{name}"
service = "echo"
engine = "epoll"
about = "An echo server."
source = "https://example.org"
version = ["{program}", "--version"]
run = ["{program}", "serve", "echo/epoll", "--listen", "{{host}}:{{port}}"]
ready = {{ tcp = true }}
stop = {{ signal = "SIGTERM", grace = "2s" }}
needs = []
"#
    );
    write(folder, &format!("{name}.toml"), &text)
}

/// Both sides were measured, in rows of the program `id`. What follows is the machine's business.
fn check_programs(sides: [&str; 2], rest: &[&str], id: &str, names: [&str; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let plan = write(folder.path(), "gate.toml", PLAN);
    let output = ringside()
        .args([
            "gate",
            "--format",
            "json",
            "--scenario",
            "echo/small",
            "--plan",
            &plan,
        ])
        .args(sides)
        .args(rest)
        .arg("--out")
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!([0, 5].contains(&output.status.code().unwrap()), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["rows"][0]["implementation"], id, "{report}");
    assert_ne!(report["rows"][0]["changes"][0]["head"], Value::Null);
    assert_eq!(states(&report), [("pure functions (echo)", "not_counted")]);
    assert_eq!([&report["base"]["name"], &report["head"]["name"]], names);
}

#[test]
fn two_manifests_are_two_builds_of_one_program() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|name| manifest(folder.path(), name, BINARY));
    let sides = [
        &*format!("--base-manifest={old}"),
        &*format!("--head-manifest={new}"),
    ];
    check_programs(sides, &[], "echo/new", [&old, &new]);
}

#[test]
fn two_files_take_the_place_of_the_program_that_a_manifest_names() {
    let folder = tempfile::tempdir().unwrap();
    // The program that it names is nowhere: it must not be looked for.
    let mine = manifest(folder.path(), "mine", "/nowhere/program");
    let rest = ["--manifest", &mine, "--implementation", "echo/mine"];
    check_programs([BASE, HEAD], &rest, "echo/mine", [BINARY, BINARY]);
}

#[test]
fn builds_that_cannot_be_compared_are_code_2_with_the_cause() {
    let folder = tempfile::tempdir().unwrap();
    let newer = build_that_says(folder.path(), "newer", r#"{"schema":7}"#);
    let brief = build_that_says(folder.path(), "brief", r#"{"schema":1}"#);
    let check = |base: &str, rest: &[&str], part: &str| {
        let out = folder.path().join("reports");
        let arguments = ["gate", "--base-bin", base, "--head-bin", BINARY, "--out"];
        let arguments = [&arguments[..], &[out.to_str().unwrap()], rest].concat();
        let (_, said) = run(&arguments, 2);
        assert!(said.contains(part), "{said}");
        assert!(!out.exists(), "{said}");
    };
    check("/nowhere/ringside", &[], "no program /nowhere/ringside");
    check("/bin/true", &[], "/bin/true is no build of this tool");
    check(&newer, &[], "schema 7, and this program reads schema 1");
    check(&brief, &[], "missing field");
    check(BINARY, &["--scenario", "echo/smal"], "echo/small");
    check(BINARY, &["--scenario", "echo/large"], "--implementation");
    check(
        BINARY,
        &["--filter", "nothing"],
        "nothing is left to compare",
    );
    check(
        BINARY,
        &["--implementation", "http/epoll", "--scenario", "echo/small"],
        "of one family",
    );
    check(
        BINARY,
        &[
            "--implementation",
            "echo/epoll",
            "--scenario",
            "echo/small{load=sweep,rate=1000}",
        ],
        "a sweep has no turns",
    );
    check(
        BINARY,
        &[
            "--implementation",
            "http/nginx",
            "--implementation",
            "http/epoll",
        ],
        "builds of one program",
    );
}

#[test]
#[cfg(not(feature = "plant"))]
fn a_build_that_plants_nothing_says_which_one_tests_the_gate() {
    let (_, said) = run(&["gate", "selftest"], 2);
    assert!(said.contains("just selftest"), "{said}");
}

#[test]
fn an_interrupted_gate_is_code_130_and_leaves_no_process_and_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let plan = PLAN.replace("rounds = 4", "rounds = 20");
    let plan = write(folder.path(), "gate.toml", &plan);
    let (out, scratch) = (folder.path().join("reports"), folder.path().join("scratch"));
    std::fs::create_dir(&scratch).unwrap();
    let mut child = std::process::Command::new(BINARY)
        .args([
            "gate",
            "--base-bin",
            BINARY,
            "--head-bin",
            BINARY,
            "--plan",
            &plan,
        ])
        .args(["--verbose", "--out"])
        .arg(&out)
        .env("TMPDIR", &scratch)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let rest = interrupt_after_a_triple(&mut child);
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert_eq!(processes_left(folder.path()), Vec::<String>::new());
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
    let gate = only_folder(&out.join("gates"));
    assert!(!json_lines(&gate.join("triples.jsonl")).is_empty());
}

fn interrupt_after_a_triple(child: &mut Child) -> String {
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("measured") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "ended too early");
    }
    interrupt(child);
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    rest
}
