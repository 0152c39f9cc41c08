//! The top of the page: what was found, in sentences and in counts.

use maud::{Markup, html};
use ringside_contract::{
    CheckState, Host, ImplementationSpec, Interval, Mark, RankedCell, Ranking, Role, SelfControl,
    Verdicts,
};

use crate::format::{THIN, counted, date, grouped, percent, span, times};
use crate::lead::Lead;
use crate::view::{Tally, anchor, breakable, documented, goals, grouped_by, metric_words};
use crate::words::Wording;

/// Comparisons that the top of the page gives of each family.
const FINDINGS_A_FAMILY: usize = 2;

/// Title, summary, strip of counts.
pub(crate) fn headline(verdicts: &Verdicts) -> Markup {
    let run = &verdicts.run;
    html! {
        header {
            div.top {
                h1 { "Documented claims, measured" }
                (theme_switch())
            }
            p.meta {
                span { "run " code { (run.run) } }
                span { "plan " code { (run.plan) } }
                span { (date(run.began_at)) ", " (span(run.ended_at.saturating_sub(run.began_at))) }
                span { "commit " code { (run.build.commit) } }
                span { (counted(run.records as usize, "record", "records")) }
                span { (machine(&run.host)) }
            }
            p.lead { @for sentence in lead_sentences(verdicts) { (sentence) " " } }
            (findings_list(&findings(verdicts)))
            (strip(verdicts))
        }
    }
}

/// The theme is a matter of style sheets alone (`:has(:checked)`), so that it works without scripts.
pub(crate) fn theme_switch() -> Markup {
    html! {
        fieldset.theme {
            legend.sr { "Colours of the page" }
            @for (id, word, checked) in [("auto", "Auto", true), ("light", "Light", false), ("dark", "Dark", false)] {
                label { input type="radio" name="theme" id={ "theme-" (id) } checked[checked]; span { (word) } }
            }
        }
    }
}

fn strip(verdicts: &Verdicts) -> Markup {
    let promises = Tally::of(documented(verdicts), |role| role == Role::Promise);
    let limits = Tally::of(documented(verdicts), |role| role == Role::Limit);
    html! {
        section.strip aria-label="Verdicts in numbers" {
            (tile("met", promises.met, "promises met", "the whole interval is on the promised side"))
            (tile("missed", promises.missed, "promises missed", "the whole interval is on the other side"))
            (tile("undecided", promises.undecided, "undecided", "measured, the interval does not decide"))
            (tile("nothere", promises.not_here, "not here", "this machine cannot decide them"))
            (tile("notrun", promises.not_run, "not run", "not in this plan, or not built yet"))
        }
        section.strip.minor aria-label="Trust, limits and goals in numbers" {
            (trust_tile(verdicts))
            @if promises.disqualified > 0 {
                (tile("missed", promises.disqualified, "disqualified", "wrong answers or failed quality tests: speed does not count"))
            }
            @if limits.judged() > 0 {
                (tile("plain", limits.met, &format!("of {} limits hold", limits.judged()), "what documents say others cannot do"))
            }
            (goals_tile(verdicts))
        }
    }
}

/// Whether to trust the run, before anything is read: how wide the interval of two equal things is, and
/// how many checks warn.
fn trust_tile(verdicts: &Verdicts) -> Markup {
    let widest = verdicts
        .controls
        .iter()
        .map(SelfControl::width)
        .filter(|width| width.is_finite())
        .reduce(f64::max);
    let warnings = verdicts
        .trust
        .iter()
        .filter(|check| check.state == CheckState::Warning)
        .count();
    let class = if warnings > 0 || widest.is_none() {
        "undecided"
    } else {
        "met"
    };
    html! {
        a.tile.(class) href="#trust" {
            p.count { b { (grouped(warnings as u64)) } " " (if warnings == 1 { "warning" } else { "warnings" }) }
            p.about {
                @match widest {
                    Some(width) => { "two equal things: interval of their ratio up to " (percent(width)) " wide" }
                    None => { "how far two equal things seem apart is not known here" }
                }
            }
        }
    }
}

fn goals_tile(verdicts: &Verdicts) -> Markup {
    let tally = Tally::of(goals(verdicts), |_| true);
    let class = match (tally.missed + tally.disqualified, tally.undecided) {
        (0, 0) => "met",
        (0, _) => "undecided",
        _ => "missed",
    };
    html! {
        @if tally.judged() > 0 {
            a.tile.(class) href="#goals" {
                p.count { b { (grouped(tally.met as u64)) } " of " (tally.judged()) " own goals met" }
                p.about { (tally_words(&tally)) "; counted with no promise" }
            }
        }
    }
}

/// One count; a count of 0 has no colour, so that colours say where to look.
fn tile(class: &str, count: usize, what: &str, about: &str) -> Markup {
    let class = if count == 0 { "plain" } else { class };
    html! {
        div.tile.(class) {
            p.count { b { (grouped(count as u64)) } " " (what) }
            p.about { (about) }
        }
    }
}

/// What was found, one sentence each: the best implementations beside their rivals, the promises, the
/// goals, the machine.
pub(crate) fn summary_sentences(verdicts: &Verdicts) -> Vec<String> {
    let mut sentences: Vec<String> = findings(verdicts).iter().map(Finding::sentence).collect();
    sentences.extend(lead_sentences(verdicts));
    sentences.push(format!("Measured on {}.", machine(&verdicts.run.host)));
    sentences
}

/// At most three short sentences: the promises, the goals, and where nothing is told apart.
fn lead_sentences(verdicts: &Verdicts) -> Vec<String> {
    let promises = Tally::of(documented(verdicts), |role| role == Role::Promise);
    let judged = promises.judged();
    let mut sentences = vec![if judged == 0 {
        "No documented promise was measured in this run.".to_owned()
    } else {
        let total = counted(judged, "documented promise", "documented promises");
        format!("Of {total} measured here, {}.", tally_words(&promises))
    }];
    let own = Tally::of(goals(verdicts), |_| true);
    if own.judged() > 0 {
        sentences.push(format!(
            "Of this project's own goals, {}.",
            tally_words(&own)
        ));
    }
    sentences.extend(undecided_sentence(verdicts));
    sentences
}

/// The processor, and the machine in short.
fn machine(host: &Host) -> String {
    let processor = host.processor.trim();
    let separator = if processor.is_empty() { "" } else { ", " };
    format!("{processor}{separator}{}", machine_words(host))
}

/// How the judged ones came out, without what did not come up: `8 are met, 3 are undecided`.
fn tally_words(tally: &Tally) -> String {
    let parts: Vec<String> = [
        (tally.met, "met"),
        (tally.missed, "missed"),
        (tally.undecided, "undecided"),
        (tally.disqualified, "disqualified"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{} {word}", are(count)))
    .collect();
    parts.join(", ")
}

fn are(count: usize) -> String {
    format!(
        "{}{THIN}{}",
        grouped(count as u64),
        if count == 1 { "is" } else { "are" }
    )
}

/// In how many scenarios nobody leads; `None` where somebody leads in each.
fn undecided_sentence(verdicts: &Verdicts) -> Option<String> {
    let leads: Vec<Lead<'_>> = verdicts.rankings.iter().map(Lead::of).collect();
    let count = |wanted: fn(&Lead<'_>) -> bool| leads.iter().filter(|lead| wanted(lead)).count();
    let clear = count(|lead| matches!(lead, Lead::Clear { .. }));
    let open = count(|lead| matches!(lead, Lead::Open(_)));
    let too_few = count(|lead| matches!(lead, Lead::TooFewRounds(_)));
    match (clear + open, open, too_few) {
        (0, _, 0) => Some("No implementation could be ranked.".to_owned()),
        (0, ..) => Some(
            "This run has too few rounds to decide anything: its figures show that everything works, not what \
             is faster."
                .to_owned(),
        ),
        (_, 0, _) => None,
        _ => Some(format!(
            "In {open} of {} scenarios no implementation was told apart as the best.",
            leads.len()
        )),
    }
}

/// The leader of a scenario beside what a reader would compare it with.
struct Finding<'a> {
    ranking: &'a Ranking,
    /// The scenario in words.
    words: String,
    /// How often the rival's figure the leader's is, or the other way where less is better; 1 or more.
    ratio: Interval,
    leader: String,
    rival: String,
}

impl Finding<'_> {
    /// Whether the leader's figure is the greater one.
    fn is_more(&self) -> bool {
        self.ranking.unit.ends_with("/s")
    }

    fn sentence(&self) -> String {
        let (subject, verb, object) = if self.is_more() {
            (&self.leader, "gives", &self.rival)
        } else {
            (&self.rival, "takes", &self.leader)
        };
        let (point, range) = times(&self.ratio);
        let separator = if self.words.is_empty() { "" } else { ", " };
        format!(
            "{}{separator}{}: {subject} {verb} {point} ({range}) what {object} {verb}, by {}.",
            self.ranking.scenario.id,
            self.words,
            metric_words(&self.ranking.metric)
        )
    }
}

/// What was told apart most clearly, a few of each family.
fn findings(verdicts: &Verdicts) -> Vec<Finding<'_>> {
    let wording = Wording::of(verdicts);
    let families = grouped_by(verdicts.rankings.iter(), |ranking| {
        ranking.scenario.id.family.as_str()
    });
    families
        .into_iter()
        .flat_map(|(_, rankings)| strongest(verdicts, &wording, rankings))
        .collect()
}

fn strongest<'a>(
    verdicts: &Verdicts,
    wording: &Wording<'_>,
    rankings: Vec<&'a Ranking>,
) -> Vec<Finding<'a>> {
    let found = rankings
        .into_iter()
        .filter_map(|ranking| finding(verdicts, wording, ranking));
    let mut found: Vec<Finding<'a>> = found.collect();
    // Stable: equal ones stay in the order of the plan.
    found.sort_by(|left, right| right.ratio.low.total_cmp(&left.ratio.low));
    found.truncate(FINDINGS_A_FAMILY);
    found
}

/// The leader beside an outside program, or else beside the next one that is behind. `None` where nobody
/// leads or nobody was told apart.
fn finding<'a>(
    verdicts: &Verdicts,
    wording: &Wording<'_>,
    ranking: &'a Ranking,
) -> Option<Finding<'a>> {
    let Lead::Clear { first, .. } = Lead::of(ranking) else {
        return None;
    };
    let behind = || {
        ranking
            .cells
            .iter()
            .filter(|cell| matches!(cell.mark, Mark::Behind))
    };
    let is_program = |cell: &&RankedCell| {
        verdicts.cells.iter().any(|known| {
            known.program.is_some()
                && known.scenario == ranking.scenario
                && known.implementation == cell.implementation
        })
    };
    let rival = behind().find(is_program).or_else(|| behind().next())?;
    let good = rival.relative.filter(|ratio| ratio.low > 0.0)?;
    Some(Finding {
        ranking,
        words: wording.words(&ranking.scenario),
        ratio: Interval {
            low: 1.0 / good.high,
            point: 1.0 / good.point,
            high: 1.0 / good.low,
            ..good
        },
        leader: name_in_family(&first.implementation),
        rival: name_in_family(&rival.implementation),
    })
}

/// The findings as a list: the factor, who is better than whom by it, and what it is a factor of.
fn findings_list(findings: &[Finding<'_>]) -> Markup {
    html! {
        @if !findings.is_empty() {
            ul.findings aria-label="Told apart most clearly" { @for finding in findings {
                @let (point, range) = times(&finding.ratio);
                @let scenario = finding.ranking.scenario.to_string();
                li {
                    span.factor { b { (point) } small { (range) } }
                    span {
                        b { (breakable(&finding.leader)) } " against " (breakable(&finding.rival))
                        small {
                            (if finding.is_more() { "more " } else { "less " })
                            (metric_words(&finding.ranking.metric)) " in "
                            a href={ "#" (anchor("s", &scenario)) } { (breakable(&finding.ranking.scenario.id.to_string())) }
                            @if !finding.words.is_empty() { ": " (finding.words) }
                        }
                    }
                }
            } }
        }
    }
}

/// The name with its axes, without the family, which the scenario names.
fn name_in_family(implementation: &ImplementationSpec) -> String {
    let name = implementation.to_string();
    match name.split_once('/') {
        Some((_, name)) => name.to_owned(),
        None => name,
    }
}

/// `2 cores, virtual (kvm), 24 GiB, Linux 6.18`.
pub(crate) fn machine_words(host: &Host) -> String {
    let cores = counted(host.cpus.len(), "core", "cores");
    let memory = crate::format::bound((host.memory_bytes as f64 / 1_073_741_824.0).round(), "GiB");
    let kernel: Vec<&str> = host.kernel.splitn(3, '.').take(2).collect();
    let virtualisation = host.virtualisation.as_str();
    let parts = [
        cores,
        virtualisation.to_owned(),
        memory,
        format!("{} {}", host.os, kernel.join(".")),
    ];
    parts
        .into_iter()
        .filter(|part| !part.trim().is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}
