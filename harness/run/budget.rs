//! How long a plan takes, and what goes first when there is less time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ringside_contract::{Arrivals, Host, LoadPlan, Omitted, PlannedCell, Purpose, Support};

use crate::catalogue::Catalogue;
use crate::plan::Draft;

/// Starting and ending the two processes of a block; measured at 0.12 to 0.15 s on two busy cores, over
/// runs of 88 and 140 blocks.
const PROCESSES: Duration = Duration::from_millis(180);
/// Opening and closing one connection on both sides: about 50 us together.
const CONNECTION: Duration = Duration::from_micros(50);
/// What a server on one core sends of a file: 0.6 to 2.3 GB a second were seen.
const TRANSFER_BYTES_PER_S: f64 = 1e9;
/// How far a window is stretched at most.
const STRETCH_MAX: u64 = 4;
/// The document root is written once, at about 1 GB a second.
const FIXTURE_BYTES_PER_S: f64 = 1e9;

/// How long the drafts take; cells that this host does not support take nothing.
pub(crate) fn estimate(drafts: &[Draft], catalogue: &Catalogue, host: &Host) -> Duration {
    let blocks: Duration = drafts
        .iter()
        .map(|draft| draft_time(draft, catalogue, host))
        .sum();
    blocks + fixtures_time(drafts, catalogue)
}

/// Brings the plan below `limit`: first fewer rounds, down to `rounds_min`, then fewer cells, those of
/// the lowest priority first.
pub(crate) fn fit(
    drafts: &mut Vec<Draft>,
    rounds_min: u32,
    limit: Duration,
    catalogue: &Catalogue,
    host: &Host,
    omitted: &mut Vec<Omitted>,
) {
    while estimate(drafts, catalogue, host) > limit {
        let most = drafts.iter().map(|draft| draft.rounds).max().unwrap_or(0);
        if most <= rounds_min {
            break;
        }
        for draft in drafts.iter_mut().filter(|draft| draft.rounds == most) {
            draft.rounds = most - 1;
        }
    }
    while estimate(drafts, catalogue, host) > limit {
        let Some((group, index)) = least_needed(drafts) else {
            break;
        };
        let because = format!("the budget of {} s was too short for it", limit.as_secs());
        let claims = give_up(&mut drafts[group], index, &because, omitted);
        drafts.retain(|draft| !draft.cells.is_empty());
        for id in claims {
            let purpose = Purpose::Claim { id: id.clone() };
            let mut cells = drafts.iter().flat_map(|draft| &draft.cells);
            if !cells.any(|cell| cell.purposes.contains(&purpose)) {
                let because = because.clone();
                omitted.push(Omitted { what: id, because });
            }
        }
    }
}

/// Takes a cell out of its group, and with it what is there only to be compared with it: its copy, and
/// the other cells of its claims. Gives the claims that this group no longer decides.
fn give_up(
    draft: &mut Draft,
    index: usize,
    because: &str,
    omitted: &mut Vec<Omitted>,
) -> BTreeSet<String> {
    let mut claims = BTreeSet::new();
    let mut leaving = vec![draft.cells.remove(index)];
    while let Some(cell) = leaving.pop() {
        for purpose in &cell.purposes {
            if let Purpose::Claim { id } = purpose {
                claims.insert(id.clone());
                let others = draft.cells.iter_mut().chain(&mut leaving);
                others.for_each(|other| other.purposes.retain(|one| one != purpose));
            }
        }
        let alone = |other: &PlannedCell| {
            let is_copy = other.replica > 0 && other.implementation == cell.implementation;
            is_copy || other.purposes.is_empty()
        };
        let (gone, kept) = draft.cells.drain(..).partition(alone);
        draft.cells = kept;
        leaving.extend::<Vec<_>>(gone);
        if cell.replica == 0 {
            omitted.push(Omitted {
                what: format!("{} {}", draft.scenario, cell.implementation),
                because: because.to_owned(),
            });
        }
    }
    claims
}

/// The cell to give up next: of the last group of the lowest priority, the last of the least use.
fn least_needed(drafts: &[Draft]) -> Option<(usize, usize)> {
    let cells = drafts.iter().enumerate().flat_map(|(group, draft)| {
        draft
            .cells
            .iter()
            .enumerate()
            .map(move |(index, cell)| (use_rank(cell), draft.priority, group, index))
    });
    cells.max().map(|(_, _, group, index)| (group, index))
}

/// 0 is kept longest: what a claim compares.
fn use_rank(cell: &PlannedCell) -> u8 {
    let rank = |purpose: &Purpose| match purpose {
        Purpose::Claim { .. } => 0,
        Purpose::Ranking | Purpose::Floor | Purpose::Peer => 1,
        Purpose::SelfControl => 2,
        Purpose::Axis { .. } => 3,
    };
    cell.purposes.iter().map(rank).min().unwrap_or(3)
}

fn draft_time(draft: &Draft, catalogue: &Catalogue, host: &Host) -> Duration {
    let supported = |cell: &&PlannedCell| {
        catalogue
            .subject(&cell.implementation)
            .is_ok_and(|subject| subject.candidate.support(host, &subject.axes) == Support::Yes)
    };
    let cells = u32::try_from(draft.cells.iter().filter(supported).count()).unwrap_or(u32::MAX);
    block_time(draft, catalogue) * cells.saturating_mul(draft.rounds)
}

fn block_time(draft: &Draft, catalogue: &Catalogue) -> Duration {
    let named = catalogue.scenario(&draft.scenario).ok();
    let load = named
        .as_ref()
        .and_then(|(scenario, params)| scenario.load(params).ok());
    let timing = &draft.timing;
    let least = load.as_ref().map_or(0.0, |load| {
        let lengths = named
            .iter()
            .flat_map(|(scenario, params)| scenario.fixtures(params));
        let length: u64 = lengths.map(|fixture| fixture.length).max().unwrap_or(0);
        length as f64 * load.operations_min as f64 / TRANSFER_BYTES_PER_S * 1000.0
    });
    // The window goes on until enough operations ended, four times its length at most.
    let measured = (timing.measure_ms * steps(load.as_ref()))
        .max((least as u64).min(timing.measure_ms * STRETCH_MAX));
    let windows = Duration::from_millis(timing.warmup_ms + measured + timing.count_ms);
    let connections = load.map_or(0, |load| load.connections);
    PROCESSES + windows + CONNECTION * connections
}

/// Measured windows of a block: one, or one for each step of a sweep.
pub(crate) fn steps(load: Option<&LoadPlan>) -> u64 {
    match load.map(|load| &load.arrivals) {
        Some(Arrivals::Sweep { rates_per_s, .. }) => rates_per_s.len().max(1) as u64,
        _ => 1,
    }
}

fn fixtures_time(drafts: &[Draft], catalogue: &Catalogue) -> Duration {
    let mut files = BTreeMap::new();
    for draft in drafts {
        if let Ok((scenario, params)) = catalogue.scenario(&draft.scenario) {
            for fixture in scenario.fixtures(&params) {
                files.insert(
                    (draft.scenario.id.clone(), fixture.path, fixture.length),
                    fixture.length,
                );
            }
        }
    }
    Duration::from_secs_f64(files.values().sum::<u64>() as f64 / FIXTURE_BYTES_PER_S)
}
