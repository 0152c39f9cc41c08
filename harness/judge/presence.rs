//! Why a claim cannot be judged before any figure is looked at: what it names is not built, the host
//! is too small, or nothing was recorded.

use ringside_contract::{Claim, Id, Purpose};

use crate::input::JudgeInput;
use crate::metrics::{Metric, metric};
use crate::needs::{Here, cores_needed, in_words, unmet};
use crate::rules::compares;

/// Why nothing of the claim's families can be run, if so.
pub(crate) fn not_built(input: &JudgeInput<'_>, claim: &Claim) -> Option<String> {
    let ids = [
        Some(&claim.scenario.id),
        Some(&claim.candidate.id),
        claim.baseline.as_ref().map(|b| &b.id),
    ];
    let family = ids
        .into_iter()
        .flatten()
        .map(|id| &id.family)
        .find(|family| !input.families.built.contains(family))?;
    Some(if input.families.roadmap.contains(family) {
        format!("not built yet: the family {family}")
    } else {
        format!(
            "not built yet: the family {family}, which is not on the list of families to come either"
        )
    })
}

/// The claim's metric, when all that the claim names exists.
pub(crate) fn known(input: &JudgeInput<'_>, claim: &Claim) -> Result<&'static Metric, String> {
    if !input
        .scenarios
        .iter()
        .any(|scenario| scenario.id == claim.scenario.id)
    {
        return Err(format!("not built yet: the scenario {}", claim.scenario.id));
    }
    let exists = |id: &&Id| input.implementations.contains(id);
    let named = [
        Some(&claim.candidate.id),
        claim.baseline.as_ref().map(|baseline| &baseline.id),
    ];
    if let Some(id) = named.into_iter().flatten().find(|id| !exists(id)) {
        return Err(format!("not built yet: the implementation {id}"));
    }
    metric(&claim.metric)
        .ok_or_else(|| format!("not built yet: the metric {} is not measured", claim.metric))
}

/// The needs that are not fulfilled here. An absolute figure without a number of cores has that of
/// the same document's other figures for the same scenario: they were measured on one host.
pub(crate) fn missing_needs<'c>(
    claims: &'c [Claim],
    claim: &'c Claim,
    here: &Here<'_>,
) -> Vec<&'c str> {
    let mut missing = unmet(&claim.needs, here);
    if compares(claim.kind) || cores_needed(&claim.needs).is_some() {
        return missing;
    }
    let sibling = claims
        .iter()
        .filter(|other| {
            other.seed == claim.seed && other.scenario == claim.scenario && !compares(other.kind)
        })
        .filter_map(|other| Some((cores_needed(&other.needs)?, &other.needs)))
        .min_by_key(|(cores, _)| *cores);
    if let Some((_, needs)) = sibling {
        missing.extend(
            unmet(needs, here)
                .into_iter()
                .filter(|need| need.starts_with("cores>=")),
        );
    }
    missing
}

pub(crate) fn needs_sentence(missing: &[&str], here: &Here<'_>) -> String {
    let words: Vec<String> = missing.iter().map(|need| in_words(need)).collect();
    let mut needs = words.join(" and ");
    if missing.iter().any(|need| need.starts_with("cores>=")) {
        let cores = here.server_cores;
        let plural = if cores == 1 { "" } else { "s" };
        needs += &format!("; this run gave the server {cores} core{plural} (--cores)");
    }
    needs
}

/// Why there is no record of `implementation`.
pub(crate) fn absence(input: &JudgeInput<'_>, claim: &Claim, implementation: &str) -> String {
    let cell = format!("{} {implementation}", claim.scenario);
    let Some(plan) = input.plan else {
        return format!("no record of {cell}");
    };
    if let Some(omitted) = plan
        .omitted
        .iter()
        .find(|omitted| omitted.what == claim.id || omitted.what == cell)
    {
        return omitted.because.clone();
    }
    let planned = plan
        .groups
        .iter()
        .flat_map(|group| &group.cells)
        .any(|cell| {
            cell.purposes
                .iter()
                .any(|purpose| matches!(purpose, Purpose::Claim { id } if *id == claim.id))
        });
    if planned {
        format!("planned, but the run ended before {cell} was measured; resume it")
    } else {
        format!("not in this plan ({}): {cell}", plan.name)
    }
}
