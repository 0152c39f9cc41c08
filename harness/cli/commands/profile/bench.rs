//! One server under blocks of load that take turns: with a profiler attached and without. Who looks at what it
//! recorded is `recording` and `counting`.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use ringside_contract::{
    BlockTiming, Confinement, LoadPlan, Measures, Placement, ProfiledSide, ScenarioSpec, Side,
};
use ringside_profile::{BlockRate, refusal};
use ringside_run::{Server, ServerOrder, Subject, Watch, Watched, WatchedLoad, tail};
use tempfile::TempDir;

use crate::session::Session;

/// Where profiles are taken: everything but the servers.
pub(crate) struct Bench<'a> {
    pub(crate) session: &'a Session,
    /// The scenario.
    pub(crate) scenario: &'a ScenarioSpec,
    /// Its load.
    pub(crate) plan: &'a LoadPlan,
    /// The document root, with the scenario's files.
    pub(crate) root: &'a Path,
    /// What the scenario keeps from the server.
    pub(crate) confinement: Confinement,
    /// Which process is watched.
    pub(crate) side: ProfiledSide,
    /// Seconds that a profiler watches a server.
    pub(crate) seconds: u64,
    /// Of every load.
    pub(crate) seed: u64,
    /// A folder for the files of servers and profilers.
    pub(crate) tmp: &'a Path,
}

/// A server to profile.
#[derive(Clone)]
pub(crate) struct Profiled<'a> {
    /// What a reader knows it by.
    pub(crate) name: &'a str,
    /// The build whose `serve` is started; of no matter to an outside program.
    pub(crate) executable: &'a Path,
    /// What it serves.
    pub(crate) subject: Subject<'a>,
    /// Where it writes the stacks that it samples of itself, if it is to.
    pub(crate) sample: Option<&'a Path>,
}

/// The command of a profiler, from the ids of the processes to watch and the file to write.
pub(super) type Command<'a> = &'a dyn Fn(&[u32], &Path) -> Vec<String>;

/// What the blocks gave.
pub(super) struct Blocks {
    /// Rates of pairs of blocks, without the profiler and with it; empty without a profiler.
    pub(super) pairs: Vec<(BlockRate, BlockRate)>,
    /// What the generator measured in the blocks without it.
    pub(super) bare: Vec<Measures>,
    /// What the profiler wrote, a file for each block with it.
    pub(super) files: Vec<PathBuf>,
    /// What a reader should know of the server.
    pub(super) warnings: Vec<String>,
    /// Holds the files.
    _tmp: TempDir,
}

impl Bench<'_> {
    /// Starts the server and loads it; `None` when it was interrupted.
    pub(super) fn load(
        &self,
        profiled: &Profiled<'_>,
        command: Option<Command<'_>>,
    ) -> anyhow::Result<Option<Blocks>> {
        let failed = "failed to make a folder for the server";
        let tmp = tempfile::tempdir_in(self.tmp).context(failed)?;
        let placement = self.placement()?;
        let order = ServerOrder {
            launch: ringside_run::Launch {
                executable: profiled.executable,
                placement: &placement,
                ..self.session.launch()
            },
            subject: &profiled.subject,
            root: self.root,
            tmp: tmp.path(),
            log: &tmp.path().join("server.stderr"),
            head_deadline: None,
            confinement: self.confinement,
            sample: profiled.sample,
            environment: &[],
        };
        let mut server = match order.start().1 {
            Ok(server) => server,
            Err(failure) if failure.interrupted => return Ok(None),
            Err(failure) => {
                let error = anyhow::Error::new(failure);
                return Err(error.context(format!("{} did not start", profiled.name)));
            }
        };
        let mut blocks = Blocks {
            pairs: Vec::new(),
            bare: Vec::new(),
            files: Vec::new(),
            warnings: std::mem::take(&mut server.warnings),
            _tmp: tmp,
        };
        for pair in 0..PAIRS {
            if !self.pair(&server, pair, command, &mut blocks)? {
                return Ok(None);
            }
        }
        blocks.warnings.extend(server.stop());
        Ok(Some(blocks))
    }

    /// Where both sides are: threads of a worker have cores of their own.
    fn placement(&self) -> anyhow::Result<Placement> {
        let (scenario, params) = self.session.catalogue.scenario(self.scenario)?;
        let (host, usual) = (&self.session.host, &self.session.placement);
        Ok(ringside_run::place_for_load(scenario, &params, host, usual))
    }

    /// Loads it without the profiler and with it; false when it was interrupted. Every other pair begins with the
    /// profiler, so that what grows with time falls on both.
    fn pair(
        &self,
        server: &Server,
        pair: u64,
        command: Option<Command<'_>>,
        blocks: &mut Blocks,
    ) -> anyhow::Result<bool> {
        let file = blocks._tmp.path().join(format!("{pair}.data"));
        let mut rates = [None; 2];
        for place in 0..2 {
            let attached = (pair + place) % 2 == 1;
            let command = command.filter(|_| attached);
            if attached && command.is_none() {
                continue;
            }
            let Some(measures) = self.block(server, command.map(|one| (one, &*file)))? else {
                return Ok(false);
            };
            rates[usize::from(attached)] = Some(self.rate(&measures));
            if !attached {
                blocks.bare.push(measures);
            }
        }
        if let [Some(bare), Some(attached)] = rates {
            blocks.pairs.push((bare, attached));
            blocks.files.push(file);
        }
        Ok(true)
    }

    fn block(
        &self,
        server: &Server,
        attached: Option<(Command<'_>, &Path)>,
    ) -> anyhow::Result<Option<Measures>> {
        let [generator_log, log] =
            ["generator.stderr", "profiler.stderr"].map(|name| self.tmp.join(name));
        let placement = self.placement()?;
        let load = WatchedLoad {
            launch: ringside_run::Launch {
                placement: &placement,
                ..self.session.launch()
            },
            scenario: self.scenario,
            plan: self.plan,
            timing: BlockTiming {
                warmup_ms: WARMUP_MS,
                measure_ms: self.seconds * 1000 / PAIRS,
                // Counting system calls costs time, so it is not done beside a profiler.
                count_ms: if attached.is_some() { 0 } else { COUNT_MS },
            },
            seed: self.seed,
            core_share: self.confinement.core_share.unwrap_or(1.0),
            log: &generator_log,
        };
        let loaded = |watch: Option<&Watch<'_>>| {
            load.run(server, watch).map_err(|because| {
                anyhow!(
                    "failed to load the server with {}: {because}",
                    self.scenario
                )
            })
        };
        let Some((command, file)) = attached else {
            return Ok(loaded(None)?.map(|watched| watched.measures));
        };
        let command = |ids: &[u32]| command(ids, file);
        let watch = Watch {
            side: self.side,
            command: &command,
            log: &log,
        };
        let Some(watched) = loaded(Some(&watch))? else {
            return Ok(None);
        };
        check_watched(&watched, file, &log)?;
        Ok(Some(watched.measures))
    }

    /// The side that is watched.
    pub(super) fn watched<'m>(&self, measures: &'m Measures) -> Option<&'m Side> {
        match self.side {
            ProfiledSide::Server => measures.server.as_ref(),
            ProfiledSide::Generator => Some(&measures.generator),
        }
    }

    /// How fast it went in a block.
    pub(super) fn rate(&self, measures: &Measures) -> BlockRate {
        let each = |side: &Side| side.cpu_ns as f64 / measures.operations as f64;
        BlockRate {
            per_s: measures.throughput_per_s,
            processor_ns: self.watched(measures).map(each),
        }
    }
}

/// A profiler that ended before the load did has seen nothing, or not all.
fn check_watched(watched: &Watched, file: &Path, log: &Path) -> anyhow::Result<()> {
    if !watched.gave_up && file.exists() {
        return Ok(());
    }
    let said = tail(log);
    match refusal(&said) {
        Some(refusal) => Err(refusal.into()),
        None => bail!("the profiler ended before the load did; it said: {said}"),
    }
}

/// Seconds that one profiler takes for one server, about.
pub(super) const fn takes(seconds: u64) -> u64 {
    PAIRS * (2 * WARMUP_MS + COUNT_MS) / 1000 + 2 * seconds
}

/// Blocks without the profiler, each with one beside it: three, so that the median leaves one odd pair out.
const PAIRS: u64 = 3;
/// The profiler is attached in the middle of it.
const WARMUP_MS: u64 = 1000;
/// In which system calls are counted, all of them together.
const COUNT_MS: u64 = 100;
