//! One triple of the gate: fresh servers of base, head and base again, under one generator that loads them
//! in turn. A self-test has more heads beside one base.

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use ringside_contract::{
    Confinement, GATE_SCHEMA, ImplementationSpec, Phase, ScenarioSpec, TripleRecord, Turns,
};
use ringside_metal::process::Ended;

use crate::catalogue::Subject;
use crate::child::{Child, Line, Order};
use crate::fixtures::TemporaryFolder;
use crate::order::{load_seed, shuffled};
use crate::run::now_s;
use crate::server::{Launch, Server, ServerOrder, comma_list};
use crate::turn_lengths::TurnLengths;

/// The group of random orders in which servers are started; rounds have group 0.
const STARTS: u32 = 1;
/// How often a wait looks whether something died or the gate is to stop.
const LOOK: Duration = Duration::from_millis(50);
/// The output of a generator: a line of at most a few hundred turns.
const RESULT_MAX: usize = 4 << 20;
/// The system reports the end of a process at once; the output may close a little earlier.
const END_LIMIT: Duration = Duration::from_secs(5);

/// One server of a triple.
pub struct Contestant<'a> {
    /// `base`, `again`, `head`, or a head's name.
    pub label: &'a str,
    /// The build whose `serve` is started; of no matter to an outside program.
    pub executable: &'a Path,
    /// What it serves.
    pub subject: &'a Subject<'a>,
    /// Variables of its environment. They should be of equal length in all servers, since what stands there
    /// moves the stack.
    pub environment: Vec<(OsString, OsString)>,
}

/// All that a triple needs.
pub struct TripleOrder<'a> {
    /// What every start needs; its executable is the generator.
    pub launch: Launch<'a>,
    /// The scenario.
    pub scenario: &'a ScenarioSpec,
    /// The name that its record has.
    pub implementation: &'a ImplementationSpec,
    /// The servers.
    pub contestants: &'a [Contestant<'a>],
    /// How turns are taken; with `count_ms` each server has one more, in which it is counted.
    pub turns: TurnLengths,
    /// Seed of the gate; that of the triple follows from it.
    pub seed: u64,
    /// The document root.
    pub root: &'a Path,
    /// A folder for the servers' files and logs, made and removed here.
    pub tmp: &'a Path,
    /// The measurement that it belongs to.
    pub phase: Phase,
    /// Its number.
    pub number: u32,
}

impl TripleOrder<'_> {
    /// Runs it; `None` when it was interrupted.
    pub fn run(&self) -> Option<TripleRecord> {
        let measured = self.measure();
        if self.launch.stop.is_set() {
            return None;
        }
        let (taken, failed) = match measured {
            Ok(taken) => (taken, None),
            Err(because) => (Turns::default(), Some(because)),
        };
        let labels = self.contestants.iter().map(|of| of.label.to_owned());
        Some(TripleRecord {
            schema: GATE_SCHEMA,
            scenario: self.scenario.clone(),
            implementation: self.implementation.clone(),
            phase: self.phase,
            number: self.number,
            seed: self.load_seed(),
            began_at: now_s(),
            servers: labels.collect(),
            turns: taken.turns,
            cpu_busy: taken.cpu_busy,
            counts: taken.counts,
            uncounted: taken.uncounted,
            failed,
        })
    }

    /// How long turns have to be under this load, by long turns of the first two servers: while one has its turn, the
    /// other answers what was in flight. `None` when it was interrupted. Where that fails turns are long, and the
    /// triple itself says what is wrong.
    pub fn fitted(&self) -> Option<TurnLengths> {
        let probe = TripleOrder {
            contestants: &self.contestants[..self.contestants.len().min(2)],
            turns: TurnLengths::PROBE,
            ..*self
        };
        Some(TurnLengths::fitted(&probe.run()?.turns))
    }

    fn measure(&self) -> Result<Turns, String> {
        let tmp = TemporaryFolder::create(self.tmp.to_owned())
            .map_err(|error| format!("failed to create {}: {error}", self.tmp.display()))?;
        // Who starts first may find a cooler machine: over the triples that falls on each of them alike.
        let order = shuffled(self.contestants.len(), self.load_seed(), STARTS, 0);
        let start = |index| Ok((index, self.start(tmp.path(), index)?));
        let mut servers: Vec<(usize, Server)> = order
            .into_iter()
            .map(start)
            .collect::<Result<_, String>>()?;
        servers.sort_unstable_by_key(|(index, _)| *index);
        let servers: Vec<Server> = servers.into_iter().map(|(_, server)| server).collect();
        let taken = self.load(tmp.path(), &servers)?;
        servers.into_iter().for_each(|server| _ = server.stop());
        Ok(taken)
    }

    fn start(&self, tmp: &Path, index: usize) -> Result<Server, String> {
        let contestant = &self.contestants[index];
        let folder = tmp.join(index.to_string());
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("failed to create {}: {error}", folder.display()))?;
        let order = ServerOrder {
            launch: Launch {
                executable: contestant.executable,
                ..self.launch
            },
            subject: contestant.subject,
            root: self.root,
            tmp: &folder,
            log: &tmp.join(format!("{index}-server.stderr")),
            head_deadline: None,
            confinement: Confinement::default(),
            sample: None,
            environment: &contestant.environment,
        };
        let (_, started) = order.start();
        let server = started.map_err(|failure| format!("{}: {failure}", contestant.label))?;
        match server.addresses.len() {
            1 => Ok(server),
            // Loading one of several would leave the rest of the server idle.
            many => Err(format!(
                "{}: it listens on {many} addresses, and a turn loads one; give --cores 1",
                contestant.label
            )),
        }
    }

    fn load(&self, tmp: &Path, servers: &[Server]) -> Result<Turns, String> {
        let child = Child::start(Order {
            argv: &self.command(servers),
            environment: Vec::new(),
            directory: None,
            cpus: &self.launch.placement.generator_cpus,
            log: &tmp.join("generator.stderr"),
            inherit: None,
            line_max: RESULT_MAX,
        })?;
        let line = self.result(&child, servers)?;
        let ended = child.ended_within(END_LIMIT);
        match serde_json::from_str(&line) {
            Ok(taken) if ended.is_some_and(Ended::is_success) => Ok(taken),
            _ => Err(format!("the generator failed: {}", child.stderr_tail())),
        }
    }

    /// The line that the generator prints at its end.
    fn result(&self, child: &Child, servers: &[Server]) -> Result<String, String> {
        let began = Instant::now();
        loop {
            match child.line(LOOK) {
                Line::Text(line) => return Ok(line),
                Line::Closed => {
                    let said = child.stderr_tail();
                    return Err(format!("the generator gave no result: {said}"));
                }
                Line::Nothing => {}
            }
            if self.launch.stop.is_set() {
                return Err("interrupted".to_owned());
            }
            for (server, contestant) in servers.iter().zip(self.contestants) {
                if let Some(ended) = server.child.ended_within(Duration::ZERO) {
                    let said = server.child.stderr_tail();
                    return Err(format!(
                        "{}: the server {ended} under load: {said}",
                        contestant.label
                    ));
                }
            }
            if began.elapsed() > self.limit() {
                let limit = self.limit().as_secs_f64();
                return Err(format!("the load did not end within {limit} s"));
            }
        }
    }

    fn limit(&self) -> Duration {
        let turn =
            Duration::from_millis(self.turns.timing.warmup_ms + self.turns.timing.measure_ms);
        // One more round counts.
        let rounds = self.turns.rounds + 1;
        let turns = u32::try_from(self.contestants.len()).unwrap_or(u32::MAX) * rounds;
        self.launch.load_slack + turn * turns * 2
    }

    fn load_seed(&self) -> u64 {
        load_seed(self.seed, phase_number(self.phase), self.number)
    }

    fn command(&self, servers: &[Server]) -> Vec<String> {
        let joined = |texts: Vec<String>| texts.join(",");
        let places = |round| shuffled(servers.len(), self.load_seed(), 0, round);
        let order = (0..self.turns.rounds).map(|round| {
            let places: Vec<String> = places(round).iter().map(usize::to_string).collect();
            places.join(".")
        });
        let targets = servers.iter().map(|server| server.addresses[0].to_string());
        let processes = servers
            .iter()
            .map(|server| server.child.process.id().to_string());
        let mut argv = vec![
            self.launch.executable.display().to_string(),
            "turns".to_owned(),
            self.scenario.to_string(),
        ];
        let options = [
            ("--target", joined(targets.collect())),
            ("--watch", joined(processes.collect())),
            ("--order", joined(order.collect())),
            ("--cpus", comma_list(&self.launch.placement.generator_cpus)),
            ("--seed", self.load_seed().to_string()),
            ("--warmup", format!("{}ms", self.turns.timing.warmup_ms)),
            ("--measure", format!("{}ms", self.turns.timing.measure_ms)),
            ("--count", format!("{}ms", self.turns.timing.count_ms)),
        ];
        for (option, value) in options {
            argv.extend([option.to_owned(), value]);
        }
        if let Some(congestion) = self.launch.congestion {
            argv.extend(["--congestion".to_owned(), congestion.to_owned()]);
        }
        argv
    }
}

/// Triples of the two measurements have seeds of their own.
fn phase_number(phase: Phase) -> u32 {
    match phase {
        Phase::First => 0,
        Phase::Confirming => 1,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use ringside_contract::Placement;

    use super::*;
    use crate::stop::Stop;
    use crate::testing::{catalogue, host};

    /// `serve` is ready at once, `http/tokio` on two addresses; `turns` keeps what it was called with and gives one turn, or fails for a
    /// larger file.
    const SCRIPT: &str = r#"#!/bin/sh
case "$1 $2" in
"serve http/tokio"*) echo '{"addr":"127.0.0.1:9","addrs":["127.0.0.1:9","127.0.0.1:10"]}'; exec sleep 1000 ;;
serve*) echo '{"addr":"127.0.0.1:9"}'; exec sleep 1000 ;;
*size=2KiB*) echo "no connection" >&2; exit 9 ;;
esac
echo "$*" > "$(dirname "$0")/called"
echo '{"cpu_busy":[1.0,0.5],"turns":[{"server":2,"round":0,"wall_ns":5,"operations":4,"operations_before":1,"operations_behind":1,"wrong":0,"server_cpu_ns":3,"whole_server_cpu_ns":3,"generator_cpu_ns":2}],' \
    '"counts":[{"server":2,"operations":4,"system_calls":8,"sent_bytes":1,"operations_probed":4,"allocations":2}],"uncounted":[]}'
"#;

    /// Runs a triple of three servers against `scenario`; gives its record and what the generator was
    /// called with.
    fn run(scenario: &str, implementation: &str, stop: &Stop) -> (Option<TripleRecord>, String) {
        let folder = tempfile::tempdir().unwrap();
        let executable = folder.path().join("ringside");
        std::fs::write(&executable, SCRIPT).unwrap();
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&executable, mode).unwrap();
        let (catalogue, host) = (catalogue(), host());
        let implementation = implementation.parse().unwrap();
        let subject = catalogue.subject(&implementation).unwrap();
        let contestant = |label| Contestant {
            label,
            executable: &executable,
            subject: &subject,
            environment: Vec::new(),
        };
        let order = TripleOrder {
            launch: Launch {
                executable: &executable,
                host: &host,
                placement: &Placement::default(),
                congestion: None,
                ready_limit: Duration::from_secs(10),
                load_slack: Duration::from_secs(10),
                stop,
            },
            scenario: &scenario.parse().unwrap(),
            implementation: &implementation,
            contestants: &["base", "again", "head"].map(contestant),
            turns: TurnLengths {
                timing: crate::testing::TIMING,
                rounds: 2,
            },
            seed: 1,
            root: folder.path(),
            tmp: &folder.path().join("triple"),
            phase: Phase::First,
            number: 3,
        };
        let record = order.run();
        assert!(!folder.path().join("triple").exists());
        let called = std::fs::read_to_string(folder.path().join("called")).unwrap_or_default();
        (record, called)
    }

    #[test]
    fn a_triple_has_the_turns_of_its_servers() {
        let (record, called) = run("http/small", "http/epoll", &Stop::default());
        let record = record.unwrap();
        assert_eq!(record.failed, None);
        assert_eq!(record.servers, ["base", "again", "head"]);
        assert_eq!((record.number, record.turns.len()), (3, 1));
        assert_eq!(record.counts[0].system_calls, Some(8));
        assert!(
            called.contains("--target 127.0.0.1:9,127.0.0.1:9,127.0.0.1:9"),
            "{called}"
        );
        let order = called.split("--order ").nth(1).unwrap();
        let rounds: Vec<&str> = order.split(' ').next().unwrap().split(',').collect();
        assert_eq!(rounds.len(), 2);
        for round in rounds {
            let mut places: Vec<&str> = round.split('.').collect();
            places.sort_unstable();
            assert_eq!(places, ["0", "1", "2"], "{called}");
        }
    }

    #[test]
    fn a_generator_that_fails_is_a_failed_triple_with_its_words() {
        let (record, _) = run("http/small{size=2KiB}", "http/epoll", &Stop::default());
        let failed = record.unwrap().failed.unwrap();
        assert!(failed.contains("no connection"), "{failed}");
    }

    #[test]
    fn a_server_of_several_addresses_is_a_failed_triple() {
        let (record, called) = run("http/small", "http/tokio", &Stop::default());
        let failed = record.unwrap().failed.unwrap();
        assert!(failed.contains("base: it listens on 2"), "{failed}");
        assert_eq!(called, "", "nothing is loaded");
    }

    #[test]
    fn an_interrupted_triple_has_no_record() {
        let stop = Stop::default();
        stop.set();
        assert_eq!(run("http/small", "http/epoll", &stop).0, None);
    }
}
