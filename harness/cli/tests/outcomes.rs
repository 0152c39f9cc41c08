//! Exit codes that say what came of a measurement: regressions, promises, interruption, a full disk.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

mod common;
#[path = "common/tiny.rs"]
mod tiny;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{json_lines, ringside, run, write};
use serde_json::{Value, json};
use tiny::TINY;

#[test]
fn a_server_that_takes_far_longer_is_code_3() {
    let folder = tempfile::tempdir().unwrap();
    // A thread for each connection takes many times the memory of one loop, on an idle and on a busy
    // machine: far beyond the 5 % that are asked for. Processor time would need saturated servers.
    let arguments = [
        "compare",
        "http/epoll",
        "http/blocking",
        "--scenario",
        "http/connections{connections=400,active=8}",
        "--rounds",
        "6",
        "--measure",
        "60ms",
        "--regression",
        "5",
        "--out",
        folder.path().to_str().unwrap(),
    ];
    let (_, stderr) = run(&arguments, 3);
    assert!(stderr.contains("confirming in fresh processes"), "{stderr}");
}

#[test]
fn a_comparison_that_decides_nothing_is_code_5_and_says_so_with_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    // With one connection the two sides wait for each other, so the server is far from full.
    let pair = ["compare", "echo/epoll", "echo/blocking", "--quiet"];
    let load = ["--scenario", "echo/small{connections=1}"];
    let size = ["--rounds", "2", "--measure", "30ms"];
    let out = ["--out", folder.path().to_str().unwrap()];
    let (said, _) = run(&[&pair[..], &load, &size, &out].concat(), 5);
    assert!(said.contains("decides nothing: A (echo/epoll)"), "{said}");
    assert!(said.contains("2 rounds are too few"), "{said}");
}

/// Judges a run in which the candidate has `ratios` times the throughput of the baseline, a round
/// each, by the promise of at least twice as much, and expects the code.
fn check_strict(ratios: [f64; 8], code: i32, verdict: &str) {
    let folder = tempfile::tempdir().unwrap();
    let header = "id,seed,section,role,scenario,params,metric,unit,baseline,candidate,kind,low,high,needs,statement";
    let claim = "twice,seed,1,promise,echo/small,,throughput,ratio,echo/epoll,echo/blocking,ratio,2,,,It is twice as fast.";
    write(folder.path(), "claims.csv", &format!("{header}\n{claim}\n"));
    let mut lines = String::new();
    for (round, ratio) in ratios.into_iter().enumerate() {
        for (implementation, rate) in [("echo/epoll", 1000.0), ("echo/blocking", 1000.0 * ratio)] {
            lines += &format!("{}\n", record(implementation, round, rate));
        }
    }
    write(folder.path(), "records.jsonl", &lines);
    let path = folder.path().to_str().unwrap();
    let (said, _) = run(
        &[
            "judge",
            path,
            "--strict",
            "--datasets",
            path,
            "--format",
            "json",
        ],
        code,
    );
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["judgements"][0]["verdict"], verdict, "{said}");
}

#[test]
fn promises_end_a_strict_judge_with_0_4_or_5() {
    check_strict([3.0; 8], 0, "met");
    check_strict([0.5; 8], 4, "missed");
    check_strict([1.0, 3.0, 1.0, 3.0, 1.0, 3.0, 1.0, 3.0], 5, "undecided");
}

#[test]
fn an_interrupted_run_is_code_130_and_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let plan = TINY.replace("rounds = 1", "rounds = 4");
    let plan = write(folder.path(), "tiny.toml", &plan);
    let out = folder.path().join("reports");
    let mut child = Command::new(env!("CARGO_BIN_EXE_ringside"))
        .args([
            "run",
            "--verbose",
            "--plan",
            &plan,
            "--filter",
            "echo/",
            "--out",
        ])
        .arg(&out)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let rest = interrupt_after_a_block(&mut child);
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("run --resume"), "{rest}");
    assert_eq!(servers_below(&out), Vec::<String>::new());
    let latest = out.join("latest");
    let finished = json_lines(&latest.join("records.jsonl"));
    assert!(
        !finished.is_empty() && finished.len() < 8,
        "{}",
        finished.len()
    );
    run(&["run", "--resume", latest.to_str().unwrap()], 0);
    let all = json_lines(&latest.join("records.jsonl"));
    assert_eq!(all.len(), 8);
    assert_eq!(all[..finished.len()], finished);
}

#[test]
fn an_interrupted_verify_is_code_130() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let child = Command::new(env!("CARGO_BIN_EXE_ringside"))
        .args(["verify", "--family", "echo", "--target", &target])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first case has begun and waits for an answer, so the signal meets it there.
    let (connection, _) = listener.accept().unwrap();
    interrupt(&child);
    drop((connection, listener));
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted"), "{said}");
}

#[test]
fn an_interrupted_bench_all_is_code_130_and_leaves_no_server() {
    let folder = tempfile::tempdir().unwrap();
    let plan = TINY.replace("rounds = 1", "rounds = 4");
    let plan = write(folder.path(), "tiny.toml", &plan);
    let out = folder.path().join("reports");
    let mut child = Command::new(env!("CARGO_BIN_EXE_ringside"))
        .args(["bench-all", "--verbose", "--plan", &plan, "--out"])
        .arg(&out)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let rest = interrupt_after_a_block(&mut child);
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("run --resume"), "{rest}");
    assert_eq!(servers_below(&out), Vec::<String>::new());
    assert!(out.join("latest/verdicts.json").exists(), "{rest}");
}

/// Sends SIGINT once a block was measured; what was said after that.
fn interrupt_after_a_block(child: &mut Child) -> String {
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

fn interrupt(child: &Child) {
    let kill = format!("kill -INT {}", child.id());
    let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(sent.success());
}

/// Servers whose command line names a file below `folder`, as that of every server of a run does.
fn servers_below(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let path = entry.ok()?.path().join("cmdline");
            // A process may end between the listing and this; then it is not left behind.
            let command = String::from_utf8(std::fs::read(&path).ok()?).ok()?;
            let words = command.replace('\0', " ");
            (words.contains(folder) && words.contains(" serve "))
                .then(|| format!("{}: {words}", path.display()))
        })
        .collect()
}

#[test]
fn a_full_disk_is_code_1_and_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "records.jsonl",
        &format!("{}\n", record("echo/epoll", 0, 1.0)),
    );
    let path = folder.path().to_str().unwrap();
    run(&["judge", path], 0);
    let (_, stderr) = run(&["report", path, "--csv", "/dev/full"], 1);
    assert!(
        stderr.contains("/dev/full") && stderr.contains("No space left"),
        "{stderr}"
    );
}

#[test]
fn a_run_that_cannot_write_is_code_1_and_keeps_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let plan = TINY.replace("rounds = 1", "rounds = 8");
    let plan = write(folder.path(), "tiny.toml", &plan);
    let out = folder.path().join("reports");
    // 40 KiB for each file hold the plan and some of the 16 records of 5 KiB.
    let script = "trap '' XFSZ; ulimit -f 80; exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_ringside")])
        .args(["run", "--plan", &plan, "--filter", "echo/", "--out"])
        .arg(&out)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("records.jsonl"), "{stderr}");
    assert_eq!(servers_below(&out), Vec::<String>::new());
    // The rest of the disk is there again: the run goes on.
    let latest = out.join("latest");
    ringside()
        .args(["run", "--resume", latest.to_str().unwrap()])
        .assert()
        .code(0);
    assert_eq!(json_lines(&latest.join("records.jsonl")).len(), 16);
}

#[test]
fn a_full_disk_leaves_the_verdicts_and_the_page_that_were_there() {
    let folder = tempfile::tempdir().unwrap();
    let line = format!("{}\n", record("echo/epoll", 0, 1.0));
    write(folder.path(), "records.jsonl", &line);
    let path = folder.path().to_str().unwrap();
    run(&["judge", path], 0);
    run(&["report", path], 0);
    let names = ["verdicts.json", "index.html"];
    let content = || names.map(|name| std::fs::read(folder.path().join(name)).unwrap());
    let before = content();
    for command in ["judge", "report"] {
        // A kilobyte holds neither file.
        let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";
        let output = Command::new("sh")
            .args(["-c", script, env!("CARGO_BIN_EXE_ringside"), command, path])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{command}");
    }
    assert_eq!(content(), before);
    // records.jsonl and the two; nothing half written lies beside them.
    assert_eq!(folder.path().read_dir().unwrap().count(), 3);
}

#[test]
fn a_run_that_could_measure_nothing_is_code_5() {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../../../impls/http/caddy.toml")
        .replace("http/caddy", "http/absent")
        .replace("program = \"caddy\"", "program = \"no-such-program-here\"");
    let manifest = write(folder.path(), "absent.toml", &text);
    let head = TINY.split("[[group]]").next().unwrap();
    let group = "[[group]]\nscenario = \"http/small\"\ncells = [\"http/absent\"]\n";
    let plan = write(folder.path(), "plan.toml", &format!("{head}{group}"));
    let out = folder.path().join("reports");
    let options = ["--plan", &plan, "--manifest", &manifest, "--out"];
    for command in [&["run"][..], &["bench-all"], &["bench-all", "--strict"]] {
        let arguments = [command, &options, &[out.to_str().unwrap()]].concat();
        run(&arguments, 5);
    }
}

/// One record of echo/small as JSON: a saturated server that answered `rate` messages a second.
fn record(implementation: &str, round: usize, rate: f64) -> Value {
    let cpu_ns = 1e12 / rate;
    json!({
        "schema": 1, "run": "made", "recorded_at": 0, "seed": 1, "group": 0, "replica": 0,
        "build": { "commit": "unknown", "rustc": "", "flags": "", "profile": "release", "target": "", "binary": "b" },
        "host": host(),
        "placement": { "server_cpus": [0], "generator_cpus": [1], "shared": false },
        "scenario": "echo/small",
        "params": {
            "arrivals": "constant", "connections": "64", "load": "closed", "rate": "10000",
            "size": "64B", "window": "1",
        },
        "implementation": implementation, "axes": {}, "ranked": true, "program": null,
        "server_command": [], "generator_command": [], "aligned": {}, "not_aligned": [],
        "round": round, "position": 0,
        "timing": { "warmup_ms": 10, "measure_ms": 1000, "count_ms": 0 },
        "status": { "state": "completed" },
        "measures": measures(rate, cpu_ns),
        "artifacts": [], "warnings": [],
    })
}

fn host() -> Value {
    json!({
        "os": "linux", "arch": "x86_64", "kernel": "6.1", "processor": "made", "cpus": [0, 1],
        "numa_nodes": 1, "memory_bytes": 1_u64 << 33, "cpu_features": [], "hardware_counters": false,
        "open_files_max": 20000, "root": false,
        "uring": { "state": "refused", "reason": "made" },
        "syscall_counting_refused": null, "sysctls": {}, "virtualisation": "none",
    })
}

fn measures(rate: f64, cpu_ns: f64) -> ringside_contract::Measures {
    use ringside_contract::{Limit, Measures, Side};
    Measures {
        duration_s: 1.0,
        operations: 1000,
        throughput_per_s: rate,
        connections: 64,
        server: Some(Side {
            cpu_ns: cpu_ns as u64,
            cores_busy: 0.97,
            cores: 1.0,
            ..Side::default()
        }),
        generator: Side {
            cores_busy: 0.5,
            cores: 1.0,
            ..Side::default()
        },
        limited_by: Some(Limit::Server),
        ..Measures::default()
    }
}
