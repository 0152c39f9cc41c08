//! Whether a latency was measured at the load that it was promised for. Latency without its load says
//! nothing: at a tenth of the rate nearly every server keeps nearly every promise.

use ringside_contract::{Claim, ClaimKind, Verdict};

use crate::figure::figure;
use crate::lookup::Found;
use crate::measure::claim_unit_rate;
use crate::metrics::{Metric, MetricClass, metric};

/// An open loop at less than this part of the promised rate is an easier load than the promise.
const RATE_SHARE_MIN: f64 = 0.9;

/// The verdict of a latency, unless the load behind it was another than the claim's.
pub(crate) fn at_its_load(
    claims: &[Claim],
    claim: &Claim,
    metric: &Metric,
    found: &Found<'_, '_>,
    verdict: Verdict,
) -> Verdict {
    // The time of a transfer is no time in a queue: each connection has its own.
    if metric.class != MetricClass::Latency || !metric.name.starts_with("latency") {
        return verdict;
    }
    let named = |key: &str| claim.scenario.params.value(key).is_some();
    match found.candidate.load() {
        "closed" if !named("load") => Verdict::Undecided {
            because:
                "only a closed loop was measured: it keeps the server full, so that its latency is \
                      queueing; an open loop (load=open,rate=N) decides"
                    .to_owned(),
        },
        "open" if !named("rate") => at_promised_rate(claims, claim, found, verdict),
        _ => verdict,
    }
}

/// A latency that is kept at less than the rate promised beside it is not kept yet; one that is missed
/// there is missed.
fn at_promised_rate(
    claims: &[Claim],
    claim: &Claim,
    found: &Found<'_, '_>,
    verdict: Verdict,
) -> Verdict {
    let params = &found.candidate.sample.params;
    let offered = params
        .value("rate")
        .and_then(|rate| rate.parse::<f64>().ok());
    let (Some((sibling, promised)), Some(offered)) = (promised_rate(claims, claim), offered) else {
        return verdict;
    };
    if !matches!(verdict, Verdict::Met { .. }) || offered >= RATE_SHARE_MIN * promised {
        return verdict;
    }
    Verdict::Undecided {
        because: format!(
            "it was kept at {}/s, but {sibling} promises {}/s of the same server: an easier load",
            figure(offered),
            figure(promised)
        ),
    }
}

/// The highest rate that the same document promises of the same server in the same scenario, in
/// operations a second, and the claim that promises it.
fn promised_rate<'a>(claims: &'a [Claim], claim: &Claim) -> Option<(&'a str, f64)> {
    let siblings = claims.iter().filter(|other| {
        other.kind == ClaimKind::AtLeast
            && metric(&other.metric).is_some_and(|metric| metric.name == "throughput")
            && (&other.seed, &other.scenario.id, &other.candidate)
                == (&claim.seed, &claim.scenario.id, &claim.candidate)
    });
    let rates = siblings.filter_map(|other| Some((other.id.as_str(), claim_unit_rate(other)?)));
    rates.max_by(|left, right| left.1.total_cmp(&right.1))
}
