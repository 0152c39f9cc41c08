use std::io::{BufRead, BufReader};

use super::*;

const LIMIT: Duration = Duration::from_secs(10);

fn shell(script: &str) -> (Process, tempfile::NamedTempFile) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let argv = ["sh", "-c", script].map(OsString::from).to_vec();
    (
        spawn(SpawnRequest::new(argv, log.reopen().unwrap())).unwrap(),
        log,
    )
}

fn first_line(process: &mut Process) -> String {
    let mut line = String::new();
    BufReader::new(process.take_stdout().unwrap())
        .read_line(&mut line)
        .unwrap();
    line.trim().to_owned()
}

fn is_alive(pid: &str) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat
            .rsplit_once(") ")
            .is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])),
        Err(_) => false,
    }
}

#[test]
fn exit_code_and_standard_error_are_kept() {
    let (process, log) = shell("echo broken >&2; exit 3");
    assert_eq!(process.wait(LIMIT).unwrap(), Some(Ended::Exited(3)));
    assert_eq!(std::fs::read_to_string(log.path()).unwrap(), "broken\n");
}

#[test]
fn missing_program_is_an_error() {
    let log = tempfile::tempfile().unwrap();
    let argv = vec![OsString::from("/nonexistent/program")];
    let error = spawn(SpawnRequest::new(argv, log)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[test]
fn child_leads_its_own_session() {
    let (mut process, _log) = shell("cut -d' ' -f6 /proc/$$/stat; read line");
    assert_eq!(first_line(&mut process), process.id().to_string());
}

#[test]
fn child_runs_on_the_given_processor() {
    let allowed = rustix::thread::sched_getaffinity(None).unwrap();
    let cpu = (0..CpuSet::MAX_CPU)
        .find(|&cpu| allowed.is_set(cpu))
        .unwrap();
    let mut request = SpawnRequest::new(
        ["grep", "Cpus_allowed_list", "/proc/self/status"]
            .map(OsString::from)
            .to_vec(),
        tempfile::tempfile().unwrap(),
    );
    request.cpus = vec![cpu];
    let mut process = spawn(request).unwrap();
    assert_eq!(
        first_line(&mut process),
        format!("Cpus_allowed_list:\t{cpu}")
    );
}

#[test]
fn process_that_ignores_the_signal_is_killed() {
    let (mut process, _log) = shell("trap '' TERM; echo ready; while :; do sleep 1; done");
    assert_eq!(first_line(&mut process), "ready");
    let (ended, killed) = process
        .stop(libc::SIGTERM, Duration::from_millis(50))
        .unwrap();
    assert!(killed);
    assert_eq!(ended, Ended::Signalled(libc::SIGKILL));
}

#[test]
fn process_that_obeys_the_signal_is_not_killed() {
    let (mut process, _log) = shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.01; done");
    assert_eq!(first_line(&mut process), "ready");
    let (ended, killed) = process.stop(libc::SIGTERM, LIMIT).unwrap();
    assert_eq!((ended, killed), (Ended::Exited(5), false));
}

#[test]
fn grandchildren_end_with_the_child() {
    let (mut process, _log) = shell("sleep 1000 & echo $!; wait");
    let grandchild = first_line(&mut process);
    assert!(is_alive(&grandchild));
    drop(process);
    assert!(!is_alive(&grandchild));
}

#[test]
fn grandchildren_in_their_own_session_end_too() {
    let (mut process, _log) = shell("setsid sh -c 'echo $$; exec sleep 1000' & wait");
    let grandchild = first_line(&mut process);
    assert!(is_alive(&grandchild));
    drop(process);
    assert!(!is_alive(&grandchild));
}

#[test]
fn orphans_of_a_dead_child_end_too() {
    let (mut process, _log) = shell("sleep 1000 & echo $!; exit 0");
    let orphan = first_line(&mut process);
    assert_eq!(process.wait(LIMIT).unwrap(), Some(Ended::Exited(0)));
    drop(process);
    assert!(!is_alive(&orphan));
}

#[test]
fn a_daemon_of_a_dead_child_ends_too() {
    // Its own session, and an orphan before anybody asks for it: in no group and below nobody. It ends
    // its parent only after it spoke, because tests at the same time end every orphan.
    let script = "setsid sh -c 'sleep 1000 & echo $!; kill $PPID; wait' & wait";
    let (mut process, _log) = shell(script);
    let daemon = first_line(&mut process);
    assert_eq!(process.wait(LIMIT).unwrap(), Some(Ended::Signalled(15)));
    drop(process);
    assert!(!daemon.is_empty() && !is_alive(&daemon), "{daemon}");
}

#[test]
fn a_child_that_somebody_else_started_is_no_orphan() {
    let mut other = Command::new("sleep").arg("1000").spawn().unwrap();
    drop(shell("exit 0").0);
    assert_eq!(other.try_wait().unwrap(), None);
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn inherited_descriptor_keeps_its_number() {
    let file = tempfile::tempfile().unwrap();
    let fd = OwnedFd::from(file);
    let script = format!("test -e /proc/self/fd/{}; echo $?", fd.as_raw_fd());
    let argv = ["sh".to_owned(), "-c".to_owned(), script]
        .map(OsString::from)
        .to_vec();
    let mut request = SpawnRequest::new(argv, tempfile::tempfile().unwrap());
    request.inherit = Some(fd);
    let mut process = spawn(request).unwrap();
    assert_eq!(first_line(&mut process), "0");
}

#[test]
fn children_and_grandchildren_end_when_the_parent_is_killed() {
    check_killed_parent(
        "children_and_grandchildren_end_when_the_parent_is_killed",
        "sleep 1000 & echo $$ $!; wait",
    );
}

#[test]
fn grandchildren_in_their_own_session_end_when_the_parent_is_killed() {
    check_killed_parent(
        "grandchildren_in_their_own_session_end_when_the_parent_is_killed",
        "setsid sh -c 'sleep 1000 & echo $$ $!; wait' & wait",
    );
}

#[test]
fn a_daemon_ends_when_the_parent_is_killed() {
    // Below nobody: the shell that started it is gone before its id is told.
    check_killed_parent(
        "a_daemon_ends_when_the_parent_is_killed",
        "echo $(setsid sh -c 'sleep 1000 >&2 & echo $!'); exec sleep 1000",
    );
}

/// Runs the test `name` again as a parent that starts `script`, which prints ids of processes, and is
/// then killed outright: none of them may live on.
fn check_killed_parent(name: &str, script: &str) {
    const ROLE: &str = "RINGSIDE_TEST_PARENT";
    if std::env::var_os(ROLE).is_some() {
        let (mut process, _log) = shell(script);
        println!("children {}", first_line(&mut process));
        let _ = process.wait(Duration::from_secs(600));
        return;
    }
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg(format!("process::tests::{name}"))
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    let line = lines
        .map(Result::unwrap)
        .find(|line| line.contains("children "))
        .unwrap();
    let pids: Vec<_> = line
        .rsplit_once("children ")
        .unwrap()
        .1
        .split(' ')
        .map(str::to_owned)
        .collect();
    assert!(pids.iter().all(|pid| is_alive(pid)));
    parent.kill().unwrap();
    parent.wait().unwrap();
    let began = std::time::Instant::now();
    while pids.iter().any(|pid| is_alive(pid)) {
        assert!(
            began.elapsed() < LIMIT,
            "children of a killed parent still run"
        );
        std::thread::yield_now();
    }
}
