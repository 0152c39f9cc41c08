//! The published runs as documents: what a real run gives, beside the invented fixtures.

use std::fs;
use std::path::{Path, PathBuf};

use ringside_contract::Verdicts;
use ringside_judge::{
    Families, JudgeInput, ScenarioInfo, judge, read_claims, read_formulas, read_records,
};

/// Every published run of the plan `goals`, judged by its claims and by nothing but them.
pub(crate) fn documents() -> Vec<Verdicts> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("published");
    let runs = fs::read_dir(&folder).unwrap();
    let mut runs: Vec<PathBuf> = runs
        .map(|entry| entry.unwrap().path().join("goals"))
        .filter(|run| run.join("records.jsonl").is_file())
        .collect();
    runs.sort();
    runs.iter().map(|run| judged(run)).collect()
}

fn judged(run: &Path) -> Verdicts {
    let records = read_records(&run.join("records.jsonl")).unwrap();
    let mut claims = Vec::new();
    for (name, text) in [
        ("claims.csv", include_str!("../../../datasets/claims.csv")),
        ("goals.csv", include_str!("../../../datasets/goals.csv")),
    ] {
        claims.extend(read_claims(text, name).unwrap());
    }
    let scenarios: Vec<ScenarioInfo> = [
        ("http/small", "operations_per_cpu_s"),
        ("http/large", "cpu_per_gb"),
        ("echo/small", "operations_per_cpu_s"),
    ]
    .map(|(id, ranked_by)| ScenarioInfo {
        id: id.parse().unwrap(),
        question: "How much does a second of processor time carry?".to_owned(),
        operations: "requests".to_owned(),
        ranked_by: ranked_by.to_owned(),
    })
    .into();
    let mut implementations: Vec<_> = records
        .records
        .iter()
        .map(|record| record.implementation.id.clone())
        .collect();
    implementations.sort();
    implementations.dedup();
    judge(&JudgeInput {
        records: &records,
        plan: None,
        claims: &claims,
        formulas: &read_formulas(
            include_str!("../../../datasets/formulas.toml"),
            "formulas.toml",
        )
        .unwrap(),
        fairer: &[],
        scenarios: &scenarios,
        implementations: &implementations,
        families: &Families::default(),
        repeat: &["cargo bench-all --plan goals".to_owned()],
    })
}
