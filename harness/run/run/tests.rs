//! Whole runs with a shell script in the place of the binary: it serves and loads as its scenario says.

mod checks;

use std::os::unix::fs::PermissionsExt;

use ringside_contract::Measures;

use super::*;
use crate::observer::Silent;
use crate::qualify::Unchecked;
use crate::testing::{TIMING, catalogue, host};

const LIMIT: Duration = Duration::from_secs(10);

/// `serve` never gets ready for http/tokio; `load` misbehaves as the size of the scenario says.
const SCRIPT: &str = r#"#!/bin/sh
log="$(dirname "$0")/calls"
echo "$1 $2" >> "$log"
case "$1 $2" in
"serve http/tokio"*) echo "cannot bind" >&2; exec sleep 1000 ;;
"serve http/floor"*) echo "exploded" >&2; exit 7 ;;
serve*) echo "hello from the server, process" $$ >&2; echo '{"addr":"127.0.0.1:9"}'; exec sleep 1000 ;;
esac
while [ "$1" != "--watch" ]; do scenario="${scenario:-$2}"; shift; done
case "$scenario" in
*size=2KiB*) kill -9 "$2"; exec sleep 1000 ;;
*size=3KiB*) echo '{"violation":"memory grew"}'; exit 1 ;;
*size=4KiB*) echo "no connection" >&2; exit 9 ;;
*size=5KiB*) echo 'WRONG' ;;
*size=6KiB*) exec sleep 1000 ;;
*) echo 'RIGHT' ;;
esac
"#;

struct Stage {
    folder: tempfile::TempDir,
    catalogue: Catalogue,
    host: Host,
    build: Build,
    stop: Stop,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let right = Measures {
            operations: 10,
            ..Measures::default()
        };
        let wrong = Measures {
            corrupt: 3,
            ..right.clone()
        };
        let json = |measures: &Measures| serde_json::to_string(measures).unwrap();
        let script = SCRIPT
            .replace("RIGHT", &json(&right))
            .replace("WRONG", &json(&wrong));
        let path = folder.path().join("ringside");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let build = Build {
            binary: "b1".to_owned(),
            ..Build::default()
        };
        Self {
            folder,
            catalogue: catalogue(),
            host: host(),
            build,
            stop: Stop::default(),
        }
    }

    fn run(&self, plan: &Plan, observer: &mut dyn Observer) -> RunOutcome {
        self.with(&Unchecked, LIMIT, |options| {
            execute(plan, options, observer).unwrap()
        })
    }

    fn with<T>(
        &self,
        qualifier: &dyn Qualifier,
        limit: Duration,
        body: impl FnOnce(&RunOptions<'_>) -> T,
    ) -> T {
        let executable = self.folder.path().join("ringside");
        body(&RunOptions {
            catalogue: &self.catalogue,
            host: &self.host,
            build: &self.build,
            executable: &executable,
            reports: self.folder.path(),
            placement: Placement::default(),
            congestion: None,
            ready_limit: limit,
            load_slack: limit,
            stop: self.stop.clone(),
            qualifier,
        })
    }

    /// Lines of what the script was called with.
    fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

fn plan(scenario: &str, cells: &[&str], rounds: u32) -> Plan {
    let cells = cells.iter().map(|cell| PlannedCell {
        implementation: cell.parse().unwrap(),
        replica: 0,
        purposes: Vec::new(),
    });
    let group = Group {
        scenario: scenario.parse().unwrap(),
        interleaved: false,
        rounds,
        timing: TIMING,
        cells: cells.collect(),
    };
    Plan {
        groups: vec![group],
        ..crate::testing::plan()
    }
}

fn records(outcome: &RunOutcome) -> Vec<RunRecord> {
    let text = std::fs::read_to_string(outcome.folder.join("records.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Runs one block and expects it to fail for this reason, with this on the server's standard error.
fn check_failure(scenario: &str, cell: &str, because_part: &str, stderr_part: &str) {
    let stage = Stage::new();
    let outcome = stage.run(&plan(scenario, &[cell], 1), &mut Silent);
    let records = records(&outcome);
    assert_eq!((outcome.failed, records.len()), (1, 1));
    let Status::Failed { because, stderr } = &records[0].status else {
        panic!("{:?}", records[0].status)
    };
    assert!(because.contains(because_part), "{because}");
    assert!(stderr.contains(stderr_part), "{stderr}");
}

#[test]
fn every_cell_runs_once_a_round() {
    let stage = Stage::new();
    let outcome = stage.run(
        &plan("http/small", &["http/epoll", "http/uring"], 3),
        &mut Silent,
    );
    assert_eq!((outcome.completed, outcome.failed), (6, 0));
    let records = records(&outcome);
    for round in 0..3 {
        let of_round: Vec<_> = records
            .iter()
            .filter(|record| record.round == round)
            .collect();
        assert_eq!(of_round.len(), 2);
        assert_ne!(of_round[0].implementation, of_round[1].implementation);
        assert_eq!(of_round[0].seed, of_round[1].seed);
    }
    assert_ne!(records[0].seed, records[5].seed);
}

#[test]
fn rounds_of_interleaved_groups_take_turns_and_count_as_one_group() {
    let stage = Stage::new();
    let mut plan = plan("http/small", &["http/epoll"], 3);
    let other = plan.groups[0].clone();
    plan.groups.push(Group {
        scenario: "http/small{connections=8}".parse().unwrap(),
        interleaved: true,
        ..other
    });
    let outcome = stage.run(&plan, &mut Silent);
    assert_eq!((outcome.completed, outcome.failed), (6, 0));
    let records = records(&outcome);
    for (round, of_round) in records.chunks(2).enumerate() {
        assert_ne!(of_round[0].scenario, of_round[1].scenario);
        for record in of_round {
            assert_eq!((record.group, record.round as usize), (0, round));
        }
    }
}

#[test]
fn fixtures_are_gone_after_the_run_and_latest_points_to_it() {
    let stage = Stage::new();
    let outcome = stage.run(&plan("http/small", &["http/epoll"], 1), &mut Silent);
    assert!(!outcome.folder.join("tmp").exists());
    let latest = std::fs::canonicalize(stage.folder.path().join("latest")).unwrap();
    assert_eq!(latest, std::fs::canonicalize(&outcome.folder).unwrap());
}

#[test]
fn a_server_that_is_never_ready_shows_its_standard_error() {
    let stage = Stage::new();
    let plan = plan("http/small", &["http/tokio"], 1);
    let short = Duration::from_millis(300);
    let outcome = stage.with(&Unchecked, short, |options| {
        execute(&plan, options, &mut Silent).unwrap()
    });
    let Status::Failed { because, stderr } = &records(&outcome)[0].status else {
        panic!()
    };
    assert!(because.contains("not ready within"), "{because}");
    assert!(stderr.contains("cannot bind"), "{stderr}");
}

#[test]
fn a_server_that_dies_at_once_shows_its_code_and_standard_error() {
    check_failure(
        "http/small",
        "http/floor",
        "exited with code 7 before it was ready",
        "exploded",
    );
}

#[test]
fn a_server_that_dies_under_load_is_a_failed_block() {
    check_failure(
        "http/small{size=2KiB}",
        "http/epoll",
        "signal 9",
        "hello from the server",
    );
}

#[test]
fn a_broken_promise_is_a_failed_block() {
    check_failure("http/small{size=3KiB}", "http/epoll", "memory grew", "");
}

#[test]
fn a_generator_that_fails_shows_its_standard_error() {
    check_failure("http/small{size=4KiB}", "http/epoll", "no connection", "");
}

#[test]
fn wrong_answers_fail_the_block() {
    check_failure(
        "http/small{size=5KiB}",
        "http/epoll",
        "3 of 10 answers were wrong",
        "",
    );
}

#[test]
fn a_load_that_hangs_is_ended() {
    let stage = Stage::new();
    let plan = plan("http/small{size=6KiB}", &["http/epoll"], 1);
    let short = Duration::from_millis(300);
    let outcome = stage.with(&Unchecked, short, |options| {
        execute(&plan, options, &mut Silent).unwrap()
    });
    let Status::Failed { because, .. } = &records(&outcome)[0].status else {
        panic!()
    };
    assert!(because.contains("did not end within"), "{because}");
}

#[test]
fn a_failing_cell_is_given_up_and_the_others_go_on() {
    let stage = Stage::new();
    let outcome = stage.run(
        &plan("http/small", &["http/epoll", "http/floor"], 4),
        &mut Silent,
    );
    assert_eq!((outcome.completed, outcome.failed), (4, 4));
    let starts = stage
        .calls()
        .iter()
        .filter(|call| call.contains("serve http/floor"))
        .count();
    assert_eq!(starts, 2);
}

#[test]
fn an_unsupported_cell_is_skipped_once_with_its_reason() {
    let stage = Stage::new();
    let outcome = stage.run(
        &plan("http/small", &["http/epoll[body=impossible]"], 3),
        &mut Silent,
    );
    let records = records(&outcome);
    assert_eq!((outcome.skipped, records.len()), (1, 1));
    assert_eq!(
        records[0].status,
        Status::Skipped {
            reason: "nobody can".to_owned()
        }
    );
    assert!(stage.calls().is_empty());
}

/// Asks for the end when the given block begins.
struct StopAt(usize, Stop);

impl Observer for StopAt {
    fn event(&mut self, event: &Event<'_>) {
        if matches!(event, Event::BlockStarted { ended, .. } if *ended == self.0) {
            self.1.set();
        }
    }
}

#[test]
fn an_interrupted_run_loses_no_finished_block_and_goes_on() {
    let mut stage = Stage::new();
    let plan = plan("http/small", &["http/epoll", "http/uring"], 3);
    let outcome = stage.run(&plan, &mut StopAt(3, stage.stop.clone()));
    assert!(outcome.interrupted);
    assert_eq!((outcome.completed, records(&outcome).len()), (3, 3));
    let order: Vec<_> = records(&outcome);
    stage.stop = Stop::default();
    let rest = stage.with(&Unchecked, LIMIT, |options| {
        resume(&outcome.folder, options, &mut Silent).unwrap()
    });
    assert_eq!((rest.completed, rest.interrupted), (3, false));
    let all = records(&outcome);
    assert_eq!((all.len(), &all[..3]), (6, &order[..]));
    let mut blocks: Vec<_> = all
        .iter()
        .map(|record| (record.round, record.implementation.to_string()))
        .collect();
    blocks.sort();
    blocks.dedup();
    assert_eq!(blocks.len(), 6);
}

#[test]
fn a_run_of_another_binary_is_not_gone_on_with() {
    let mut stage = Stage::new();
    let plan = plan("http/small", &["http/epoll"], 2);
    let outcome = stage.run(&plan, &mut StopAt(1, stage.stop.clone()));
    stage.stop = Stop::default();
    stage.build.binary = "b2".to_owned();
    let error = stage.with(&Unchecked, LIMIT, |options| {
        resume(&outcome.folder, options, &mut Silent).unwrap_err()
    });
    let sentence = error.to_string();
    assert!(sentence.contains("this program changed"), "{sentence}");
    assert!(sentence.contains("start a new run"), "{sentence}");
}

#[test]
fn a_plan_with_an_unknown_name_leaves_no_folder() {
    let stage = Stage::new();
    let plan = plan("http/small", &["http/epol"], 1);
    let error = stage.with(&Unchecked, LIMIT, |options| {
        execute(&plan, options, &mut Silent).unwrap_err()
    });
    assert!(error.to_string().contains("http/epoll"), "{error}");
    assert!(!stage.folder.path().join("runs").exists());
}

#[test]
fn a_block_is_interrupted_in_the_midst_of_its_load() {
    let stage = Stage::new();
    let stop = stage.stop.clone();
    let calls = stage.folder.path().join("calls");
    let watcher = std::thread::spawn(move || {
        let loading = || std::fs::read_to_string(&calls).is_ok_and(|text| text.contains("load"));
        while !loading() {
            std::thread::yield_now();
        }
        stop.set();
    });
    let outcome = stage.run(
        &plan("http/small{size=6KiB}", &["http/epoll"], 1),
        &mut Silent,
    );
    watcher.join().unwrap();
    assert!(outcome.interrupted);
    assert!(records(&outcome).is_empty());
}
