//! Every documented exit code, and what bad input gets told. Nothing here may panic or hang.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;

fn ringside() -> Command {
    let mut command = Command::cargo_bin("ringside").unwrap();
    command
        .timeout(Duration::from_secs(120))
        .env("NO_COLOR", "1");
    command
}

/// Runs the arguments and holds the code and a part of what was said on standard error.
fn check(arguments: &[&str], code: i32, says: &[&str]) {
    let output = ringside().args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?} said: {stderr}"
    );
    for part in says {
        assert!(
            stderr.contains(part),
            "{arguments:?} did not say `{part}` but: {stderr}"
        );
    }
    assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn results_are_code_0() {
    check(&["list", "scenarios"], 0, &[]);
    check(&["plan", "--plan", "smoke"], 0, &[]);
    check(&["completions", "bash"], 0, &[]);
}

#[test]
fn every_command_shows_an_example_in_its_help() {
    for command in [
        "list",
        "doctor",
        "plan",
        "run",
        "judge",
        "report",
        "bench-all",
        "compare",
        "gate",
        "profile",
        "serve",
        "load",
        "verify",
        "completions",
    ] {
        let output = ringside().args([command, "--help"]).output().unwrap();
        let help = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && help.contains("Example"),
            "{command}: {help}"
        );
    }
}

#[test]
fn help_names_every_plan() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/plans");
    let output = ringside().args(["run", "--help"]).output().unwrap();
    let help = String::from_utf8_lossy(&output.stdout);
    let named = help.split_once("A named plan (").unwrap().1;
    let named = named.split_once(')').unwrap().0;
    let named: BTreeSet<_> = named
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect();
    let files = std::fs::read_dir(folder).unwrap();
    let plans = files.map(|file| file.unwrap().path());
    let plans = plans.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    // What two builds are compared by is no plan of a run.
    assert_eq!(named, plans.filter(|name| name != "gate").collect());
}

#[test]
fn a_list_says_what_each_plan_is_for() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("plans")).unwrap();
    let mine = "name = \"mine\"\nabout = \"What only I ask.\"\n";
    write(folder.path(), "plans/mine.toml", mine);
    let datasets = ["--datasets", folder.path().to_str().unwrap()];
    let output = ringside().args(["list", "plans"]).args(datasets).output();
    let listed = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(listed.contains("What only I ask."), "{listed}");
    write(folder.path(), "plans/mine.toml", "name = \"mine\"\n");
    let arguments = [&["list", "plans"], &datasets[..]].concat();
    check(&arguments, 2, &["mine.toml", "about"]);
}

#[test]
fn failures_are_code_1() {
    check(&["judge", "/nowhere"], 1, &["no run to judge in /nowhere"]);
    check(&["report", "/nowhere"], 1, &["ringside judge"]);
    // Nobody listens on port 1 of this loopback address.
    check(
        &[
            "load",
            "echo/small{connections=1}",
            "--target",
            "127.0.77.1:1",
            "--measure",
            "50ms",
        ],
        1,
        &["127.0.77.1:1"],
    );
}

#[test]
fn wrong_names_and_arguments_are_code_2() {
    check(&["serve", "http/epol"], 2, &["http/epoll"]);
    check(&["serve", "http/epoll[bodi=mmap]"], 2, &["bodi", "body"]);
    check(
        &["load", "echo/smal", "--target", "127.0.0.1:1"],
        2,
        &["echo/small"],
    );
    check(
        &["load", "echo/small{size=big}", "--target", "127.0.0.1:1"],
        2,
        &["size", "64B"],
    );
    check(&["serve", "http/epoll"], 2, &["root"]);
    for (id, says) in [
        (
            "mqtt/epoll[cache=versioned]",
            "[cache=versioned,persistence=file]'",
        ),
        ("mqtt/floor", "leave --state out"),
        ("echo/epoll", "leave --state out"),
    ] {
        check(&["serve", id, "--state", "/nowhere"], 2, &["--state", says]);
    }
    check(&["plan", "--plan", "quik"], 2, &["quick"]);
    check(&["plan", "--budget", "soon"], 2, &["--budget", "10m"]);
    check(
        &["plan", "--filter", "nothing-has-this-name"],
        2,
        &["nothing is left"],
    );
    let output = ringside()
        .args(["plan", "--budget", "1s"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("--filter"), "{stderr}");
    check(&["frobnicate"], 2, &["frobnicate"]);
    check(&["compare", "http/epoll", "http/uring"], 2, &["--scenario"]);
}

#[test]
fn loads_that_make_no_sense_are_code_2_with_the_cause() {
    for (scenario, says) in [
        ("echo/small{size=0B}", "0B"),
        ("echo/small{load=open,rate=0}", "rate"),
        ("echo/small{load=open,rate=1e300}", "at most 10000000"),
        ("echo/small{load=open,rate=1e12}", "at most 10000000"),
        ("echo/pipelined{window=4000000000}", "to 1000000"),
        ("echo/small{connections=4000000000}", "to 1000000"),
    ] {
        let target = ["--target", "127.0.77.1:1"];
        check(&[&["load", scenario], &target[..]].concat(), 2, &[says]);
    }
    for pid in ["0", "999999999"] {
        let target = ["--target", "127.0.77.1:1", "--watch", pid];
        let arguments = [&["load", "echo/small"], &target[..]].concat();
        check(&arguments, 2, &["no such process", pid]);
    }
}

#[test]
fn results_that_are_lost_are_code_1_and_a_reader_that_left_is_not() {
    let binary = env!("CARGO_BIN_EXE_ringside");
    let ends = |script: &str| {
        let output = std::process::Command::new("bash")
            .args(["-c", script, binary])
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{script}: {stderr}");
        (output.status.code(), stderr)
    };
    for arguments in ["completions zsh", "list scenarios"] {
        let (code, said) = ends(&format!("$0 {arguments} > /dev/full"));
        assert_eq!(code, Some(1), "{arguments}: {said}");
        assert!(said.contains("standard output"), "{said}");
        // `true` reads nothing; the pipe is closed by the time that the last of a long text is written.
        let (code, said) = ends(&format!("$0 {arguments} | true; exit ${{PIPESTATUS[0]}}"));
        assert_eq!(code, Some(0), "{arguments}: {said}");
    }
}

#[test]
fn a_regression_that_is_no_share_is_code_2() {
    for share in ["NaN", "inf", "-1", "some"] {
        let pair = ["compare", "echo/epoll", "echo/epoll"];
        check(
            &[&pair[..], &["--regression", share]].concat(),
            2,
            &["--regression", share],
        );
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "records.jsonl", "");
    let run = folder.path().to_str().unwrap();
    check(
        &["compare", run, run, "--regression", "5"],
        2,
        &["--regression", "two runs"],
    );
    check(
        &["compare", run, "/nowhere"],
        2,
        &["no run in /nowhere", "records.jsonl"],
    );
    let lost = ["compare", "reports/runs/a", "reports/runs/b"];
    check(&lost, 2, &["no run in reports/runs/a"]);
}

#[test]
fn targets_that_are_not_loopback_are_code_2() {
    // 192.0.2.0/24 is reserved for documentation; it is refused before anything is sent.
    check(
        &["load", "echo/small", "--target", "192.0.2.1:7"],
        2,
        &["192.0.2.1:7", "--allow-remote"],
    );
    check(
        &["serve", "echo/epoll", "--listen", "0.0.0.0:0"],
        2,
        &["0.0.0.0:0", "--allow-remote"],
    );
    check(
        &["verify", "--family", "http", "--target", "192.0.2.1:80"],
        2,
        &["192.0.2.1:80", "--allow-remote"],
    );
}

#[test]
fn broken_data_files_are_code_2_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let plan = write(
        folder.path(),
        "mine.toml",
        "schema = 1\nname = \"mine\"\nrounds = \"many\"\n",
    );
    check(&["plan", "--plan", &plan], 2, &["mine.toml", "3", "rounds"]);
    let manifest = write(
        folder.path(),
        "server.toml",
        "schema = 1\nid = \"http/mine\"\nrun = 7\n",
    );
    check(
        &["list", "--manifest", &manifest],
        2,
        &["server.toml", "run"],
    );
    let header = "id,seed,section,role,scenario,params,metric,unit,baseline,candidate,kind,low,high,needs,statement";
    write(
        folder.path(),
        "claims.csv",
        &format!("{header}\nx,s,1,wish,echo/small,,throughput,op/s,,echo/epoll,at_least,1,,,y\n"),
    );
    check(
        &[
            "list",
            "claims",
            "--datasets",
            folder.path().to_str().unwrap(),
        ],
        2,
        &["claims.csv", "2", "role", "wish"],
    );
}

#[test]
fn claims_about_names_that_do_not_exist_are_code_2_with_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let header = "id,seed,section,role,scenario,params,metric,unit,baseline,candidate,kind,low,high,needs,statement";
    let good = "x,s,1,promise,http/small,size=1KiB,throughput,ratio,http/epoll,http/uring[sqpoll=on],ratio,1,,,y";
    let list = |line: &str, code: i32, says: &[&str]| {
        let table = format!("{header}\n\n{line}\n");
        write(folder.path(), "claims.csv", &table);
        check(&["list", "claims", "--datasets", path], code, says);
    };
    list(good, 0, &[]);
    let misspelt = |right: &str, wrong: &str, field: &str, near: &str| {
        let place = ["claims.csv, line 3", field, near];
        list(&good.replace(right, wrong), 2, &place);
    };
    misspelt("http/small", "http/smal", "`scenario`", "http/small");
    misspelt("size=1KiB", "sise=1KiB", "`params`", "size");
    misspelt("size=1KiB", "size=big", "`params`", "1KiB");
    misspelt("throughput", "troughput", "`metric`", "throughput");
    misspelt("http/epoll", "http/epol", "`baseline`", "http/epoll");
    misspelt("http/uring", "http/urin", "`candidate`", "http/uring");
    misspelt("sqpoll=on", "sqpol=on", "`candidate`", "sqpoll");
    misspelt("sqpoll=on", "sqpoll=maybe", "`candidate`", "on");
    // Nothing observes it, which is known; engines of other systems and whole families are to come.
    list(&good.replace("throughput", "cpu_copies"), 0, &[]);
    list(
        &good.replace("http/uring[sqpoll=on]", "mqtt/anything"),
        0,
        &[],
    );
    let windows = good.replace("http/uring[sqpoll=on]", "http/iocp");
    list(&windows.replace("1,,,y", "1,,os=windows,y"), 0, &[]);
}

#[test]
fn a_plan_that_cannot_run_here_is_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let text = |schema: u32, name: &str| {
        format!(
            r#"{{"schema":{schema},"name":"{name}","seed":1,"groups":[],"omitted":[],"estimated_s":0}}"#
        )
    };
    for (schema, name, says) in [(99, "mine", "schema 99"), (1, "../up", "../up")] {
        let plan = write(folder.path(), "plan.json", &text(schema, name));
        let out = folder.path().join("reports");
        let arguments = ["run", "--plan-json", &plan, "--out", out.to_str().unwrap()];
        check(&arguments, 2, &["plan.json", says]);
        assert!(!out.exists());
    }
}

#[test]
fn a_manifest_with_the_id_of_a_built_in_server_is_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let text = include_str!("../../../impls/http/caddy.toml").replace("http/caddy", "http/epoll");
    let manifest = write(folder.path(), "server.toml", &text);
    check(
        &["list", "--manifest", &manifest],
        2,
        &["server.toml", "http/epoll", "built into"],
    );
}

#[test]
fn records_of_another_schema_are_refused_by_number() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "records.jsonl", "{\"schema\":99}\n");
    check(
        &["judge", folder.path().to_str().unwrap()],
        1,
        &["schema 99", "schema 1"],
    );
    let output = ringside()
        .args(["judge", folder.path().to_str().unwrap()])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("no run to judge"), "{stderr}");
}

#[test]
fn plans_and_verdicts_of_another_schema_are_refused_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    write(folder.path(), "records.jsonl", "");
    let plan = r#"{"schema":99,"name":"mine","seed":1,"groups":[],"omitted":[],"estimated_s":0}"#;
    write(folder.path(), "plan.json", plan);
    check(&["judge", path], 1, &["plan.json", "schema 99", "schema 1"]);
    write(folder.path(), "plan.json", &plan.replace("99", "1"));
    check(&["judge", path], 0, &[]);
    let verdicts = std::fs::read_to_string(folder.path().join("verdicts.json")).unwrap();
    let newer = verdicts.replacen("\"schema\":1", "\"schema\":2", 1);
    assert_ne!(newer, verdicts);
    write(folder.path(), "verdicts.json", &newer);
    check(
        &["report", path],
        1,
        &["verdicts.json", "schema 2", "schema 1"],
    );
    assert!(!folder.path().join("index.html").exists());
}

#[test]
fn options_that_a_made_plan_has_no_use_for_are_code_2() {
    for arguments in [
        ["--resume", "/nowhere", "--filter", "echo/"],
        ["--resume", "/nowhere", "--out", "/nowhere"],
        ["--plan-json", "/nowhere", "--filter", "echo/"],
    ] {
        let says = [arguments[0], arguments[2]];
        check(&[&["run"], &arguments[..]].concat(), 2, &says);
    }
}

#[test]
fn what_is_wrong_with_the_arguments_is_said_without_colours_when_asked() {
    let colours = |arguments: &[&str]| {
        let mut command = ringside();
        command.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1");
        let output = command.args(arguments).arg("frobnicate").output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        output.stderr.contains(&0x1b)
    };
    assert!(colours(&["--color", "always"]));
    assert!(!colours(&["--color", "never"]));
    assert!(!colours(&["--color=never"]));
}
