//! Makes the measures of a block out of what the threads counted and what was read beside them.

use ringside_contract::{Limit, Measures, Side, SweepStep, System};

use crate::latency::Latencies;
use crate::options::DriveOptions;
use crate::segment::{Kind, Segment};
use crate::system::SystemReading;
use crate::tally::Tally;
use crate::watch::{Clocks, Usage, cpu_between, ended_between, side, signed};
use crate::worker::Report;

/// Readings at both ends of one measured window.
#[derive(Debug)]
pub(crate) struct Window {
    /// Number of its segment.
    pub(crate) segment: usize,
    /// Connections open at its end.
    pub(crate) connections: u32,
    /// Operations that ended in it, as far as the threads had told at its end.
    pub(crate) completed: u64,
    /// Whether operations went on to its end.
    pub(crate) pace: Pace,
    /// The server's clocks; absent when it is not watched.
    pub(crate) server_clocks: Option<(Clocks, Clocks)>,
    /// The generator's clocks.
    pub(crate) generator_clocks: (Clocks, Clocks),
    /// The server's memory, switches and faults.
    pub(crate) server_usage: Option<(Usage, Usage)>,
    /// The generator's.
    pub(crate) generator_usage: (Usage, Usage),
    /// The machine.
    pub(crate) system: (SystemReading, SystemReading),
}

/// Whether operations ended, and of large ones bytes came, in both halves of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// To its end.
    Steady,
    /// In the first half only.
    Stopped,
    /// Not at all, or in the first half of a window too short to tell.
    Nothing,
}

impl Window {
    /// Its length in seconds.
    pub(crate) fn duration_s(&self) -> f64 {
        let (start, end) = &self.generator_clocks;
        (end.at_ns.saturating_sub(start.at_ns).max(1)) as f64 / 1e9
    }
}

/// What is known of the opening of the connections.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Connections opened a second.
    pub(crate) per_s: f64,
    /// Connections that could not be opened.
    pub(crate) failed: u64,
}

/// System calls and what was done in the same time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    /// System calls.
    pub(crate) calls: u64,
    /// Operations that ended.
    pub(crate) operations: u64,
    /// Bytes that the generator received.
    pub(crate) received: u64,
}

/// All readings of a block.
#[derive(Debug)]
pub(crate) struct Block {
    /// The measured windows: one, or one for each step of a sweep.
    pub(crate) windows: Vec<Window>,
    /// The opening of the connections.
    pub(crate) opened: Opened,
    /// What was counted in the counting window, of the server and of the generator.
    pub(crate) syscalls: [Option<Counted>; 2],
    /// The server before the first connection.
    pub(crate) before_server: Option<Usage>,
    /// The generator before the first connection.
    pub(crate) before_generator: Usage,
    /// The run queue before the block.
    pub(crate) load_before: f64,
    /// Memory of the kernel before the first connection, and while all were open.
    pub(crate) kernel_memory: [Option<u64>; 2],
    /// True when operations are so large and so few that parts of them count.
    pub(crate) by_bytes: bool,
}

/// An open loop with at most this share of late starts was not limited by its generator, however busy
/// that was: it sleeps until each intended time and wakes for each answer.
const LATE_SHARE_MAX: f64 = 0.01;

/// From so many operations on, those cut by the ends of the counting window do not matter.
const COUNTED_MIN: u64 = 1000;

/// Puts everything together.
pub(crate) fn measures(
    segments: &[Segment],
    options: &DriveOptions,
    block: &Block,
    reports: &[Report],
    mut warnings: Vec<String>,
) -> Measures {
    let tallies = add_up(segments, reports);
    let answer = answer_bytes(reports).filter(|_| block.by_bytes);
    let steps: Vec<_> = block
        .windows
        .iter()
        .map(|window| Step::new(window, &tallies[window.segment], options, block, answer))
        .collect();
    let sweep = segments.iter().any(|segment| segment.stage > 0);
    let mut total = Tally::new(!sweep);
    for window in &block.windows {
        total.add(&tallies[window.segment]);
    }
    let duration_s: f64 = steps.iter().map(|step| step.duration_s).sum();
    let mut server = fold(steps.iter().map(|step| step.server.as_ref()), duration_s);
    let mut generator =
        fold(steps.iter().map(|step| Some(&step.generator)), duration_s).unwrap_or_default();
    if let Some(server) = &mut server {
        server.syscalls_per_op = syscalls_per_op(block.syscalls[0], &total, answer);
    }
    generator.syscalls_per_op = syscalls_per_op(block.syscalls[1], &total, answer);
    warnings.extend(warn(block, &total, options));
    let connect_failures = block.opened.failed + total.connect_failures;
    Measures {
        duration_s,
        operations: total.operations,
        errors: total.errors,
        // Wrong is wrong whenever it was: also in the warm-up and while system calls were counted.
        corrupt: tallies.iter().map(|tally| tally.corrupt).sum(),
        timeouts: total.timeouts,
        late_sends: total.late,
        offered: total.offered,
        unanswered: total.unanswered,
        operations_by_bytes: answer.map(|answer| total.received as f64 / answer),
        throughput_per_s: throughput(&steps, sweep),
        bytes_sent: total.sent,
        bytes_received: total.received,
        connections: block.windows.last().map_or(0, |window| window.connections),
        connect_failures: u32::try_from(connect_failures).unwrap_or(u32::MAX),
        connect_per_s: block.opened.per_s,
        connects: total.connects,
        latency: total.latencies.as_ref().and_then(Latencies::summary),
        limited_by: server
            .as_ref()
            .map(|server| limit(server, &generator, &total)),
        without_io_uring: false,
        stopped: total.in_flight > 0
            && block
                .windows
                .last()
                .is_some_and(|window| window.pace == Pace::Stopped),
        sweep: if sweep {
            sweep_steps(block, segments, &steps, &tallies)
        } else {
            Vec::new()
        },
        threads: None,
        server,
        generator,
        system: system(block, duration_s),
        error_samples: samples(reports),
        warnings,
    }
}

/// Adds the counts of all threads.
fn add_up(segments: &[Segment], reports: &[Report]) -> Vec<Tally> {
    (0..=segments.len())
        .map(|number| {
            let measured = segments
                .get(number)
                .is_some_and(|segment| segment.kind == Kind::Measure);
            let mut sum = Tally::new(measured);
            reports
                .iter()
                .for_each(|report| sum.add(&report.tallies[number]));
            sum
        })
        .collect()
}

/// Bytes of one whole right answer on average, over the whole load; `None` when none ended.
fn answer_bytes(reports: &[Report]) -> Option<f64> {
    let tallies = || reports.iter().flat_map(|report| &report.tallies);
    let bytes: u64 = tallies().map(|tally| tally.answer_bytes).sum();
    let answers: u64 = tallies().map(|tally| tally.answers).sum();
    (bytes > 0 && answers > 0).then(|| bytes as f64 / answers as f64)
}

/// One measured window, computed.
struct Step {
    duration_s: f64,
    /// Operations that ended, with parts of operations where they count.
    operations: f64,
    right_per_s: f64,
    server: Option<Side>,
    generator: Side,
}

impl Step {
    fn new(
        window: &Window,
        tally: &Tally,
        options: &DriveOptions,
        block: &Block,
        answer: Option<f64>,
    ) -> Self {
        let duration_s = window.duration_s();
        let whole = tally.operations as f64;
        let operations = answer.map_or(whole, |answer| tally.received as f64 / answer);
        let right = match answer {
            // When none ended whole, none was wrong.
            Some(_) if tally.operations > 0 => operations * tally.right as f64 / whole,
            Some(_) => operations,
            None => tally.right as f64,
        };
        let server =
            window
                .server_clocks
                .as_ref()
                .zip(window.server_usage)
                .map(|((start, end), usage)| {
                    let before = block.before_server.unwrap_or_default();
                    side(
                        [start, end],
                        [usage.0, usage.1],
                        before,
                        options.server_cores,
                    )
                });
        let (start, end) = &window.generator_clocks;
        let usage = window.generator_usage;
        let cores = options.cpus.len().max(1) as f64;
        let generator = side(
            [start, end],
            [usage.0, usage.1],
            block.before_generator,
            cores,
        );
        Self {
            duration_s,
            operations,
            right_per_s: right / duration_s,
            server,
            generator,
        }
    }
}

/// Right operations a second; of a sweep, those of its best step.
fn throughput(steps: &[Step], sweep: bool) -> f64 {
    let mut rates = steps.iter().map(|step| step.right_per_s);
    if sweep {
        rates.fold(0.0, f64::max)
    } else {
        rates.next_back().unwrap_or(0.0)
    }
}

/// One side over all windows: counts add up, states are those of the last. `None` when it was not
/// watched.
fn fold<'a>(sides: impl Iterator<Item = Option<&'a Side>>, duration_s: f64) -> Option<Side> {
    let mut folded: Option<Side> = None;
    for side in sides {
        let side = side?;
        folded = Some(match folded {
            None => side.clone(),
            Some(sum) => Side {
                cpu_ns: sum.cpu_ns + side.cpu_ns,
                rss_growth_bytes: sum.rss_growth_bytes + side.rss_growth_bytes,
                context_switches_voluntary: sum.context_switches_voluntary
                    + side.context_switches_voluntary,
                context_switches_involuntary: sum.context_switches_involuntary
                    + side.context_switches_involuntary,
                page_faults_minor: sum.page_faults_minor + side.page_faults_minor,
                page_faults_major: sum.page_faults_major + side.page_faults_major,
                ..side.clone()
            },
        });
    }
    folded.map(|sum| Side {
        cores_busy: sum.cpu_ns as f64 / 1e9 / duration_s,
        ..sum
    })
}

/// Where few operations ended, since they are large, parts of operations are told by their bytes.
/// `answer` has the bytes of one where that is known.
fn syscalls_per_op(counted: Option<Counted>, total: &Tally, answer: Option<f64>) -> Option<f64> {
    let Counted {
        calls,
        operations,
        received,
    } = counted?;
    let done = if let Some(answer) = answer {
        received as f64 / answer
    } else if operations >= COUNTED_MIN || total.received == 0 {
        operations as f64
    } else {
        received as f64 * total.operations as f64 / total.received as f64
    };
    (done > 0.0).then(|| calls as f64 / done)
}

fn limit(server: &Side, generator: &Side, total: &Tally) -> Limit {
    let in_time = total.offered > 0 && total.late as f64 <= LATE_SHARE_MAX * total.offered as f64;
    let share = |side: &Side| side.cores_busy / side.cores;
    match Limit::of(share(server), share(generator)) {
        Limit::Generator if in_time => Limit::Neither,
        limit => limit,
    }
}

fn sweep_steps(
    block: &Block,
    segments: &[Segment],
    steps: &[Step],
    tallies: &[Tally],
) -> Vec<SweepStep> {
    let windows = block.windows.iter().zip(steps);
    windows
        .map(|(window, step)| {
            let tally = &tallies[window.segment];
            let server_cpu = step.server.as_ref().map_or(0, |server| server.cpu_ns);
            SweepStep {
                offered_per_s: segments[window.segment].rate_per_s.unwrap_or(0.0),
                achieved_per_s: step.right_per_s,
                late_share: tally.late as f64 / tally.offered.max(1) as f64,
                latency: tally
                    .latencies
                    .as_ref()
                    .and_then(Latencies::summary)
                    .unwrap_or_default(),
                server_cpu_ns_per_op: server_cpu as f64 / step.operations.max(1.0),
                limited_by: step
                    .server
                    .as_ref()
                    .map(|server| limit(server, &step.generator, tally)),
            }
        })
        .collect()
}

fn system(block: &Block, duration_s: f64) -> System {
    let (Some(first), Some(last)) = (block.windows.first(), block.windows.last()) else {
        return System::default();
    };
    let between = |first: &Window, last: &Window| {
        let (start, end) = (
            first.generator_clocks.0.at_ns,
            last.generator_clocks.1.at_ns,
        );
        end.saturating_sub(start) as f64 / 1e9
    };
    let wall_s = between(first, last).max(duration_s);
    let [before, open] = block.kernel_memory;
    System {
        kernel_memory_growth_bytes: before
            .zip(open)
            .map(|(before, open)| signed(open) - signed(before)),
        ..first
            .system
            .0
            .until(&last.system.1, wall_s, block.load_before)
    }
}

fn samples(reports: &[Report]) -> Vec<String> {
    let mut samples: Vec<String> = Vec::new();
    for sample in reports.iter().flat_map(|report| &report.samples) {
        if samples.len() < 10 && !samples.contains(sample) {
            samples.push(sample.clone());
        }
    }
    samples
}

/// What a reader should know that no figure says.
fn warn(block: &Block, total: &Tally, options: &DriveOptions) -> Vec<String> {
    let mut warnings = Vec::new();
    if total.waited * 100 > total.offered && total.offered > 0 {
        warnings.push(format!(
            "{:.1} % of the operations waited more than 1 ms for a place in the window of their \
             connection: the server did not keep up with them (the wait is in their latency)",
            100.0 * total.waited as f64 / total.offered as f64
        ));
    }
    if block
        .windows
        .last()
        .is_some_and(|window| window.pace != Pace::Steady)
        && total.in_flight > 0
    {
        warnings.push(format!(
            "nothing completed in the last half of the window while {} operations were in flight: \
             the server stalls, or the window is too short for one operation",
            total.in_flight
        ));
    }
    let clocks = block
        .windows
        .iter()
        .filter_map(|window| window.server_clocks.as_ref());
    let ended: usize = clocks
        .clone()
        .map(|(start, end)| ended_between(start, end))
        .sum();
    if ended > 0 {
        warnings.push(format!(
            "{ended} processes of the server ended during the window: their time is not counted"
        ));
    }
    let idle =
        clocks.clone().count() > 0 && clocks.map(|(a, b)| cpu_between(a, b)).sum::<u64>() == 0;
    if let Some(process) = options.watch.filter(|_| idle && total.operations > 0) {
        warnings.push(format!(
            "process {process} used no processor time while operations ended: is it the server?"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy(cores_busy: f64) -> Side {
        Side {
            cores_busy,
            cores: 1.0,
            ..Side::default()
        }
    }

    #[test]
    fn the_busier_side_is_the_limit_and_a_full_server_always() {
        let closed = Tally::new(false);
        for (server, generator, expected) in [
            (0.90, 0.90, Limit::Server),
            (0.90, 0.94, Limit::Neither),
            (0.91, 1.00, Limit::Generator),
            (0.98, 1.00, Limit::Server),
            (0.80, 0.96, Limit::Generator),
            (0.80, 0.90, Limit::Neither),
        ] {
            let seen = limit(&busy(server), &busy(generator), &closed);
            assert_eq!(seen, expected, "{server} {generator}");
        }
    }

    #[test]
    fn a_busy_generator_that_starts_in_time_is_no_limit() {
        let open = |late| Tally {
            offered: 1000,
            late,
            ..Tally::new(false)
        };
        assert_eq!(limit(&busy(0.5), &busy(1.0), &open(10)), Limit::Neither);
        assert_eq!(limit(&busy(0.5), &busy(1.0), &open(11)), Limit::Generator);
    }

    #[test]
    fn sides_of_several_windows_add_up_and_an_unwatched_one_is_absent() {
        let step = |cpu_ns, rss_bytes| Side {
            cpu_ns,
            rss_bytes,
            cores: 2.0,
            ..Side::default()
        };
        let sides = [step(500_000_000, 7), step(1_000_000_000, 9)];
        let sum = fold(sides.iter().map(Some), 3.0).unwrap();
        assert_eq!((sum.cpu_ns, sum.rss_bytes), (1_500_000_000, 9));
        assert!((sum.cores_busy - 0.5).abs() < 1e-9);
        assert_eq!(fold([Some(&sides[0]), None].into_iter(), 3.0), None);
    }

    #[test]
    fn calls_are_shared_out_by_operations_or_for_large_ones_by_bytes() {
        let total = Tally {
            operations: 10,
            received: 10_000,
            ..Tally::new(false)
        };
        let per_op = |calls, operations, received, answer| {
            syscalls_per_op(
                Some(Counted {
                    calls,
                    operations,
                    received,
                }),
                &total,
                answer,
            )
        };
        assert_eq!(per_op(4000, 2000, 1, None), Some(2.0));
        assert_eq!(per_op(30, 0, 3000, None), Some(10.0));
        assert_eq!(per_op(30, 9, 3000, Some(1500.0)), Some(15.0));
        assert_eq!(per_op(30, 0, 0, None), None);
        assert_eq!(syscalls_per_op(None, &total, None), None);
    }
}
