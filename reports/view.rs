//! The document sorted for reading: scenarios with their cells and ranking, families, the look of each
//! series, names and anchors.

use std::collections::BTreeMap;

use maud::{Markup, html};
use ringside_contract::{
    CellSummary, Claim, ClaimKind, ImplementationSpec, Judgement, Limit, RankedCell, Ranking, Role,
    ScenarioSpec, Verdict, Verdicts,
};

use crate::chart::SERIES_MAX;
use crate::format::quantity;

/// One scenario with all that was measured in it.
pub(crate) struct ScenarioView<'a> {
    pub(crate) spec: &'a ScenarioSpec,
    pub(crate) ranking: Option<&'a Ranking>,
    /// Best first as far as they are ranked, then in the order of the plan, floors last.
    pub(crate) cells: Vec<&'a CellSummary>,
    /// The look of each implementation that the charts show.
    pub(crate) looks: BTreeMap<&'a ImplementationSpec, usize>,
}

impl<'a> ScenarioView<'a> {
    /// The fragment of its heading.
    pub(crate) fn anchor(&self) -> String {
        anchor("s", &self.spec.to_string())
    }
}

/// Every scenario that has cells or a ranking, in the order of the document.
pub(crate) fn scenarios(verdicts: &Verdicts) -> Vec<ScenarioView<'_>> {
    let mut places: BTreeMap<&ScenarioSpec, usize> = BTreeMap::new();
    let mut views: Vec<ScenarioView<'_>> = Vec::new();
    for cell in &verdicts.cells {
        let place = place_of(&mut places, &mut views, &cell.scenario);
        views[place].cells.push(cell);
    }
    for ranking in &verdicts.rankings {
        let place = place_of(&mut places, &mut views, &ranking.scenario);
        views[place].ranking = views[place].ranking.or(Some(ranking));
    }
    let family_looks = family_looks(verdicts);
    for view in &mut views {
        sort_cells(view);
        view.looks = looks(view, &family_looks);
    }
    views
}

fn place_of<'a>(
    places: &mut BTreeMap<&'a ScenarioSpec, usize>,
    views: &mut Vec<ScenarioView<'a>>,
    spec: &'a ScenarioSpec,
) -> usize {
    *places.entry(spec).or_insert_with(|| {
        views.push(ScenarioView {
            spec,
            ranking: None,
            cells: Vec::new(),
            looks: BTreeMap::new(),
        });
        views.len() - 1
    })
}

fn sort_cells(view: &mut ScenarioView<'_>) {
    let ranks: BTreeMap<&ImplementationSpec, usize> = view
        .ranking
        .into_iter()
        .flat_map(|ranking| ranking.cells.iter().enumerate())
        .map(|(rank, cell)| (&cell.implementation, rank))
        .collect();
    view.cells.sort_by_key(|cell| {
        (
            !cell.ranked,
            ranks
                .get(&cell.implementation)
                .copied()
                .unwrap_or(usize::MAX),
        )
    });
}

/// A preferred look for each implementation without axes, in the order in which its family shows them,
/// so that an engine looks the same in every chart as far as the looks reach.
fn family_looks(verdicts: &Verdicts) -> BTreeMap<&ImplementationSpec, usize> {
    let mut looks: BTreeMap<&ImplementationSpec, usize> = BTreeMap::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for cell in verdicts
        .cells
        .iter()
        .filter(|cell| cell.implementation.axes.is_empty())
    {
        looks.entry(&cell.implementation).or_insert_with(|| {
            let count = counts
                .entry(cell.implementation.id.family.as_str())
                .or_default();
            *count += 1;
            (*count - 1) % SERIES_MAX
        });
    }
    looks
}

/// Which implementations the charts of a scenario show, and how they look: engines as they are first,
/// best first, then the floor and changed axes, while looks last.
fn looks<'a>(
    view: &ScenarioView<'a>,
    preferred: &BTreeMap<&'a ImplementationSpec, usize>,
) -> BTreeMap<&'a ImplementationSpec, usize> {
    let mut drawn: Vec<&CellSummary> = view
        .cells
        .iter()
        .copied()
        .filter(|cell| cell.invalid.is_none() && !(cell.curve.is_empty() && cell.sweep.is_empty()))
        .collect();
    drawn.sort_by_key(|cell| (cell.ranked && !cell.implementation.axes.is_empty()) as u8);
    let mut free = [true; SERIES_MAX];
    let mut looks = BTreeMap::new();
    for cell in drawn.into_iter().take(SERIES_MAX) {
        let wanted = preferred
            .get(&cell.implementation)
            .copied()
            .filter(|&look| free[look]);
        let Some(look) = wanted.or_else(|| free.iter().position(|&free| free)) else {
            break;
        };
        free[look] = false;
        looks.insert(&cell.implementation, look);
    }
    looks
}

/// Keys in the order of their first appearance, each with its items.
pub(crate) fn grouped_by<'a, T, K: PartialEq + Copy>(
    items: impl Iterator<Item = &'a T>,
    key: impl Fn(&'a T) -> K,
) -> Vec<(K, Vec<&'a T>)> {
    let mut groups: Vec<(K, Vec<&'a T>)> = Vec::new();
    for item in items {
        let key = key(item);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(item),
            None => groups.push((key, vec![item])),
        }
    }
    groups
}

/// How the claims came out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) met: usize,
    pub(crate) missed: usize,
    pub(crate) undecided: usize,
    pub(crate) disqualified: usize,
    pub(crate) not_here: usize,
    pub(crate) not_run: usize,
}

impl Tally {
    /// Counts the claims of some roles.
    pub(crate) fn of<'a>(
        judgements: impl Iterator<Item = &'a Judgement>,
        counts: impl Fn(Role) -> bool,
    ) -> Self {
        let mut tally = Self::default();
        for judgement in judgements.filter(|judgement| counts(judgement.claim.role)) {
            *match judgement.verdict {
                Verdict::Met { .. } => &mut tally.met,
                Verdict::Missed { .. } => &mut tally.missed,
                Verdict::Undecided { .. } => &mut tally.undecided,
                Verdict::Disqualified { .. } => &mut tally.disqualified,
                Verdict::NotHere { .. } => &mut tally.not_here,
                Verdict::NotRun { .. } => &mut tally.not_run,
            } += 1;
        }
        tally
    }

    /// Claims that the measurements spoke about.
    pub(crate) fn judged(&self) -> usize {
        self.met + self.missed + self.undecided + self.disqualified
    }
}

/// What the documents claim, without the goals of this project.
pub(crate) fn documented(verdicts: &Verdicts) -> impl Iterator<Item = &Judgement> {
    verdicts
        .judgements
        .iter()
        .filter(|judgement| !judgement.claim.is_goal())
}

/// The goals of this project.
pub(crate) fn goals(verdicts: &Verdicts) -> impl Iterator<Item = &Judgement> {
    verdicts
        .judgements
        .iter()
        .filter(|judgement| judgement.claim.is_goal())
}

/// A fragment identifier from a name: letters and digits stay, all else becomes a dash.
pub(crate) fn anchor(prefix: &str, name: &str) -> String {
    let mut text = String::with_capacity(prefix.len() + name.len() + 1);
    text.push_str(prefix);
    text.push('-');
    for character in name.chars() {
        text.push(if character.is_ascii_alphanumeric() {
            character
        } else {
            '-'
        });
    }
    text
}

/// A name with places where a line may break: behind `/`, `[`, `{`, `,`, `=` and `_`.
pub(crate) fn breakable(name: &str) -> Markup {
    html! {
        @for part in name.split_inclusive(['/', '[', '{', ',', '=', '_']) { (part) wbr; }
    }
}

/// A sentence whose commands stand between backticks, as `judge` writes them for a terminal too.
pub(crate) fn with_code(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // An odd number of backticks marks no command.
    if parts.len().is_multiple_of(2) {
        return html! { (text) };
    }
    html! {
        @for (index, part) in parts.into_iter().enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// An implementation's name below a heading that names its family.
pub(crate) fn short(implementation: &ImplementationSpec) -> Markup {
    let text = implementation.to_string();
    breakable(text.split_once('/').map_or(text.as_str(), |(_, name)| name))
}

/// The unit in which a claim's figures are shown: a reduction is a share of what was there before, which
/// reads better in per cent than as a factor.
pub(crate) fn claim_unit(claim: &Claim) -> &str {
    match (claim.kind, claim.unit.as_str()) {
        (ClaimKind::Reduction, "ratio" | "x") => "share",
        (_, "count") => counted_noun(&claim.metric),
        (_, unit) => unit,
    }
}

/// An implementation's own figure. Where it is only a bound, the words say on which side: rates can only
/// be higher, times and costs only lower.
pub(crate) fn own_words(cell: &RankedCell, unit: &str) -> Option<String> {
    let own = quantity(cell.figure?.point, unit);
    Some(match (cell.bound, unit.ends_with("/s")) {
        (false, _) => own,
        (true, true) => format!("at least {own} (not saturated)"),
        (true, false) => format!("at most {own} (not saturated)"),
    })
}

/// What a metric counts.
fn counted_noun(metric: &str) -> &'static str {
    match metric {
        "syscalls_per_op" | "syscalls_per_gib" => "system calls",
        "context_switches_per_op" => "switches",
        "page_faults_per_op" => "page faults",
        "cpu_copies" => "copies",
        _ => "count",
    }
}

/// What limited a cell, in one word.
pub(crate) fn limit_word(limit: Option<Limit>) -> &'static str {
    match limit {
        Some(Limit::Server) => "server",
        Some(Limit::Generator) => "generator",
        Some(Limit::Neither) => "neither",
        None => "unknown",
    }
}

/// A metric's name in words; an unknown one is shown as it is written.
pub(crate) fn metric_words(metric: &str) -> String {
    let known = match metric {
        "latency_mean" => "mean latency",
        "latency_p50" => "P50 latency",
        "latency_p90" => "P90 latency",
        "latency_p95" => "P95 latency",
        "latency_p99" => "P99 latency",
        "latency_p999" => "P99.9 latency",
        "latency_p9999" => "P99.99 latency",
        "latency_max" => "longest latency",
        "cpu_per_op" => "server processor time an operation",
        "generator_cpu_per_op" => "generator processor time an operation",
        "operations_per_cpu_s" => "operations a second of server processor time",
        "cpu_per_gb" => "server processor time a GB",
        "cpu_per_byte" => "server processor time a byte",
        "peak_memory" => "peak resident memory",
        "context_switches_per_op" => "context switches an operation",
        "page_faults_per_op" => "page faults an operation",
        "syscalls_per_op" => "system calls an operation",
        "syscalls_per_gib" => "system calls a GiB",
        "bytes_per_op" => "bytes an operation",
        "late_share" => "late sends",
        other => return other.replace('_', " "),
    };
    known.to_owned()
}

/// The class of a verdict's colours and its sign, so that neither colour nor word stands alone.
pub(crate) fn verdict_look(verdict: &Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Met { .. } => ("met", "✓"),
        Verdict::Missed { .. } => ("missed", "✕"),
        Verdict::Undecided { .. } => ("undecided", "?"),
        Verdict::Disqualified { .. } => ("missed", "⊘"),
        Verdict::NotHere { .. } => ("nothere", "○"),
        Verdict::NotRun { .. } => ("notrun", "·"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_hold_no_character_that_needs_care() {
        assert_eq!(
            anchor("s", "http/small{connections=400}"),
            "s-http-small-connections-400-"
        );
        assert_eq!(anchor("c", "\"><script>"), "c----script-");
    }

    #[test]
    fn names_break_behind_their_separators() {
        let markup = breakable("http/epoll[body=a]").into_string();
        assert_eq!(markup, "http/<wbr>epoll[<wbr>body=<wbr>a]<wbr>");
    }

    #[test]
    fn groups_keep_the_order_of_first_appearance() {
        let groups = grouped_by(["b1", "a1", "b2"].iter(), |text| &text[..1]);
        assert_eq!(groups, [("b", vec![&"b1", &"b2"]), ("a", vec![&"a1"])]);
    }
}
