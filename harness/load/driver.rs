//! Carries out a load: checks it, starts the loading threads, leads them through the segments, and
//! reads the resources of both sides at the ends of the measured windows.

use std::num::NonZeroU64;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use ringside_contract::{Arrivals, LoadPlan, Measures, Params, Scenario};
use ringside_metal::{CallCounter, monotonic_ns, own_table};
use rustix::io::Errno;
use rustix::thread::{CpuSet, sched_setaffinity, set_current_timer_slack};

use crate::error::LoadError;
use crate::in_process;
use crate::options::DriveOptions;
use crate::outcome::{Block, Counted, Opened, Pace, Window, measures};
use crate::segment::{Kind, Segment, segments};
use crate::shared::{DRAIN, Shared};
use crate::socket::{check_congestion, connections_per_source};
use crate::system::{SystemReading, kernel_memory, load_before};
use crate::tables::{self, Threads};
use crate::watch::{Clocks, Usage, Watched};
use crate::worker::{Ready, Report, Setup, Worker};

/// A block that waits for enough operations may take this many times its length.
const LENGTH_FACTOR_MAX: u64 = 4;

/// In half of a shorter window than this a busy host may leave out a server that is well.
const STOPPED_MIN_MS: u64 = 200;

/// A step of a sweep that completes less than this part of what was offered is the knee.
const KNEE: f64 = 0.95;

/// Loads the server at `options.targets` as `scenario` says, and gives what was measured.
///
/// The calling thread conducts and sleeps; the load comes from threads of its own. Single operations
/// that fail are counted in the measures.
///
/// # Errors
/// [`LoadError`] when the load could not be carried out at all: settings that make no sense, a target
/// that is not loopback, a server that accepts no connection.
pub fn drive(
    scenario: &dyn Scenario,
    params: &Params,
    options: &DriveOptions,
) -> Result<Measures, LoadError> {
    let mut warnings = Vec::new();
    let mut plan = scenario.load(params)?;
    check(&plan, options)?;
    if let Some(workload) = scenario.workload(params, options.seed) {
        return in_process::drive(&workload, &plan.arrivals, options);
    }
    let Threads { count, own_tables } = tables::fit(&mut plan, options.cpus.len(), &mut warnings)?;
    let segments = segments(&plan.arrivals, &options.timing);
    let setup = Setup {
        scenario,
        params,
        plan: &plan,
        segments: &segments,
        options,
        threads: count,
        per_source: connections_per_source(),
    };
    let shared = Shared::new(count)?;
    let before = Before {
        load: load_before(),
        kernel_memory: kernel_memory(),
        server: options.watch.map(|root| Watched::Tree(root).usage()),
        generator: Watched::Threads(Vec::new()).usage(),
    };
    let (conducted, reports) = thread::scope(|scope| {
        let (ready, readiness) = channel();
        let handles = start_workers(scope, &setup, &shared, &ready, own_tables);
        drop(ready);
        let conducted = conduct(&setup, &shared, &readiness, &before, &mut warnings);
        shared.enter(DRAIN);
        (conducted, join(handles))
    });
    let reports = reports?;
    Ok(measures(
        &segments,
        options,
        &conducted?,
        &reports,
        warnings,
    ))
}

/// Starts the loading threads of one server. With `own_tables` each has a table of descriptors of its own.
pub(crate) fn start_workers<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    setup: &'env Setup<'env>,
    shared: &'env Shared,
    ready: &Sender<Ready>,
    own_tables: bool,
) -> Vec<Handle<'scope>> {
    let start = |number: usize| {
        let ready = ready.clone();
        scope.spawn(move || {
            let cpus = &setup.options.cpus;
            prepare_thread(cpus.get(number % cpus.len().max(1)).copied());
            if own_tables {
                // Before the thread opens anything; what wakes it is open already.
                own_table().map_err(|source| LoadError::Io {
                    step: "get a table of descriptors for a loading thread",
                    source,
                })?;
            }
            Worker::new(setup, shared, number)?.run(&ready)
        })
    };
    (0..setup.threads).map(start).collect()
}

pub(crate) fn check(plan: &LoadPlan, options: &DriveOptions) -> Result<(), LoadError> {
    let settings = |because: &str| {
        Err(LoadError::Settings {
            because: because.to_owned(),
        })
    };
    if options.targets.is_empty() {
        return settings("there is no target; give the server's address");
    }
    if let Some(&target) = options
        .targets
        .iter()
        .find(|target| !target.ip().is_loopback())
        && !options.allow_remote
    {
        return Err(LoadError::Remote { target });
    }
    if plan.connections == 0 || plan.active == 0 || plan.active > plan.connections {
        return settings("1 <= active <= connections does not hold in the scenario's load");
    }
    if options.timing.measure_ms == 0 {
        return settings("the measured window has no length; give --measure 1ms or more");
    }
    if let Arrivals::Sweep { rates_per_s, .. } = &plan.arrivals
        && rates_per_s.is_empty()
    {
        return settings("a sweep needs at least one rate");
    }
    options
        .cpus
        .iter()
        .try_for_each(|&cpu| check_processor(cpu))?;
    options
        .congestion
        .as_deref()
        .map_or(Ok(()), check_congestion)
}

/// A thread that ended up on another processor than its own would disturb the server unseen: tried
/// beforehand, in a thread of its own, since the calling one stays where it is.
fn check_processor(cpu: usize) -> Result<(), LoadError> {
    let pinned = thread::scope(|scope| scope.spawn(|| pin(cpu)).join());
    let Ok(Err(error)) = pinned else {
        return Ok(());
    };
    let online = std::fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    Err(LoadError::Settings {
        because: format!(
            "processor {cpu} cannot be used ({error}); this machine has processors {}",
            online.trim()
        ),
    })
}

pub(crate) fn pin(cpu: usize) -> rustix::io::Result<()> {
    if cpu >= CpuSet::MAX_CPU {
        return Err(Errno::INVAL);
    }
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set)
}

/// Pins the thread, which has been tried before, and lets it wake to the microsecond (the system's
/// default is 50 us late). Where either is refused, the load goes on: late starts and the use of each
/// core are in the measures.
fn prepare_thread(cpu: Option<usize>) {
    let _ = set_current_timer_slack(NonZeroU64::new(1));
    if let Some(cpu) = cpu {
        let _ = pin(cpu);
    }
}

pub(crate) type Handle<'scope> = ScopedJoinHandle<'scope, Result<Report, LoadError>>;

pub(crate) fn join(handles: Vec<Handle<'_>>) -> Result<Vec<Report>, LoadError> {
    let joined: Vec<_> = handles.into_iter().map(ScopedJoinHandle::join).collect();
    joined
        .into_iter()
        .enumerate()
        .map(|(thread, joined)| {
            joined.unwrap_or_else(|panic| Err(panicked(thread, panic.as_ref())))
        })
        .collect()
}

fn panicked(thread: usize, panic: &(dyn std::any::Any + Send)) -> LoadError {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let message = text.or_else(|| panic.downcast_ref::<String>().cloned());
    LoadError::Panicked {
        thread,
        message: message.unwrap_or_default(),
    }
}

/// What was read before the first connection.
struct Before {
    load: f64,
    kernel_memory: Option<u64>,
    server: Option<Usage>,
    generator: Usage,
}

/// Leads the threads through the segments.
fn conduct(
    setup: &Setup<'_>,
    shared: &Shared,
    readiness: &Receiver<Ready>,
    before: &Before,
    warnings: &mut Vec<String>,
) -> Result<Block, LoadError> {
    let ready: Vec<Ready> = readiness.iter().take(setup.threads).collect();
    let opened = opened(setup, &ready, warnings)?;
    let server = setup.options.watch.map(Watched::Tree);
    let generator = Watched::Threads(ready.iter().map(|ready| ready.thread_id).collect());
    let conductor = Conductor {
        setup,
        shared,
        server,
        generator,
    };
    let mut windows = Vec::new();
    let mut syscalls = [None, None];
    for (number, segment) in setup.segments.iter().enumerate() {
        match segment.kind {
            Kind::Warmup => {
                shared.enter(number);
                sleep_ms(segment.length_ms);
            }
            Kind::Measure => {
                let window = conductor.measure(number, segment);
                let knee = window.is_knee(segment);
                windows.push(window);
                if knee {
                    break;
                }
            }
            Kind::Count => syscalls = conductor.count(number, segment, warnings),
            // Servers that take turns have these; `turns` leads them.
            Kind::Turn | Kind::Rest => {}
        }
    }
    Ok(Block {
        windows,
        opened,
        syscalls,
        before_server: before.server,
        before_generator: before.generator,
        load_before: before.load,
        kernel_memory: [before.kernel_memory, kernel_memory()],
        by_bytes: setup.plan.operations_min > 0,
    })
}

/// Adds up what the threads told of their connections.
pub(crate) fn opened(
    setup: &Setup<'_>,
    ready: &[Ready],
    warnings: &mut Vec<String>,
) -> Result<Opened, LoadError> {
    let connections: u32 = ready.iter().map(|ready| ready.opened).sum();
    let failed: u64 = ready.iter().map(|ready| ready.failed).sum();
    let slowest_ns = ready
        .iter()
        .map(|ready| ready.elapsed_ns)
        .max()
        .unwrap_or(0)
        .max(1);
    let samples: Vec<_> = ready
        .iter()
        .flat_map(|ready| ready.samples.clone())
        .collect();
    if connections == 0 {
        let target = setup.options.targets[0];
        return Err(LoadError::Connect {
            target,
            because: samples.join("; "),
        });
    }
    if failed > 0 {
        warnings.push(format!(
            "{failed} of {} connections could not be opened: {}",
            setup.plan.connections,
            samples.join("; ")
        ));
    }
    let per_s = f64::from(connections) * 1e9 / slowest_ns as f64;
    Ok(Opened { per_s, failed })
}

/// Enters segments and reads what happens in them.
struct Conductor<'a> {
    setup: &'a Setup<'a>,
    shared: &'a Shared,
    server: Option<Watched>,
    generator: Watched,
}

impl Conductor<'_> {
    /// Runs one measured window. What is slow to read is read before it begins and after it ended, so
    /// that the clocks of both sides are read within microseconds of each other and of the change of
    /// the segment. Processes that were born in between are looked for behind the end: their clocks are
    /// read a little late, which costs less than a window that waits for the search.
    fn measure(&self, number: usize, segment: &Segment) -> Window {
        let usage = |watched: &Watched| watched.usage();
        let server_start = self.server.as_ref().map(usage);
        let generator_start = self.generator.usage();
        let system_start = SystemReading::now();
        let members = self.members();
        self.shared.enter(number);
        let clocks_start = self.clocks(&members);
        let (completed, pace) = self.wait(number, segment, clocks_start.1.at_ns);
        self.shared.enter(self.next(number));
        let mut clocks_end = self.clocks(&members);
        if let (Some(server), Some(clocks)) = (&self.server, &mut clocks_end.0) {
            server.add_born(clocks, &members.0);
        }
        let connections = self.shared.open();
        let system_end = SystemReading::now();
        Window {
            segment: number,
            connections,
            completed,
            pace,
            server_clocks: clocks_start.0.zip(clocks_end.0),
            generator_clocks: (clocks_start.1, clocks_end.1),
            server_usage: server_start.zip(self.server.as_ref().map(usage)),
            generator_usage: (generator_start, self.generator.usage()),
            system: (system_start, system_end),
        }
    }

    /// The segment that runs while the window's readings are taken: the next one, whose beginning is
    /// not measured by a clock, or none.
    fn next(&self, number: usize) -> usize {
        let next = number + 1;
        if next < self.setup.segments.len() {
            next
        } else {
            DRAIN
        }
    }

    /// Waits for the end of a window, and for the operations that it must have at least. Gives how
    /// many there were, and whether they went on to the end.
    fn wait(&self, number: usize, segment: &Segment, began_ns: u64) -> (u64, Pace) {
        let operations_min = self.setup.plan.operations_min;
        sleep_ms(segment.length_ms / 2);
        let half = self.shared.progress(number);
        sleep_ms(segment.length_ms - segment.length_ms / 2);
        let until = began_ns + LENGTH_FACTOR_MAX * segment.length_ms * 1_000_000;
        while self.shared.progress(number).operations < operations_min && monotonic_ns() < until {
            sleep_ms(1);
        }
        let end = self.shared.progress(number);
        let (seen, before) = if operations_min > 0 {
            (end.received, half.received)
        } else {
            (end.operations, half.operations)
        };
        let tells = before > 0 && segment.length_ms >= STOPPED_MIN_MS;
        let pace = match (seen == before, tells) {
            (false, _) => Pace::Steady,
            (true, true) => Pace::Stopped,
            (true, false) => Pace::Nothing,
        };
        (end.operations, pace)
    }

    fn members(&self) -> (Vec<u32>, Vec<u32>) {
        let server = self
            .server
            .as_ref()
            .map(Watched::members)
            .unwrap_or_default();
        (server, self.generator.members())
    }

    fn clocks(&self, members: &(Vec<u32>, Vec<u32>)) -> (Option<Clocks>, Clocks) {
        let server = self.server.as_ref().map(|server| server.clocks(&members.0));
        (server, self.generator.clocks(&members.1))
    }

    /// Counts the system calls of both sides in a window of their own. An operation costs what they
    /// made of all operations that ended in it.
    fn count(
        &self,
        number: usize,
        segment: &Segment,
        warnings: &mut Vec<String>,
    ) -> [Option<Counted>; 2] {
        self.shared.enter(number);
        let open = |watched: &Watched| CallCounter::system_calls(&watched.threads());
        let counters = match (
            self.server.as_ref().map(open).transpose(),
            open(&self.generator),
        ) {
            (Ok(server), Ok(generator)) => [server, Some(generator)],
            (Err(error), _) | (_, Err(error)) => {
                warnings.push(format!("system calls were not counted: {error}"));
                return [None, None];
            }
        };
        let before = self.shared.progress(number);
        for counter in counters.iter().flatten() {
            if let Err(error) = counter.start() {
                warnings.push(format!("system calls were not counted: {error}"));
                return [None, None];
            }
        }
        sleep_ms(segment.length_ms);
        let after = self.shared.progress(number);
        counters.map(|counter| {
            Some(Counted {
                calls: counter?.stop().ok()?,
                operations: after.operations.saturating_sub(before.operations),
                received: after.received.saturating_sub(before.received),
            })
        })
    }
}

impl Window {
    /// True when this was the last step of a sweep that makes sense.
    fn is_knee(&self, segment: &Segment) -> bool {
        let Some(rate) = segment.rate_per_s else {
            return false;
        };
        (self.completed as f64) < KNEE * rate * self.duration_s()
    }
}

pub(crate) fn sleep_ms(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}
