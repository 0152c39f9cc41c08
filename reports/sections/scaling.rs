//! What more threads bring: operations that were measured with several numbers of threads, beside each other.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};
use ringside_contract::{
    CellSummary, ImplementationSpec, Interval, ScenarioSpec, Settings, Verdicts,
};

use crate::format::{counted, figure, times};
use crate::view::{breakable, short};

/// The section; nothing where no scenario has cells of two numbers of threads.
pub(crate) fn scaling(verdicts: &Verdicts) -> Option<Markup> {
    let groups = groups(verdicts);
    let cores = verdicts.run.host.cpus.len();
    (!groups.is_empty()).then(|| {
        html! {
            section #scaling aria-labelledby="scaling-h" {
                h2 #scaling-h { "What more threads bring" }
                p.hint {
                    "Operations a second of all threads together, and how many times that is what the fewest threads did. "
                    "This machine has " (counted(cores, "core", "cores")) ": more threads than that take turns, so that they are no point of a speed-up. "
                    "What more cores would bring is not worked out from so few."
                }
                @for group in &groups { (table(group, cores)) }
            }
        }
    })
}

/// A scenario, whatever its number of threads.
struct Group<'a> {
    scenario: ScenarioSpec,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    implementation: &'a ImplementationSpec,
    /// Operations a second by number of threads.
    rates: BTreeMap<u32, &'a Interval>,
}

impl Group<'_> {
    fn counts(&self) -> BTreeSet<u32> {
        let rows = self.rows.iter();
        rows.flat_map(|row| row.rates.keys().copied()).collect()
    }
}

/// Those that have cells of two numbers of threads and more, in the order of the document.
fn groups(verdicts: &Verdicts) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for cell in verdicts.cells.iter().filter(|cell| is_point(cell)) {
        let Some((scenario, threads)) = without_threads(cell) else {
            continue;
        };
        let rate = &cell.metrics[RATE].interval;
        let place = groups.iter().position(|group| group.scenario == scenario);
        let place = place.unwrap_or_else(|| {
            let rows = Vec::new();
            groups.push(Group { scenario, rows });
            groups.len() - 1
        });
        let rows = &mut groups[place].rows;
        let known = rows
            .iter()
            .position(|row| *row.implementation == cell.implementation);
        let known = known.unwrap_or_else(|| {
            rows.push(Row {
                implementation: &cell.implementation,
                rates: BTreeMap::new(),
            });
            rows.len() - 1
        });
        rows[known].rates.insert(threads, rate);
    }
    groups.retain(|group| group.counts().len() > 1);
    groups
}

/// The capacity of a closed loop that was measured soundly.
fn is_point(cell: &CellSummary) -> bool {
    let is_sound = cell.invalid.is_none() && cell.disturbed.is_none();
    cell.load == "closed" && is_sound && cell.metrics.contains_key(RATE)
}

/// The scenario without its number of threads, and that number.
fn without_threads(cell: &CellSummary) -> Option<(ScenarioSpec, u32)> {
    let threads = cell.params.value(THREADS)?.parse().ok()?;
    let mut params = Settings::default();
    let others = cell
        .scenario
        .params
        .iter()
        .filter(|(name, _)| *name != THREADS);
    others.for_each(|(name, value)| params.set(name, value));
    let id = cell.scenario.id.clone();
    Some((ScenarioSpec { id, params }, threads))
}

fn table(group: &Group<'_>, cores: usize) -> Markup {
    let counts = group.counts();
    let name = group.scenario.to_string();
    html! {
        article.card {
            h3 { (breakable(&name)) }
            div.scroll tabindex="0" role="region" aria-label={ "Threads in " (name) } { table.full {
                thead { tr {
                    th scope="col" { "implementation" }
                    @for &count in &counts { th scope="col" { (head(count, cores)) } }
                } }
                tbody { @for row in &group.rows { tr {
                    th scope="row" { (short(row.implementation)) }
                    @for &count in &counts { td { (point(row, count, cores)) } }
                } } }
            } }
        }
    }
}

fn head(count: u32, cores: usize) -> Markup {
    let words = counted(count as usize, "thread", "threads");
    html! {
        (words)
        @if count as usize > cores { " (oversubscribed)" }
    }
}

/// A rate, and how many times it is that of the fewest threads.
fn point(row: &Row<'_>, count: u32, cores: usize) -> Markup {
    let Some(rate) = row.rates.get(&count) else {
        return html! { "–" };
    };
    let fewest = row.rates.first_key_value();
    let fewest = fewest.filter(|(fewest, base)| **fewest < count && base.low > 0.0);
    let speed_up = fewest
        .filter(|_| count as usize <= cores)
        .map(|(_, base)| times(&ratio(rate, base)));
    html! {
        (figure(rate, "op/s").point)
        @if let Some((times, range)) = speed_up { small { (times) " (" (range) ")" } }
    }
}

/// From the lowest to the highest that both intervals allow.
fn ratio(rate: &Interval, base: &Interval) -> Interval {
    Interval {
        low: rate.low / base.high,
        point: rate.point / base.point,
        high: rate.high / base.low,
        confidence: rate.confidence.min(base.confidence),
        samples: rate.samples.min(base.samples),
    }
}

const RATE: &str = "throughput";
const THREADS: &str = "threads";
