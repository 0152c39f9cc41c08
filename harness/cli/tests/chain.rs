//! The whole chain and the commands beside it, as a user runs them.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

mod common;
#[path = "common/tiny.rs"]
mod tiny;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use common::{json_lines, ringside, run, write};
use serde_json::Value;
use tiny::TINY;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn a_plan_becomes_records_verdicts_a_page_and_csv() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let tiny = write(folder.path(), "tiny.toml", TINY);
    let (plan, _) = run(&["plan", "--plan", &tiny, "--format", "json"], 0);
    let plan = write(folder.path(), "plan.json", &plan);
    let (out, latest, csv) = (path("reports"), path("reports/latest"), path("all.csv"));
    let arguments = ["run", "--plan-json", &plan, "--out", &out];
    let (outcome, _) = run(&[&arguments[..], &["--format", "json"]].concat(), 0);
    assert_eq!(json(&outcome)["completed"], 4, "{outcome}");
    let (verdicts, _) = run(&["judge", &latest, "--format", "json"], 0);
    assert!(json(&verdicts)["judgements"].is_array());
    run(&["report", &latest, "--csv", &csv], 0);
    check_files(Path::new(&latest), Path::new(&csv));
}

#[test]
fn a_relative_output_folder_means_one_place_for_every_process() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = write(folder.path(), "tiny.toml", TINY);
    let output = ringside()
        .current_dir(folder.path())
        .args([
            "run",
            "--plan",
            &tiny,
            "--out",
            "reports",
            "--format",
            "json",
            "--progress",
            "always",
        ])
        .output()
        .unwrap();
    // There is no terminal for a bar here, so each block gets a line.
    let progress = String::from_utf8(output.stderr).unwrap();
    assert!(progress.contains("3/4 blocks"), "{progress}");
    let outcome = json(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(outcome["failed"], 0, "{outcome}");
    // Outside programs run in folders of their own, where a relative path would mean another place.
    let run = Path::new(outcome["folder"].as_str().unwrap());
    assert!(run.is_absolute(), "{outcome}");
}

fn check_files(run: &Path, csv: &Path) {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let records = json_lines(&run.join("records.jsonl"));
    assert_eq!(records.len(), 4);
    let page = read(&run.join("index.html"));
    for record in &records {
        assert!(record["measures"]["operations"].as_u64().unwrap() > 0);
        // The page has a section for each family and leaves the family out of the names in it.
        for part in ["scenario", "implementation"] {
            let name = record[part].as_str().unwrap().rsplit('/').next().unwrap();
            let times = page.matches(&format!(">{name}<")).count();
            assert!(times >= 2, "the page has {name} {times} times");
        }
    }
    assert!(json(&read(&run.join("verdicts.json"))).is_object());
    assert!(!run.join("tmp").exists(), "fixtures were left behind");
    let rows = read(csv);
    assert_eq!(rows.lines().count(), 5, "{rows}");
    let header = rows.lines().next().unwrap();
    for column in [
        "throughput (op/s)",
        "commit",
        "seed",
        "server_cpus",
        "corrupt (count)",
        "timeouts (count)",
        "server_cores_busy (cores)",
        "cpu_busy (share of each processor)",
        "interrupts (count)",
        "tcp_retransmits (segments)",
    ] {
        assert!(header.split(',').any(|name| name == column), "{header}");
    }
}

/// A manifest of a shell script in the family echo.
fn script(folder: &Path, name: &str, script: &str) -> String {
    let text = format!(
        r#"schema = 1
id = "echo/{name}"
service = "echo"
engine = "none"
about = "A script that serves nothing."
source = "nowhere"
version = ["true"]
run = ["sh", "-c", '{script}', "{{port}}"]
ready = {{ tcp = true }}
stop = {{ signal = "SIGTERM", grace = "1s" }}
needs = [{{ program = "sh", install = "apt-get install dash" }}]
"#
    );
    write(folder, &format!("{name}.toml"), &text)
}

#[test]
fn servers_that_die_or_never_get_ready_are_failed_cells_with_their_stderr() {
    let folder = tempfile::tempdir().unwrap();
    let dies = script(folder.path(), "dies", "echo no licence >&2; exit 3");
    let hangs = script(folder.path(), "hangs", "echo moon is late >&2; exec cat");
    let cells = TINY.split("[[group]]").next().unwrap().to_owned()
        + "[[group]]\nscenario = \"echo/small\"\ncells = [\"echo/epoll\", \"echo/dies\", \"echo/hangs\"]\n";
    let plan = write(folder.path(), "broken.toml", &cells);
    let out = folder.path().join("reports");
    let arguments = [
        "run",
        "--plan",
        &plan,
        "--manifest",
        &dies,
        "--manifest",
        &hangs,
    ];
    run(
        &[&arguments[..], &["--out", out.to_str().unwrap()]].concat(),
        0,
    );
    for record in json_lines(&out.join("latest/records.jsonl")) {
        let (state, stderr) = (&record["status"]["state"], &record["status"]["stderr"]);
        let stderr = stderr.as_str().unwrap_or_default();
        let expected = match record["implementation"].as_str().unwrap() {
            "echo/epoll" => "completed",
            "echo/dies" if stderr.contains("no licence") => "failed",
            "echo/hangs" if stderr.contains("moon is late") => "failed",
            _ => panic!("unexpected: {}", record["status"]),
        };
        assert_eq!(state, expected, "{record}");
    }
}

#[test]
fn a_server_is_served_and_loaded_by_hand() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_ringside"))
        .args(["serve", "echo/epoll"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let ready = json(&lines.next().unwrap().unwrap());
    let address = ready["addr"].as_str().unwrap();
    let arguments = ["load", "echo/small{connections=4}", "--target", address];
    let windows = ["--warmup", "10ms", "--measure", "50ms", "--format", "json"];
    let (measures, _) = run(
        &[arguments, [windows[0], windows[1], windows[2], windows[3]]].concat(),
        0,
    );
    assert!(measures.contains("a second"), "{measures}");
    let (measures, _) = run(&[&arguments[..], &windows].concat(), 0);
    assert!(json(&measures)["operations"].as_u64().unwrap() > 0);
    let kill = format!("kill -TERM {}", ready["pid"]);
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
    let counters = json(&lines.next().unwrap().unwrap());
    assert_eq!(counters["accepted"], 8, "{counters}");
    assert!(server.wait().unwrap().success());
}

#[test]
fn what_is_printed_as_json_can_be_read() {
    let (list, _) = run(&["list", "--format", "json"], 0);
    assert!(json(&list).as_array().unwrap().len() > 20);
    let filtered = [
        "list",
        "claims",
        "--filter",
        "http/small",
        "--format",
        "json",
    ];
    let (claims, _) = run(&filtered, 0);
    let claims = json(&claims);
    assert!(!claims.as_array().unwrap().is_empty(), "{claims}");
    let (plan, _) = run(&["plan", "--plan", "smoke", "--format", "json"], 0);
    assert_eq!(json(&plan)["name"], "smoke");
    let (findings, _) = run(&["doctor", "--format", "json"], 0);
    assert!(json(&findings)["findings"].is_array());
    let (cases, _) = run(&["verify", "echo/epoll", "--format", "json"], 0);
    let passed = |case: &Value| case["state"] == "passed";
    assert!(
        json(&cases).as_array().unwrap().iter().all(passed),
        "{cases}"
    );
}

#[test]
fn an_outside_program_is_verified_by_its_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_ringside");
    let text = format!(
        r#"schema = 1
id = "http/mine"
service = "http"
engine = "epoll"
about = "This program, taken for somebody else's."
source = "here"
version = ["{program}", "--version"]
run = ["{program}", "serve", "http/epoll", "--listen", "{{host}}:{{port}}", "--root", "{{root}}", "--head-deadline", "2s"]
ready = {{ http = "/" }}
stop = {{ signal = "SIGTERM", grace = "3s" }}
needs = [{{ program = "{program}", install = "cargo build" }}]
cannot = ["ranges"]
"#
    );
    let manifest = write(folder.path(), "mine.toml", &text);
    let arguments = ["verify", "http/mine", "--manifest", &manifest];
    let (said, _) = run(&arguments, 0);
    assert!(said.contains("0 failed"), "{said}");
    let (cases, _) = run(&[&arguments[..], &["--format", "json"]].concat(), 0);
    let cases = json(&cases);
    let state = |state: &str| {
        let cases = cases.as_array().unwrap().iter();
        cases.filter(|case| case["state"] == state).count()
    };
    assert!(state("passed") > 40 && state("n/a") > 0, "{cases}");
}

#[test]
fn colours_are_for_those_who_asked_for_them() {
    let colours = |arguments: &[&str], no_color: &str| {
        let mut command = ringside();
        command.args(["judge", "/nowhere"]).args(arguments);
        let output = command.env("NO_COLOR", no_color).output().unwrap();
        output.stderr.contains(&0x1b)
    };
    assert!(colours(&["--color", "always"], ""));
    assert!(!colours(&["--color", "never"], ""));
    // Standard error is a pipe here, which `auto` takes for somebody who wants no colours.
    assert!(!colours(&[], ""));
    // What was asked for on the command line goes before the environment.
    assert!(colours(&["--color", "always"], "1"));
}

#[test]
fn completions_of_each_shell_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (script, _) = run(&["completions", shell], 0);
        assert!(script.contains("bench-all"), "{shell}: {script}");
    }
}
