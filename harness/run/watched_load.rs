//! A load on a server that runs already, with something attached to one of the two sides: how a profile is taken.
//! It makes no record.

use std::path::Path;
use std::time::Duration;

use ringside_contract::{BlockTiming, LoadPlan, Measures, ProfiledSide, ScenarioSpec};
use ringside_metal::process::Ended;

use crate::block::wrong_answers;
use crate::budget::steps;
use crate::child::{Child, LINE_MAX, Order};
use crate::generator::{LoadEnd, LoadOrder};
use crate::server::{Launch, Server};

/// How long the load goes on before something is attached: connections are open by then, and the warm-up is not
/// over if it is as long again.
const ATTACH_AFTER: Duration = Duration::from_millis(400);
/// How long what is attached may take to write down what it has.
const GRACE: Duration = Duration::from_secs(30);
/// Asks what is attached to end.
const SIGINT: i32 = 2;

/// A load.
pub struct WatchedLoad<'a> {
    /// What every start needs; its executable is the generator.
    pub launch: Launch<'a>,
    /// The scenario.
    pub scenario: &'a ScenarioSpec,
    /// Its load.
    pub plan: &'a LoadPlan,
    /// Warm-up and measured window; a second of warm-up leaves time to attach something.
    pub timing: BlockTiming,
    /// Seed of every byte.
    pub seed: u64,
    /// Share of its cores that the server may use.
    pub core_share: f64,
    /// Where the generator's standard error goes.
    pub log: &'a Path,
}

/// What is attached.
pub struct Watch<'a> {
    /// To which side.
    pub side: ProfiledSide,
    /// The command line, from the ids of the side's processes.
    pub command: &'a dyn Fn(&[u32]) -> Vec<String>,
    /// Where its standard error goes.
    pub log: &'a Path,
}

/// What came of it.
#[derive(Debug)]
pub struct Watched {
    /// What the generator measured.
    pub measures: Measures,
    /// True when what was attached ended before the load did, or not well with it: it watched nothing, or not all.
    pub gave_up: bool,
}

impl WatchedLoad<'_> {
    /// Runs the load, with `watch` attached from its warm-up to its end; `None` when it was interrupted.
    ///
    /// # Errors
    /// Why there are no measures, or why there was nothing to attach.
    pub fn run(
        &self,
        server: &Server,
        watch: Option<&Watch<'_>>,
    ) -> Result<Option<Watched>, String> {
        let order = LoadOrder {
            launch: self.launch,
            scenario: self.scenario,
            steps: steps(Some(self.plan)),
            connections: self.plan.connections,
            core_share: self.core_share,
            timing: &self.timing,
            seed: self.seed,
            log: self.log,
        };
        let generator = order.start(&order.command(server))?;
        let attached = match watch {
            // One that ended already says why below.
            Some(watch) if generator.ended_within(ATTACH_AFTER).is_none() => {
                Some(self.attach(watch, server, &generator)?)
            }
            _ => None,
        };
        let end = order.follow(&generator, server);
        let gave_up = watch.zip(attached).is_some_and(|(watch, attached)| {
            let ended = attached.ended_within(Duration::ZERO);
            // How it ends now says nothing: some end by the signal that asked them to.
            let _ = attached.process.stop(SIGINT, GRACE);
            // With the generator the load ends, and what watched it ends well.
            let with_load =
                |ended: Ended| matches!(watch.side, ProfiledSide::Generator) && ended.is_success();
            ended.is_some_and(|ended| !with_load(ended))
        });
        match end {
            LoadEnd::Interrupted => Ok(None),
            LoadEnd::Failed(because) => Err(because),
            LoadEnd::Measured(measures) => match wrong_answers(&measures) {
                Some(because) => Err(because),
                None => Ok(Some(Watched {
                    measures: *measures,
                    gave_up,
                })),
            },
        }
    }

    /// It runs beside the side that it does not watch, so that it takes the watched one as little time as may be.
    fn attach(
        &self,
        watch: &Watch<'_>,
        server: &Server,
        generator: &Child,
    ) -> Result<Child, String> {
        let placement = self.launch.placement;
        let (watched, cpus) = match watch.side {
            ProfiledSide::Server => (&server.child, &placement.generator_cpus),
            ProfiledSide::Generator => (generator, &placement.server_cpus),
        };
        let mut attached = Child::start(Order {
            argv: &(watch.command)(&watched.process.tree()),
            environment: Vec::new(),
            directory: None,
            cpus,
            log: watch.log,
            inherit: None,
            line_max: LINE_MAX,
        })?;
        attached.ignore_output();
        Ok(attached)
    }
}
