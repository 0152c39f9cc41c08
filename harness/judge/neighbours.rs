//! Work of others on the processors of a block. A server whose core is full of somebody else's work is
//! slow and not busy, which no clock of its own shows: the core's does.

use ringside_contract::{Measures, Placement, RunRecord, Side};

use crate::figure::percent;
use crate::index::Cell;
use crate::metrics::{Metric, MetricClass};

/// More of a core than this, in the median block, and the figures are not the cell's own. The kernel
/// counts a core's time in ticks (4 ms at 250 Hz), so a single block of a half-idle core is up to 0.26
/// off; the medians of 12 blocks on a quiet machine were at most 0.13 off, those of full cores 0.07.
const FOREIGN_MAX: f64 = 0.25;

/// Threads of a worker that had to wait for a core for more than this part of the time, in the median block, were kept
/// from working: which of them waited for whom would turn a ranking round. That they wait for each other is their own doing.
const TAKEN_MAX: f64 = 0.05;

/// Why the work of others leaves the cell without a figure of this metric. Memory, bytes and calls an
/// operation are what they are on a busy core too.
pub(crate) fn disturbed(cell: &Cell<'_>, metric: &Metric) -> Option<String> {
    if metric.class == MetricClass::Other {
        return None;
    }
    if let Some(share) = taken(cell).filter(|&share| share > TAKEN_MAX) {
        return Some(format!(
            "others had the threads' cores for {} of the time in the median block: measure again on a quiet machine",
            percent(share)
        ));
    }
    let (role, share) = foreign_work(cell)?;
    Some(format!(
        "other programs used {} of the {role}'s core in the median block: measure again on a quiet machine",
        percent(share)
    ))
}

/// The part of the time in which threads of a worker waited for a core in the median block, and in which the hypervisor
/// had the machine's. `None` for services, and for more threads than cores, which have to wait for each other.
fn taken(cell: &Cell<'_>) -> Option<f64> {
    let mut shares: Vec<f64> = cell
        .rounds
        .values()
        .filter_map(|(_, measures)| taken_in_block(measures))
        .collect();
    shares.sort_by(f64::total_cmp);
    shares.get(shares.len() / 2).copied()
}

fn taken_in_block(measures: &Measures) -> Option<f64> {
    let threads = measures.threads.as_ref()?;
    let cores = measures.server.as_ref().map(|server| server.cores);
    if cores.is_some_and(|cores| f64::from(threads.threads) > cores) {
        return None;
    }
    Some(threads.taken_share.unwrap_or(0.0) + measures.system.steal_share)
}

/// What others used of the cores of one role in the median block, with the role's name, when that is
/// more than a measurement bears. `None` also where the two roles share a core or the kernel told nothing.
fn foreign_work(cell: &Cell<'_>) -> Option<(&'static str, f64)> {
    let roles: [(&'static str, Role); 2] = [
        ("server", |measures, placement| {
            foreign(measures, measures.server.as_ref()?, &placement.server_cpus)
        }),
        ("generator", |measures, placement| {
            foreign(measures, &measures.generator, &placement.generator_cpus)
        }),
    ];
    roles.into_iter().find_map(|(name, role)| {
        let mut shares: Vec<f64> = cell
            .rounds
            .values()
            .filter_map(|(record, measures)| share(record, measures, role))
            .collect();
        shares.sort_by(f64::total_cmp);
        let median = *shares.get(shares.len() / 2)?;
        (median > FOREIGN_MAX).then_some((name, median))
    })
}

type Role = fn(&Measures, &Placement) -> Option<f64>;

fn share(record: &RunRecord, measures: &Measures, role: Role) -> Option<f64> {
    // What the kernel does for a disk is done for the threads that wait for it, and no clock says so. How long others had
    // these threads' cores is told by themselves.
    let waits_for_disk = record.scenario.id.family == "log" && taken_in_block(measures).is_some();
    if waits_for_disk || record.placement.shared || !measures.sweep.is_empty() {
        return None;
    }
    role(measures, &record.placement)
}

/// Share of one core that others used on `cpus`.
fn foreign(measures: &Measures, side: &Side, cpus: &[usize]) -> Option<f64> {
    let busy: Option<f64> = cpus
        .iter()
        .map(|&cpu| measures.system.cpu_busy.get(cpu))
        .sum::<Option<f64>>();
    (!cpus.is_empty()).then(|| busy.map(|busy| busy - side.cores_busy))?
}
