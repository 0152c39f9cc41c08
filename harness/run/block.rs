//! One block: a fresh server, a fresh generator, what they measured or how they failed.

use std::fs;
use std::path::Path;

use ringside_contract::{BlockTiming, Confinement, Measures, ScenarioSpec, Status};

use crate::catalogue::Subject;
use crate::child::tail;
use crate::fixtures::TemporaryFolder;
use crate::generator::{LoadEnd, LoadOrder};
use crate::run::now_s;
use crate::server::{Launch, Server, ServerOrder};

/// What a block needs.
pub(crate) struct Block<'a> {
    pub(crate) launch: Launch<'a>,
    pub(crate) subject: &'a Subject<'a>,
    pub(crate) scenario: &'a ScenarioSpec,
    /// Measured windows: more than one for a sweep.
    pub(crate) steps: u64,
    /// Connections of the load.
    pub(crate) connections: u32,
    /// What is kept from the server.
    pub(crate) confinement: Confinement,
    pub(crate) timing: &'a BlockTiming,
    pub(crate) seed: u64,
    pub(crate) root: &'a Path,
    /// A folder for the files of this block's server, made and removed here.
    pub(crate) tmp: &'a Path,
    /// The run's folder.
    pub(crate) run: &'a Path,
    /// Names its logs.
    pub(crate) name: &'a str,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct BlockOutcome {
    pub(crate) began_at: u64,
    pub(crate) status: Status,
    pub(crate) measures: Option<Measures>,
    pub(crate) server_command: Vec<String>,
    pub(crate) generator_command: Vec<String>,
    pub(crate) artifacts: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

impl BlockOutcome {
    /// An outcome without processes.
    pub(crate) fn ended(status: Status) -> Self {
        Self {
            began_at: now_s(),
            status,
            measures: None,
            server_command: Vec::new(),
            generator_command: Vec::new(),
            artifacts: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn fail(&mut self, because: String, stderr: String) {
        self.status = Status::Failed { because, stderr };
    }
}

impl Block<'_> {
    /// Runs it; `None` when it was interrupted.
    pub(crate) fn run(&self) -> Option<BlockOutcome> {
        let mut outcome = BlockOutcome::ended(Status::Completed);
        let tmp = match TemporaryFolder::create(self.tmp.to_owned()) {
            Ok(tmp) => tmp,
            Err(error) => {
                outcome.fail(
                    format!("failed to create {}: {error}", self.tmp.display()),
                    String::new(),
                );
                return Some(outcome);
            }
        };
        let (server_log, generator_log) = (self.log("server"), self.log("generator"));
        let order = ServerOrder {
            launch: self.launch,
            subject: self.subject,
            root: self.root,
            tmp: tmp.path(),
            log: &self.run.join(&server_log),
            head_deadline: None,
            confinement: self.confinement,
            sample: None,
            environment: &[],
        };
        let (command, started) = order.start();
        outcome.server_command = command;
        match started {
            Ok(server) => self.load(server, &generator_log, &mut outcome)?,
            Err(failure) if failure.interrupted => return None,
            Err(failure) => outcome.fail(failure.because, failure.stderr),
        }
        self.keep_logs(&[server_log, generator_log], &mut outcome);
        Some(outcome)
    }

    fn load(&self, mut server: Server, log: &str, outcome: &mut BlockOutcome) -> Option<()> {
        let order = LoadOrder {
            launch: self.launch,
            scenario: self.scenario,
            steps: self.steps,
            connections: self.connections,
            core_share: self.confinement.core_share.unwrap_or(1.0),
            timing: self.timing,
            seed: self.seed,
            log: &self.run.join(log),
        };
        outcome.generator_command = order.command(&server);
        outcome.warnings.append(&mut server.warnings);
        match order.run(&outcome.generator_command, &server) {
            LoadEnd::Interrupted => return None,
            LoadEnd::Failed(because) => {
                let stderr = server.child.stderr_tail();
                outcome.fail(because, stderr);
            }
            LoadEnd::Measured(mut measures) => {
                measures.without_io_uring = self.confinement.refuse_io_uring;
                let wrong = wrong_answers(&measures);
                outcome.measures = Some(*measures);
                if let Some(because) = wrong {
                    let stderr = server.child.stderr_tail();
                    outcome.fail(because, stderr);
                }
            }
        }
        outcome.warnings.extend(server.stop());
        Some(())
    }

    fn log(&self, role: &str) -> String {
        format!("log/{}-{role}.stderr", self.name)
    }

    /// Logs that say something stay; empty ones are removed.
    fn keep_logs(&self, logs: &[String], outcome: &mut BlockOutcome) {
        for log in logs {
            let path = self.run.join(log);
            match fs::metadata(&path) {
                Ok(metadata) if metadata.len() == 0 => {
                    let _ = fs::remove_file(&path);
                }
                Ok(_) => outcome.artifacts.push(log.clone()),
                Err(_) => {}
            }
        }
        if let Status::Failed { stderr, .. } = &mut outcome.status {
            // The server may have said more while it was stopped.
            let last = tail(&self.run.join(&logs[0]));
            if stderr.len() < last.len() {
                *stderr = last;
            }
        }
    }
}

/// Fast and wrong is not fast.
pub(crate) fn wrong_answers(measures: &Measures) -> Option<String> {
    let samples = measures.error_samples.join("; ");
    if measures.corrupt > 0 {
        return Some(format!(
            "{} of {} answers were wrong: {samples}",
            measures.corrupt, measures.operations
        ));
    }
    if measures.operations == 0 {
        return Some(format!("no operation completed: {samples}"));
    }
    None
}
