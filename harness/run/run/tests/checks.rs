//! What is checked before anything is timed: conformance and quality.

use std::sync::{Condvar, Mutex};

use super::*;
use crate::qualify::QualifyTarget;

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
