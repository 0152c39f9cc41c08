//! The one impure arrow of the chain: a plan becomes records. Groups run one after another; in each
//! round of a group every cell runs once, in random order, in fresh processes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringside_contract::{
    Build, Confinement, Group, Host, Params, Placement, Plan, PlannedCell, Program, RunRecord,
    SCHEMA, Scenario, Status, Support,
};

use crate::ahead::Checked;
use crate::alignment::{Alignment, alignment};
use crate::block::{Block, BlockOutcome};
use crate::budget;
use crate::catalogue::{Catalogue, Subject, check_plan};
use crate::clock::Clock;
use crate::confine;
use crate::error::RunError;
use crate::fixtures::{self, TemporaryFolder};
use crate::folder::{BlockKey, RunFolder};
use crate::manifest::{Manifest, StoredManifest};
use crate::observer::{Event, Observer};
use crate::order::{load_seed, shuffled};
use crate::placement::place_for_load;
use crate::qualify::{Cache, Qualifier, Refusal};
use crate::server::{Launch, StartFailure};
use crate::stop::Stop;

mod subjects;

/// A cell whose server failed so often in a row is not tried again: a hung server costs its whole
/// time-out each time.
const FAILURES_MAX: u32 = 2;

/// Time until a server is ready: ours take milliseconds, a busy machine a second.
pub const READY_LIMIT: Duration = Duration::from_secs(10);
/// Time of a load beyond its windows: opening 10,000 connections takes a few seconds.
pub const LOAD_SLACK: Duration = Duration::from_secs(20);

/// What a run needs besides its plan.
pub struct RunOptions<'a> {
    /// What can be named.
    pub catalogue: &'a Catalogue,
    /// The machine.
    pub host: &'a Host,
    /// How this binary was built.
    pub build: &'a Build,
    /// The program whose `serve` and `load` are started: this binary.
    pub executable: &'a Path,
    /// The folder that holds `runs/` and `latest`.
    pub reports: &'a Path,
    /// Which processors each role gets; see [`crate::place`].
    pub placement: Placement,
    /// Congestion control of both sides; `None` keeps the system's.
    pub congestion: Option<String>,
    /// How long a server may take until it is ready; [`READY_LIMIT`] is plenty.
    pub ready_limit: Duration,
    /// What a load may take beyond its windows; [`LOAD_SLACK`] is plenty.
    pub load_slack: Duration,
    /// Asks the run to end.
    pub stop: Stop,
    /// Checks each implementation before it is timed.
    pub qualifier: &'a dyn Qualifier,
}

/// What came of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunOutcome {
    /// Its folder.
    pub folder: PathBuf,
    /// Its name.
    pub run: String,
    /// Blocks measured in this call.
    pub completed: usize,
    /// Blocks that failed.
    pub failed: usize,
    /// Cells that this host does not support.
    pub skipped: usize,
    /// Cells that failed their conformance cases.
    pub disqualified: usize,
    /// True when the run was asked to stop before its end.
    pub interrupted: bool,
}

/// Runs a plan from its beginning.
///
/// # Errors
/// [`RunError`]; what happens to single blocks is in their records.
pub fn execute(
    plan: &Plan,
    options: &RunOptions<'_>,
    observer: &mut dyn Observer,
) -> Result<RunOutcome, RunError> {
    check_plan(plan, options.catalogue).map_err(RunError::UnfitPlan)?;
    let programs = used_programs(plan, options.catalogue);
    let folder = RunFolder::create(options.reports, plan, &programs, now_s())?;
    if let Err(error) = folder.point_latest(options.reports) {
        let sentence = format!(
            "failed to point {}/latest at this run: {error}",
            options.reports.display()
        );
        observer.event(&Event::Warning {
            sentence: &sentence,
        });
    }
    Runner::new(plan, options, folder, observer)?.run()
}

/// The manifests that the cells of a plan need.
fn used_programs(plan: &Plan, catalogue: &Catalogue) -> Vec<StoredManifest> {
    let cells = || plan.groups.iter().flat_map(|group| &group.cells);
    let used = |manifest: &&Manifest| {
        let id = manifest.meta().id();
        cells().any(|cell| cell.implementation.id == id)
    };
    let programs = catalogue.programs.iter().filter(used);
    programs.map(|manifest| manifest.origin().clone()).collect()
}

/// Goes on with a run: blocks that have a record are not run again.
///
/// # Errors
/// As [`execute`], and when the folder holds no run, or one of another binary, kernel or placement.
pub fn resume(
    folder: &Path,
    options: &RunOptions<'_>,
    observer: &mut dyn Observer,
) -> Result<RunOutcome, RunError> {
    let (folder, plan) = RunFolder::resume(folder)?;
    if let Some(last) = folder.last_record()?
        && let Some(change) = changed_since(&last, options)
    {
        return Err(RunError::NotResumable {
            path: folder.path,
            because: format!(
                "{change} changed since its last block, and figures of both would not compare; start a new run"
            ),
        });
    }
    Runner::new(&plan, options, folder, observer)?.run()
}

/// What makes blocks of now another measurement than `last`: the program, the kernel or the processors.
fn changed_since(last: &RunRecord, options: &RunOptions<'_>) -> Option<&'static str> {
    [
        ("this program", last.build.binary != options.build.binary),
        ("the kernel", last.host.kernel != options.host.kernel),
        (
            "the placement on processors",
            last.placement != options.placement_of_record(last),
        ),
    ]
    .into_iter()
    .find_map(|(what, changed)| changed.then_some(what))
}

struct Runner<'a> {
    plan: &'a Plan,
    options: &'a RunOptions<'a>,
    folder: RunFolder,
    observer: &'a mut dyn Observer,
    temporary: TemporaryFolder,
    cache: Cache,
    /// Outcomes of the build commands of outside programs, by id.
    builds: BTreeMap<&'static str, Result<(), StartFailure>>,
    programs: BTreeMap<String, Program>,
    /// Conformance of every subject by its name; the floors, which are never checked, are not in it.
    checked: BTreeMap<String, Checked>,
    failures: BTreeMap<String, (u32, String)>,
    outcome: RunOutcome,
    clock: Clock,
}

/// Where in the plan a block lies.
#[derive(Clone, Copy)]
struct Place {
    group: u32,
    round: u32,
    position: u32,
}

/// A group and what its cells share.
struct Prepared<'a> {
    scenario: &'static dyn Scenario,
    params: Params,
    group: &'a Group,
    root: PathBuf,
}

/// Everything of a cell that its block needs.
struct Cell<'a> {
    scenario: &'static dyn Scenario,
    params: &'a Params,
    subject: Subject<'a>,
    planned: &'a PlannedCell,
    group: &'a Group,
    root: &'a Path,
    place: Place,
}

impl Cell<'_> {
    /// What the scenario keeps from the server.
    fn confinement(&self) -> Confinement {
        self.scenario.confinement(self.params)
    }

    /// Tells it from all other cells of the plan.
    fn name(&self) -> String {
        format!(
            "{}#{}#{}#{}",
            self.place.group, self.group.scenario, self.subject.spec, self.planned.replica
        )
    }
}

impl<'a> Runner<'a> {
    fn new(
        plan: &'a Plan,
        options: &'a RunOptions<'a>,
        folder: RunFolder,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, RunError> {
        let path = folder.path.join("tmp");
        let temporary = TemporaryFolder::create(path.clone())
            .map_err(|error| RunError::file("create", &path, &folder.path, error))?;
        let outcome = RunOutcome {
            folder: folder.path.clone(),
            run: folder.run.clone(),
            ..RunOutcome::default()
        };
        let cache = Cache::open(options.reports.join("runs").join(".conformance.json"));
        let clock = Clock::new(plan, &folder);
        Ok(Self {
            plan,
            options,
            folder,
            observer,
            temporary,
            cache,
            builds: BTreeMap::new(),
            programs: BTreeMap::new(),
            checked: BTreeMap::new(),
            failures: BTreeMap::new(),
            outcome,
            clock,
        })
    }

    fn run(mut self) -> Result<RunOutcome, RunError> {
        let blocks = self.clock.blocks;
        self.observer.event(&Event::RunStarted {
            run: &self.folder.run,
            folder: &self.folder.path,
            blocks,
        });
        if self.options.placement.shared {
            let sentence = "server and generator share one processor: figures say little here";
            self.observer.event(&Event::Warning { sentence });
        }
        self.check_subjects()?;
        let plan = self.plan;
        let mut index = 0;
        while let Some(rest) = plan.groups.get(index..).filter(|rest| !rest.is_empty()) {
            let with = rest[1..].iter().take_while(|group| group.interleaved);
            let groups = &rest[..1 + with.count()];
            self.run_groups(u32::try_from(index).unwrap_or(u32::MAX), groups)?;
            if self.options.stop.is_set() {
                self.outcome.interrupted = true;
                break;
            }
            index += groups.len();
        }
        Ok(self.outcome)
    }

    /// Runs groups whose rounds take turns; their records have the number of the first of them.
    fn run_groups(&mut self, index: u32, groups: &[Group]) -> Result<(), RunError> {
        let prepared: Vec<_> = groups
            .iter()
            .map(|group| self.prepare(group))
            .collect::<Result<_, _>>()?;
        let cells: Vec<_> = prepared
            .iter()
            .flat_map(|of| of.group.cells.iter().map(move |planned| (of, planned)))
            .collect();
        let rounds = groups.iter().map(|group| group.rounds).max().unwrap_or(0);
        for round in 0..rounds {
            let order = shuffled(cells.len(), self.plan.seed, index, round);
            for (position, cell) in order.into_iter().enumerate() {
                if self.options.stop.is_set() {
                    return Ok(());
                }
                let place = Place {
                    group: index,
                    round,
                    position: u32::try_from(position).unwrap_or(u32::MAX),
                };
                let (of, planned) = cells[cell];
                let done = (
                    index,
                    round,
                    of.group.scenario.to_string(),
                    planned.implementation.to_string(),
                    planned.replica,
                );
                if round < of.group.rounds && !self.folder.done.contains(&done) {
                    self.run_cell(of, planned, place)?;
                }
            }
        }
        Ok(())
    }

    /// What the cells of a group share.
    fn prepare<'g>(&self, group: &'g Group) -> Result<Prepared<'g>, RunError> {
        let named = self.options.catalogue.scenario(&group.scenario);
        let (scenario, params) = named.map_err(|miss| RunError::NotResumable {
            path: self.folder.path.clone(),
            because: miss.to_string(),
        })?;
        let folder = self.temporary.path();
        let root = fixtures::prepare(folder, scenario, &params).map_err(|error| {
            let what = "write the document root in";
            RunError::file(what, folder, &self.folder.path, error)
        })?;
        Ok(Prepared {
            scenario,
            params,
            group,
            root,
        })
    }

    fn run_cell(
        &mut self,
        of: &Prepared<'_>,
        planned: &PlannedCell,
        place: Place,
    ) -> Result<(), RunError> {
        let catalogue = self.options.catalogue;
        let Ok(subject) = catalogue.subject(&planned.implementation) else {
            let sentence = format!(
                "{} is not known here and its run kept no manifest of it: it is left out; give the \
                 manifest again with --manifest",
                planned.implementation
            );
            self.observer.event(&Event::Warning {
                sentence: &sentence,
            });
            return Ok(());
        };
        let cell = Cell {
            scenario: of.scenario,
            params: &of.params,
            subject,
            planned,
            group: of.group,
            root: &of.root,
            place,
        };
        if let Some(reason) = confine::refusal(&cell.confinement(), &cell.subject.candidate) {
            return self.record_once(&cell, None, Status::Skipped { reason });
        }
        let host = confine::host(&cell.confinement(), self.options.host);
        if let Support::No { reason } = cell.subject.candidate.support(&host, &cell.subject.axes) {
            return self.record_once(&cell, None, Status::Skipped { reason });
        }
        let program = self.program(&cell.subject);
        if let Some(outcome) = self.given_up(&cell) {
            let record = self.record(&cell, program, outcome);
            return self.write(&record);
        }
        match self.checked.get(&planned.implementation.to_string()) {
            Some(Ok(Err(Refusal { because, stderr }))) => {
                let (because, stderr) = (because.clone(), stderr.clone());
                self.record_once(&cell, program, Status::Disqualified { because, stderr })
            }
            Some(Err(StartFailure {
                interrupted: true, ..
            })) => Ok(()),
            Some(Err(StartFailure {
                because, stderr, ..
            })) => {
                let (because, stderr) = (because.clone(), stderr.clone());
                let outcome = BlockOutcome::ended(Status::Failed { because, stderr });
                self.finish(&cell, program, outcome)
            }
            // Passed; or a floor, which serves one answer and is a limit, not a server to choose.
            Some(Ok(Ok(_))) | None => self.run_block(&cell, program),
        }
    }

    fn run_block(&mut self, cell: &Cell<'_>, program: Option<Program>) -> Result<(), RunError> {
        self.observer.event(&Event::BlockStarted {
            ended: self.clock.ended,
            blocks: self.clock.blocks,
            scenario: &cell.group.scenario,
            implementation: &cell.subject.spec,
            round: cell.place.round,
            left: self.clock.left(),
        });
        match self.block(cell) {
            Some(outcome) => {
                let failed = matches!(outcome.status, Status::Failed { .. });
                self.refuse_full_disk(None, failed)?;
                self.finish(cell, program, outcome)
            }
            None => Ok(()),
        }
    }

    /// Records an outcome and counts failures in a row.
    fn finish(
        &mut self,
        cell: &Cell<'_>,
        program: Option<Program>,
        outcome: BlockOutcome,
    ) -> Result<(), RunError> {
        let name = cell.name();
        if let Status::Failed { because, .. } = &outcome.status {
            let entry = self.failures.entry(name).or_default();
            *entry = (entry.0 + 1, because.clone());
        } else {
            self.failures.remove(&name);
        }
        let record = self.record(cell, program, outcome);
        self.write(&record)
    }

    /// The outcome of a cell that failed too often to be tried again.
    fn given_up(&self, cell: &Cell<'_>) -> Option<BlockOutcome> {
        let (times, because) = self.failures.get(&cell.name())?;
        (*times >= FAILURES_MAX).then(|| {
            let because = format!("given up after {times} failures in a row: {because}");
            BlockOutcome::ended(Status::Failed {
                because,
                stderr: String::new(),
            })
        })
    }

    /// Runs the block; `None` when it was interrupted.
    fn block(&self, cell: &Cell<'_>) -> Option<BlockOutcome> {
        let Place {
            group,
            round,
            position,
        } = cell.place;
        let name = format!("group{group}-round{round}-{position}");
        let load = cell.scenario.load(cell.params).ok();
        let placement = self.options.placement_of(cell.scenario, cell.params);
        let block = Block {
            launch: Launch {
                placement: &placement,
                ..self.options.launch()
            },
            subject: &cell.subject,
            scenario: &cell.group.scenario,
            steps: budget::steps(load.as_ref()),
            connections: load.as_ref().map_or(0, |load| load.connections),
            confinement: cell.confinement(),
            timing: &cell.group.timing,
            seed: load_seed(self.plan.seed, group, round),
            root: cell.root,
            tmp: &self.temporary.path().join("block"),
            run: &self.folder.path,
            name: &name,
        };
        block.run()
    }

    /// A record for a cell that has no blocks, in its first round only.
    fn record_once(
        &mut self,
        cell: &Cell<'_>,
        program: Option<Program>,
        status: Status,
    ) -> Result<(), RunError> {
        let name = cell.planned.implementation.to_string();
        let of = cell.group.scenario.to_string();
        let same = |(group, _, scenario, implementation, replica): &BlockKey| {
            *group == cell.place.group
                && *scenario == of
                && *implementation == name
                && *replica == cell.planned.replica
        };
        if self.folder.done.iter().any(same) {
            self.clock.ended += 1;
            return Ok(());
        }
        let record = self.record(cell, program, BlockOutcome::ended(status));
        self.write(&record)
    }

    fn write(&mut self, record: &RunRecord) -> Result<(), RunError> {
        self.folder.append(record)?;
        self.clock.ended += 1;
        match record.status {
            Status::Completed => self.outcome.completed += 1,
            Status::Failed { .. } => self.outcome.failed += 1,
            Status::Skipped { .. } => self.outcome.skipped += 1,
            Status::Disqualified { .. } => self.outcome.disqualified += 1,
        }
        self.observer.event(&Event::BlockEnded { record });
        Ok(())
    }

    fn record(
        &self,
        cell: &Cell<'_>,
        program: Option<Program>,
        outcome: BlockOutcome,
    ) -> RunRecord {
        let options = self.options;
        let placement = options.placement_of(cell.scenario, cell.params);
        let launch = Launch {
            placement: &placement,
            ..options.launch()
        };
        let Alignment {
            aligned,
            not_aligned,
        } = alignment(&launch, &cell.subject);
        RunRecord {
            schema: SCHEMA,
            run: self.folder.run.clone(),
            recorded_at: outcome.began_at,
            build: options.build.clone(),
            host: options.host.clone(),
            placement,
            scenario: cell.params.spec().clone(),
            params: cell.params.settings().clone(),
            implementation: cell.subject.spec.clone(),
            axes: cell.subject.axes.clone(),
            ranked: cell.subject.candidate.meta().ranked,
            program,
            server_command: outcome.server_command,
            generator_command: outcome.generator_command,
            aligned,
            not_aligned,
            seed: load_seed(self.plan.seed, cell.place.group, cell.place.round),
            round: cell.place.round,
            position: cell.place.position,
            replica: cell.planned.replica,
            group: cell.place.group,
            timing: cell.group.timing,
            status: outcome.status,
            measures: outcome.measures,
            artifacts: outcome.artifacts,
            warnings: outcome.warnings,
            quality_fault: self.quality_fault(&cell.planned.implementation),
        }
    }
}

impl<'a> RunOptions<'a> {
    /// Which processors each role gets in this scenario.
    fn placement_of(&self, scenario: &dyn Scenario, params: &Params) -> Placement {
        place_for_load(scenario, params, self.host, &self.placement)
    }

    /// The same for what was recorded.
    fn placement_of_record(&self, record: &RunRecord) -> Placement {
        let named = self.catalogue.scenario(&record.scenario);
        named.map_or_else(
            |_| self.placement.clone(),
            |(scenario, params)| self.placement_of(scenario, &params),
        )
    }

    /// What starting a server or a generator needs of these options.
    fn launch(&self) -> Launch<'_> {
        Launch {
            executable: self.executable,
            host: self.host,
            placement: &self.placement,
            congestion: self.congestion.as_deref(),
            ready_limit: self.ready_limit,
            load_slack: self.load_slack,
            stop: &self.stop,
        }
    }
}

/// Seconds since 1970; 0 where the clock stands before it.
pub fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
