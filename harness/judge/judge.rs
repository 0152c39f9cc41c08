//! The whole: from records, plan and claims to one document of verdicts.

use rayon::prelude::*;
use ringside_contract::{
    Build, Host, Placement, RunRecord, RunSummary, SCHEMA, Settings, Skipped, UringSupport,
    Verdicts,
};

use crate::cells::summaries;
use crate::contradictions::contradictions;
use crate::controls::controls;
use crate::formula_tables::tables;
use crate::index::Index;
use crate::input::JudgeInput;
use crate::ranking::rankings;
use crate::trust::checks;
use crate::verdict::judge_claim;

/// Judges a run. The same input gives the same output, byte for byte once it is written.
pub fn judge(input: &JudgeInput<'_>) -> Verdicts {
    let records = &input.records.records;
    let index = Index::new(records, input.plan);
    let controls = controls(&index, input.scenarios);
    let mut trust = checks(&index, records, &controls);
    trust.extend(
        input
            .records
            .warnings
            .iter()
            .map(|warning| ringside_contract::Check {
                state: ringside_contract::CheckState::Warning,
                sentence: format!("{warning}."),
            }),
    );
    Verdicts {
        schema: SCHEMA,
        run: run_summary(input),
        judgements: input
            .claims
            .par_iter()
            .map(|claim| judge_claim(input, &index, claim))
            .collect(),
        contradictions: contradictions(input.claims),
        rankings: rankings(&index, input.scenarios),
        cells: summaries(&index),
        controls,
        trust,
        skipped: skipped(input, &index),
        formulas: tables(input, &index),
    }
}

fn run_summary(input: &JudgeInput<'_>) -> RunSummary {
    let records = &input.records.records;
    let first = records.first();
    let times = || records.iter().map(|record| record.recorded_at);
    RunSummary {
        run: first.map_or_else(String::new, |record| record.run.clone()),
        plan: input
            .plan
            .map_or_else(String::new, |plan| plan.name.clone()),
        began_at: times().min().unwrap_or(0),
        ended_at: times().max().unwrap_or(0),
        records: u32::try_from(records.len()).unwrap_or(u32::MAX),
        build: first.map_or_else(Build::default, |record| record.build.clone()),
        host: first.map_or_else(unknown_host, |record| record.host.clone()),
        placement: first.map_or_else(Placement::default, |record| record.placement.clone()),
        seed: input
            .plan
            .map(|plan| plan.seed)
            .or(first.map(|record| record.seed))
            .unwrap_or(0),
        aligned: first.map_or_else(Settings::default, aligned),
        repeat: input.repeat.to_vec(),
    }
}

fn aligned(record: &RunRecord) -> Settings {
    Settings(record.aligned.clone())
}

/// The host of a run without records.
fn unknown_host() -> Host {
    let unknown = || "unknown".to_owned();
    Host {
        os: unknown(),
        arch: unknown(),
        kernel: unknown(),
        processor: unknown(),
        cpus: Vec::new(),
        numa_nodes: 0,
        memory_bytes: 0,
        cpu_features: Vec::new(),
        hardware_counters: false,
        open_files_max: 0,
        root: false,
        uring: UringSupport::Refused {
            reason: "no record tells".to_owned(),
        },
        syscall_counting_refused: None,
        sysctls: std::collections::BTreeMap::new(),
        virtualisation: unknown(),
    }
}

/// Cells without a single measured round: skipped, failed, lost, or left out of the plan.
fn skipped(input: &JudgeInput<'_>, index: &Index<'_>) -> Vec<Skipped> {
    let unmeasured = index
        .first_copies()
        .filter(|cell| cell.rounds.is_empty())
        .map(|cell| Skipped {
            cell: cell.name(),
            reason: cell
                .skipped
                .map_or_else(|| cell.invalid().unwrap_or_default(), str::to_owned),
        });
    let mut skipped: Vec<_> = unmeasured.collect();
    let Some(plan) = input.plan else {
        return skipped;
    };
    let seen: std::collections::BTreeSet<_> = index
        .first_copies()
        .map(|cell| (cell.scenario, cell.implementation))
        .collect();
    for group in &plan.groups {
        for cell in group.cells.iter().filter(|cell| cell.replica == 0) {
            if !seen.contains(&(&group.scenario, &cell.implementation)) {
                skipped.push(Skipped {
                    cell: format!("{} {}", group.scenario, cell.implementation),
                    reason: "planned, but the run ended before it; resume the run to measure it"
                        .to_owned(),
                });
            }
        }
    }
    // Claims that were left out have a line of their own among the judgements.
    let is_claim = |what: &str| input.claims.iter().any(|claim| claim.id == what);
    skipped.extend(
        plan.omitted
            .iter()
            .filter(|omitted| !is_claim(&omitted.what))
            .map(|omitted| Skipped {
                cell: omitted.what.clone(),
                reason: omitted.because.clone(),
            }),
    );
    skipped
}
