//! Profiles from end to end: real servers under load, and `perf`, or a program that stands in for it where a failure is
//! wanted. Where there is no `perf`, or the kernel refuses it, the tests that need it say so and check nothing.
#![cfg(all(feature = "measure", target_os = "linux"))]
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

#[expect(dead_code, reason = "these tests have no file of JSON lines")]
mod common;
#[path = "common/tiny.rs"]
mod tiny;

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::{ringside, run, write};
use crate::tiny::TINY;

/// A load that needs next to nothing of the machine.
const LOAD: &str = "echo/small{connections=4}";

/// Whether `perf` can watch a process here. Says why not.
fn can_watch() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let tried = Command::new("perf")
        .args(["record", "--quiet", "-e", "cpu-clock", "-o"])
        .arg(folder.path().join("data"))
        .arg("true")
        .output();
    match tried {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            eprintln!("not checked: perf is refused here: {said}");
            false
        }
        Err(error) => {
            eprintln!("not checked: perf cannot be started here: {error}");
            false
        }
    }
}

/// Takes a profile, with a variable of the environment set if there is one, and gives its report and its folder.
fn profile(arguments: &[&str], out: &Path, variable: Option<(&str, &OsStr)>) -> (Value, PathBuf) {
    let mut command = ringside();
    command.arg("profile").args(arguments);
    command.args(["--format", "json", "--out"]).arg(out);
    command.envs(variable);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    let mut folders = std::fs::read_dir(out.join("profiles")).unwrap();
    let folder = folders.next().unwrap().unwrap().path();
    (serde_json::from_slice(&output.stdout).unwrap(), folder)
}

#[test]
fn a_profile_leaves_graph_stacks_and_page_and_no_record() {
    if !can_watch() {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let (report, folder) = profile(&["echo/epoll", LOAD, "--seconds", "1"], out.path(), None);
    let found = &report["profiles"][0];
    assert_eq!(found["profiler"], "on-processor");
    let total = found["total"].as_u64().unwrap();
    let read = |name: &Value| std::fs::read_to_string(folder.join(name.as_str().unwrap())).unwrap();
    let weights = read(&found["folded"]);
    let weights = weights
        .lines()
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap());
    assert!(total > 0 && weights.sum::<u64>() == total, "{found}");
    assert!(read(&found["graph"]).contains("<svg"), "{found}");
    let slowdown = &found["slowdown"];
    assert_eq!(slowdown["rates_bare_per_s"].as_array().unwrap().len(), 3);
    assert_eq!(
        slowdown["rates_attached_per_s"].as_array().unwrap().len(),
        3
    );
    assert!(slowdown["rate_lost"].is_number(), "{slowdown}");
    let page = std::fs::read_to_string(folder.join("index.html")).unwrap();
    assert!(page.contains("data:image/svg+xml;base64,") && page.contains("enters no verdict"));
    let stored = std::fs::read(folder.join("profile.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&stored).unwrap(), report);
    let mut names: Vec<OsString> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "index.html",
            "on-processor.folded",
            "on-processor.svg",
            "profile.json"
        ]
    );
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 1);
}

#[test]
fn threads_that_wait_are_seen_off_the_processor() {
    if !can_watch() {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let arguments = ["echo/blocking", LOAD, "--off-cpu", "--seconds", "1"];
    let (report, folder) = profile(&arguments, out.path(), None);
    let found = &report["profiles"][0];
    assert_eq!(
        (&found["profiler"], &found["unit"]),
        (&"off-processor".into(), &"microseconds".into())
    );
    let stacks = std::fs::read_to_string(folder.join("off-processor.folded")).unwrap();
    assert!(
        stacks.contains("recv") || stacks.contains("[kernel]"),
        "{stacks}"
    );
}

#[test]
fn the_generator_can_be_watched_as_well() {
    if !can_watch() {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let arguments = ["echo/epoll", LOAD, "--side", "generator", "--seconds", "1"];
    let (report, folder) = profile(&arguments, out.path(), None);
    assert_eq!(report["side"], "generator");
    let stacks = std::fs::read_to_string(folder.join("on-processor.folded")).unwrap();
    assert!(stacks.contains("ringside_load::"), "{stacks}");
}

#[test]
fn functions_that_ask_for_memory_are_seen() {
    if !can_watch() {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_ringside"))
        // A thread for each connection, and a connection for each operation: who accepts it asks for memory.
        .args(["profile", "http/blocking", "http/short", "--seconds", "1"])
        .args(["--kind", "allocations", "--format", "json", "--out"])
        .arg(out.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let id = child.id();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("probes for allocations") {
        assert!(said.contains("root"), "{said}");
        eprintln!("not checked: {said}");
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = &report["profiles"][0];
    assert_eq!(found["unit"], "allocations");
    let total = found["total"].as_u64().unwrap();
    assert!(total > 0 && total.is_multiple_of(11), "{found}");
    let folder = std::fs::read_dir(out.path().join("profiles")).unwrap();
    let folder = folder.last().unwrap().unwrap().path();
    let stacks = std::fs::read_to_string(folder.join("allocations.folded")).unwrap();
    assert!(stacks.contains("ringside_engine::blocking"), "{stacks}");
    let figures = found["figures"].as_array().unwrap();
    let allocators = ["malloc", "calloc", "realloc", "posix_memalign"];
    let is_one = |one: &Value| {
        let name = one["name"].as_str().unwrap();
        allocators.iter().any(|allocator| name.contains(allocator))
    };
    assert!(figures.iter().any(is_one), "{figures:?}");
    let probes = std::fs::read_to_string("/sys/kernel/tracing/uprobe_events");
    assert!(!probes.unwrap_or_default().contains(&format!("_{id}/")));
}

#[test]
fn bench_all_links_the_profiles_of_its_cells() {
    if !can_watch() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let plan = write(folder.path(), "tiny.toml", TINY);
    let out = folder.path().join("reports");
    let filter = ["--filter", "echo/epoll"];
    let output = ringside()
        .args(["bench-all", "--plan", &plan, "--profiles=1", "--out"])
        .arg(&out)
        .args(filter)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let latest = out.join("latest");
    let page = std::fs::read_to_string(latest.join("index.html")).unwrap();
    let own = "profiles/echo-epoll-echo-small";
    for file in ["index.html", "on-processor.svg", "off-processor.svg"] {
        assert!(page.contains(&format!("{own}/{file}")), "{file}: {said}");
        assert!(latest.join(own).join(file).exists(), "{file}: {said}");
    }
    // The same page comes of what lies in the folder.
    run(&["report", latest.to_str().unwrap()], 0);
    let again = std::fs::read_to_string(latest.join("index.html")).unwrap();
    assert!(again == page, "the page is another one");
}

#[test]
fn bench_all_has_its_report_also_where_only_a_part_can_be_profiled() {
    let folder = tempfile::tempdir().unwrap();
    let plan = write(folder.path(), "tiny.toml", TINY);
    let out = folder.path().join("reports");
    let output = ringside()
        .args(["bench-all", "--plan", &plan, "--profiles=1"])
        .args(["--filter", "echo/epoll", "--out"])
        .arg(&out)
        // Here is no perf: a server samples itself, and nobody sees where it waits.
        .env("PATH", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("no profile of echo/epoll"), "{said}");
    assert!(said.contains("linux-perf"), "{said}");
    let latest = out.join("latest");
    std::fs::write(latest.join("profiles/stray"), "").unwrap();
    run(&["report", latest.to_str().unwrap()], 0);
    let page = std::fs::read_to_string(latest.join("index.html")).unwrap();
    assert!(page.contains("profiles/echo-epoll-echo-small/index.html"));
}

#[test]
fn calls_and_switches_are_counted_for_an_operation() {
    let out = tempfile::tempdir().unwrap();
    let kinds = ["--kind", "system-calls,context-switches"];
    let output = ringside()
        .args(["profile", "echo/blocking", LOAD, "--seconds", "1"])
        .args(kinds)
        .args(["--format", "json", "--out"])
        .arg(out.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("cannot be counted by name") {
        assert!(said.contains("apt-get install strace"), "{said}");
        eprintln!("not checked: {said}");
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let figures = |index: usize| {
        report["profiles"][index]["figures"]
            .as_array()
            .unwrap()
            .clone()
    };
    let [calls, switches] = [figures(0), figures(1)];
    assert!(
        calls.iter().any(|one| one["name"] == "recvfrom"),
        "{calls:?}"
    );
    assert_eq!(switches.len(), 2);
    // Each thread waits for the next message of its connection.
    assert!(switches[0]["value"].as_f64().unwrap() > 0.0, "{switches:?}");
    assert_eq!(report["profiles"][1]["slowdown"], Value::Null);
}

#[test]
fn what_cannot_be_profiled_is_code_2_with_what_can() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().to_str().unwrap();
    for (arguments, says) in [
        (&["http/epol", "http/small"][..], "http/epoll"),
        (&["http/epoll", "http/smal"], "http/small"),
        (&["http/epoll", "echo/small"], "another family"),
        (&["echo/epoll", LOAD, "--diff", "./nowhere"], "no such file"),
        (
            &["echo/epoll", LOAD, "--diff", "http/epoll"],
            "another family",
        ),
        (&["echo/epoll", LOAD, "--kind", "guess"], "on-processor"),
    ] {
        let (_, said) = run(&[&["profile"], arguments, &["--out", path]].concat(), 2);
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0);
}

/// Takes a profile with `perf` as `script` has it, or with none; gives what was said. Nothing is left behind.
fn failing(script: Option<&str>, arguments: &[&str], code: i32) -> String {
    let folder = tempfile::tempdir().unwrap();
    let programs = folder.path().join("bin");
    std::fs::create_dir(&programs).unwrap();
    let mut paths = vec![programs.clone()];
    if let Some(script) = script {
        let file = write(&programs, "perf", script);
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
        paths.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
    }
    let out = folder.path().join("reports");
    let output = ringside()
        .args(["profile", "echo/epoll", LOAD, "--seconds", "1"])
        .args(arguments)
        .arg("--out")
        .arg(&out)
        .env("PATH", std::env::join_paths(paths).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(
        std::fs::read_dir(out.join("profiles")).unwrap().count(),
        0,
        "{said}"
    );
    said
}

#[test]
fn without_perf_a_server_of_ours_samples_itself() {
    let out = tempfile::tempdir().unwrap();
    let nowhere = Some(("PATH", out.path().as_os_str()));
    let arguments = ["echo/epoll", LOAD, "--seconds", "3"];
    let (report, folder) = profile(&arguments, out.path(), nowhere);
    let found = &report["profiles"][0];
    let stacks = std::fs::read_to_string(folder.join("on-processor.folded")).unwrap();
    assert!(stacks.contains("ringside_engine::epoll"), "{stacks}");
    let remarks = found["remarks"].to_string();
    assert!(
        remarks.contains("perf is not installed") && remarks.contains("linux-perf"),
        "{remarks}"
    );
    assert!(found["slowdown"]["rate_lost"].is_number(), "{found}");
}

#[test]
fn what_is_not_possible_without_perf_is_told_with_a_command_that_installs_it() {
    for (arguments, says) in [
        (&["--off-cpu"][..], "--kind on-processor"),
        (&["--side", "generator"], "--side server"),
    ] {
        let said = failing(None, arguments, 1);
        assert!(
            said.contains("perf is not installed")
                && said.contains("linux-perf")
                && said.contains(says),
            "{said}"
        );
    }
}

#[test]
fn a_refusal_names_the_setting_that_would_allow_it() {
    let script =
        "#!/bin/sh\necho 'Consider adjusting /proc/sys/kernel/perf_event_paranoid' >&2\nexit 255\n";
    let said = failing(Some(script), &[], 1);
    assert!(
        said.contains("sysctl kernel.perf_event_paranoid=1"),
        "{said}"
    );
}

#[test]
fn a_profile_without_samples_is_code_6() {
    let script = "#!/bin/sh\n[ \"$1\" = record ] || exit 0\nfor last; do :; done\n: > \"$last\"\nexec sleep 1000\n";
    let said = failing(Some(script), &[], 6);
    assert!(said.contains("has not one sample"), "{said}");
}

/// A hundred thousand steps for each operation.
#[cfg(feature = "plant")]
const PLANTED: &str = "processor:99999999000";
/// In process, so that nothing carries the operations: beside their steps they cost nothing, not even on a starved
/// machine.
#[cfg(feature = "plant")]
const KEYS: &str = "hash/throughput";
/// The function that takes these steps.
#[cfg(feature = "plant")]
const HOT: &str = "ringside_metal::plant::cost::chain";

/// A slowdown on purpose, as a variable of the environment.
#[cfg(feature = "plant")]
fn planted(what: &str) -> Option<(&str, &OsStr)> {
    Some(("RINGSIDE_PLANT", what.as_ref()))
}

#[cfg(feature = "plant")]
#[test]
fn a_planted_function_has_most_of_the_samples() {
    if !can_watch() {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let arguments = ["hash/fnv1a", KEYS, "--seconds", "1"];
    let (report, folder) = profile(&arguments, out.path(), planted(PLANTED));
    let first = &report["profiles"][0]["figures"][0];
    assert_eq!(first["name"], HOT, "{report}");
    assert!(first["value"].as_f64().unwrap() >= 0.8, "{first}");
    let graph = std::fs::read_to_string(folder.join("on-processor.svg")).unwrap();
    assert!(graph.contains(&format!("<title>{HOT} (")), "{graph}");
}

#[cfg(feature = "plant")]
#[test]
fn a_planted_lock_has_most_of_the_waiting_for_locks() {
    if !can_watch() {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let arguments = ["echo/epoll", LOAD, "--kind", "lock-waits", "--seconds", "1"];
    let (_, folder) = profile(&arguments, out.path(), planted("lock:00001000000"));
    let stacks = std::fs::read_to_string(folder.join("lock-waits.folded")).unwrap();
    let weight = |line: &str| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap();
    let all: u64 = stacks.lines().map(weight).sum();
    // The server's thread waits for the one that has the lock, which waits for it in turn.
    let planted = stacks
        .lines()
        .filter(|line| line.contains("ringside_metal::plant::holder"));
    assert!(planted.map(weight).sum::<u64>() * 10 >= all * 8, "{stacks}");
}

#[cfg(feature = "plant")]
#[test]
fn the_difference_to_another_build_points_at_what_was_planted() {
    if !can_watch() {
        return;
    }
    let out = tempfile::tempdir().unwrap();
    // Another build that does nothing of the kind, whatever the environment says.
    let binary = env!("CARGO_BIN_EXE_ringside");
    let script = format!("#!/bin/sh\nRINGSIDE_PLANT=none:00000000000 exec {binary} \"$@\"\n");
    let other = write(out.path(), "other", &script);
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o755)).unwrap();
    let arguments = ["hash/fnv1a", KEYS, "--seconds", "1", "--diff", &other];
    let (report, folder) = profile(&arguments, out.path(), planted(PLANTED));
    let difference = &report["differences"][0];
    // The first that has grown: what does the work itself has as much less of the whole.
    let share = |change: &Value, side: &str| change[side].as_f64().unwrap();
    let has_grown = |change: &&Value| share(change, "after") > share(change, "before");
    let mut changes = difference["changes"].as_array().unwrap().iter();
    let first = changes.find(has_grown).unwrap();
    assert_eq!(first["function"], HOT, "{difference}");
    let share = |side: &str| share(first, side);
    assert!(share("before") < 0.05 && share("after") >= 0.8, "{first}");
    let graph = |side: &str| {
        std::fs::read_to_string(folder.join(difference[side].as_str().unwrap())).unwrap()
    };
    let grown = graph("graph_after");
    let title = grown.split(&format!("<title>{HOT} (")).nth(1).unwrap();
    let title = title.split("</title>").next().unwrap();
    assert!(title.contains("; +"), "{title}");
    assert!(!graph("graph_before").contains(&format!("<title>{HOT} (")));
}
