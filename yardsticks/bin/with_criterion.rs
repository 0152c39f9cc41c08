//! One case of one build, for criterion: `--save-baseline base` with the older build, `--baseline base` with the newer.

use std::path::PathBuf;

use criterion::Criterion;
use ringside_yardsticks::{CASE, CASES, Load, PLANT, PROGRAM};

fn main() -> anyhow::Result<()> {
    let variable =
        |name: &str| std::env::var(name).map_err(|error| anyhow::anyhow!("{name}: {error}"));
    let name = variable(CASE)?;
    let case = CASES.into_iter().find(|case| case.name() == name);
    let case = case.ok_or_else(|| anyhow::anyhow!("there is no case {name}"))?;
    let mut load = Load::open(
        case,
        &PathBuf::from(variable(PROGRAM)?),
        &variable(PLANT)?,
        true,
    )?;
    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function(&name, |bencher| bencher.iter(|| load.exchange()));
    criterion.final_summary();
    Ok(())
}
