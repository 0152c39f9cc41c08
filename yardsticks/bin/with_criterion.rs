//! One case of one build, for criterion: `--save-baseline base` with the older build, `--baseline base` with the newer.

use std::path::Path;

use anyhow::Context;
use criterion::Criterion;
use ringside_yardsticks::{Case, Load, PLANT, PROGRAM};

fn main() -> anyhow::Result<()> {
    let variable = |name: &'static str| std::env::var(name).context(name);
    let (case, program) = (Case::of_environment()?, variable(PROGRAM)?);
    let mut load = Load::open(case, Path::new(&program), &variable(PLANT)?, true)?;
    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function(case.name(), |bencher| bencher.iter(|| load.exchange()));
    criterion.final_summary();
    Ok(())
}
