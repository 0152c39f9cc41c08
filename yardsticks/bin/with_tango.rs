//! One case of two builds, for tango-bench: `compare --strip-candidate 'head/**' --strip-baseline 'base/**'`. It runs
//! both at the same time, each in a process, wherever the system lets them run.

use std::path::PathBuf;

use ringside_yardsticks::{Case, Load, PLANT, PROGRAM, PROGRAM_OF_BASE};
use tango_bench::{Benchmark, benchmark_fn, tango_benchmarks};

fn benchmark(name: &str, program: &'static str, planted: Option<&'static str>) -> Benchmark {
    let variable =
        |name: &str| std::env::var(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    benchmark_fn(name, move |bencher| {
        let case = Case::of_environment().unwrap_or_else(|error| panic!("{error:#}"));
        let planted = planted.map_or_else(|| "none:00000000000".to_owned(), variable);
        let load = Load::open(case, &PathBuf::from(variable(program)), &planted, false);
        let mut load = load.unwrap_or_else(|error| panic!("{error:#}"));
        bencher.iter(move || load.exchange())
    })
}

tango_benchmarks!([
    benchmark("base/exchange", PROGRAM_OF_BASE, None),
    benchmark("head/exchange", PROGRAM, Some(PLANT))
]);
