//! Whole runs with a shell script in the place of the binary: it serves and loads as its scenario says.

use std::os::unix::fs::PermissionsExt;
use std::sync::{Condvar, Mutex};

use ringside_contract::Measures;

use super::*;
use crate::observer::Silent;
use crate::qualify::{QualifyTarget, Unchecked};
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

/// Refuses one implementation and counts.
#[derive(Default)]
struct Strict(Mutex<Vec<String>>);

impl Qualifier for Strict {
    fn qualify(&self, target: &QualifyTarget<'_>, _: &Stop) -> Result<(), String> {
        let name = target.implementation.to_string();
        self.0.lock().unwrap().push(name.clone());
        if name == "http/uring" {
            Err("case 12: wrong length".to_owned())
        } else {
            Ok(())
        }
    }
}

#[test]
fn what_fails_its_cases_is_disqualified_and_asked_again() {
    let stage = Stage::new();
    let strict = Strict::default();
    let plan = plan("http/small", &["http/epoll", "http/uring"], 2);
    for _ in 0..2 {
        let outcome = stage.with(&strict, LIMIT, |options| {
            execute(&plan, options, &mut Silent).unwrap()
        });
        assert_eq!((outcome.completed, outcome.disqualified), (2, 1));
        let proof = |status: &Status| {
            matches!(status, Status::Disqualified { because, stderr }
                if because == "case 12: wrong length" && stderr.starts_with("hello"))
        };
        assert!(records(&outcome).iter().any(|record| proof(&record.status)));
    }
    let asked = strict.0.lock().unwrap();
    let times = |name| asked.iter().filter(|one| one.as_str() == name).count();
    assert_eq!((times("http/epoll"), times("http/uring")), (1, 2));
}

/// Says this of one implementation, of all others nothing, and counts.
struct Demanding(Result<Option<String>, String>, Mutex<Vec<String>>);

impl Qualifier for Demanding {
    fn qualify(&self, _: &QualifyTarget<'_>, _: &Stop) -> Result<(), String> {
        Ok(())
    }

    fn quality(&self, target: &QualifyTarget<'_>, _: &Stop) -> Result<Option<String>, String> {
        let name = target.implementation.to_string();
        self.1.lock().unwrap().push(name.clone());
        if name == "http/uring" {
            self.0.clone()
        } else {
            Ok(None)
        }
    }
}

#[test]
fn what_fails_tests_of_quality_is_timed_and_asked_again() {
    let stage = Stage::new();
    let demanding = Demanding(Ok(Some("two keys collide".to_owned())), Mutex::default());
    let plan = plan("http/small", &["http/epoll", "http/uring"], 2);
    for _ in 0..2 {
        let outcome = stage.with(&demanding, LIMIT, |options| {
            execute(&plan, options, &mut Silent).unwrap()
        });
        assert_eq!((outcome.completed, outcome.disqualified), (4, 0));
        for record in records(&outcome) {
            let is_bad = record.implementation.to_string() == "http/uring";
            let expected = is_bad.then_some("two keys collide");
            assert_eq!(record.quality_fault.as_deref(), expected);
        }
    }
    let asked = demanding.1.lock().unwrap();
    let times = |name| asked.iter().filter(|one| one.as_str() == name).count();
    assert_eq!((times("http/epoll"), times("http/uring")), (1, 2));
}

#[test]
fn what_could_not_be_asked_for_its_quality_is_not_called_bad() {
    let stage = Stage::new();
    let demanding = Demanding(Err("no answer".to_owned()), Mutex::default());
    let plan = plan("http/small", &["http/uring"], 2);
    let outcome = stage.with(&demanding, LIMIT, |options| {
        execute(&plan, options, &mut Silent).unwrap()
    });
    assert_eq!((outcome.completed, outcome.disqualified), (0, 1));
    let record = records(&outcome).remove(0);
    assert_eq!(record.quality_fault, None);
    let said = |status: &Status| matches!(status, Status::Disqualified { because, .. } if because == "no answer");
    assert!(said(&record.status), "{record:?}");
}

/// Ends the server, whose process id its log tells.
struct Deadly;

impl Qualifier for Deadly {
    fn qualify(&self, target: &QualifyTarget<'_>, _: &Stop) -> Result<(), String> {
        let log = target.root.with_file_name("server.stderr");
        let said = std::fs::read_to_string(log).unwrap();
        let pid = said.split_whitespace().last().unwrap().to_owned();
        let killed = std::process::Command::new("kill")
            .arg(pid)
            .status()
            .unwrap();
        assert!(killed.success());
        Err("case 1: connection refused".to_owned())
    }
}

#[test]
fn a_server_that_dies_during_its_cases_is_said_to_and_keeps_its_last_words() {
    let stage = Stage::new();
    let plan = plan("http/small", &["http/epoll"], 1);
    let outcome = stage.with(&Deadly, LIMIT, |options| {
        execute(&plan, options, &mut Silent).unwrap()
    });
    let Status::Disqualified { because, stderr } = &records(&outcome)[0].status else {
        panic!("{:?}", records(&outcome)[0].status)
    };
    assert!(
        because.starts_with("the server was ended by signal 15"),
        "{because}"
    );
    assert!(stderr.starts_with("hello from the server"), "{stderr}");
}

/// Finds no space for the files of its cases.
struct NoSpace;

impl Qualifier for NoSpace {
    fn prepare(&self, _: &str, _: &Path) -> std::io::Result<()> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn qualify(&self, _: &QualifyTarget<'_>, _: &Stop) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn a_full_disk_during_the_cases_blames_no_server() {
    let stage = Stage::new();
    let plan = plan("http/small", &["http/epoll"], 1);
    let error = stage.with(&NoSpace, LIMIT, |options| {
        execute(&plan, options, &mut Silent).unwrap_err()
    });
    let RunError::DiskFull { run: Some(run), .. } = error else {
        panic!("{error}")
    };
    assert_eq!(
        std::fs::read_to_string(run.join("records.jsonl")).unwrap(),
        ""
    );
    let outcome = stage.with(&Unchecked, LIMIT, |options| {
        resume(&run, options, &mut Silent).unwrap()
    });
    assert_eq!(outcome.completed, 1);
}

/// Lets nothing pass before `servers` of them are being checked.
struct Together {
    servers: usize,
    arrived: Mutex<usize>,
    all: Condvar,
}

impl Qualifier for Together {
    fn qualify(&self, target: &QualifyTarget<'_>, _: &Stop) -> Result<(), String> {
        let mut arrived = self.arrived.lock().unwrap();
        *arrived += 1;
        self.all.notify_all();
        let missing = |arrived: &mut usize| *arrived < self.servers;
        let wait = self.all.wait_timeout_while(arrived, LIMIT, missing);
        let alone = wait.unwrap().1.timed_out();
        assert!(!alone, "servers are checked one by one");
        match target.implementation.to_string().as_str() {
            "http/epoll[polling=on]" => Err("case 3: no answer".to_owned()),
            _ => Ok(()),
        }
    }
}

#[test]
fn servers_are_checked_at_the_same_time_and_each_keeps_its_outcome() {
    let stage = Stage::new();
    let cells = [
        "http/epoll",
        "http/epoll[polling=on]",
        "http/uring",
        "http/uring[polling=on]",
    ];
    let plan = plan("http/small", &cells, 1);
    let together = Together {
        servers: cells.len(),
        arrived: Mutex::default(),
        all: Condvar::new(),
    };
    let outcome = stage.with(&together, LIMIT, |options| {
        execute(&plan, options, &mut Silent).unwrap()
    });
    assert_eq!((outcome.completed, outcome.disqualified), (3, 1));
    for record in records(&outcome) {
        let failed = matches!(&record.status, Status::Disqualified { because, .. } if because == "case 3: no answer");
        assert_eq!(failed, record.implementation.to_string() == cells[1]);
    }
    // Kept: what passed is not checked again in a second run.
    stage.with(&together, LIMIT, |options| {
        execute(&plan, options, &mut Silent).unwrap()
    });
    assert_eq!(*together.arrived.lock().unwrap(), cells.len() + 1);
}

/// Asks for the end while it checks.
struct StopHere;

impl Qualifier for StopHere {
    fn qualify(&self, _: &QualifyTarget<'_>, stop: &Stop) -> Result<(), String> {
        stop.set();
        Err("cut short".to_owned())
    }
}

#[test]
fn a_check_that_was_cut_short_disqualifies_nobody() {
    let stage = Stage::new();
    let plan = plan("http/small", &["http/epoll"], 1);
    let outcome = stage.with(&StopHere, LIMIT, |options| {
        execute(&plan, options, &mut Silent).unwrap()
    });
    assert!(outcome.interrupted);
    assert!(records(&outcome).is_empty());
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
