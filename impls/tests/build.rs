//! The conformance cases of builds, over the loops as these tests were built, and over some that are wrong.

use std::collections::HashSet;

use ringside_conform::build::{cases, run};
use ringside_contract::Settings;
use ringside_contract::operations::build::{BuildTask, Part, TestedBuild};
use ringside_contract::operations::{Task, Tested, Workload};

#[test]
fn the_loops_pass_every_case_as_these_tests_were_built() {
    for operation in ringside_operations::builds() {
        let id = operation.meta().id;
        let Tested::Build(build) = operation.tested(&Settings::default()).unwrap() else {
            panic!("{id} is no build");
        };
        for case in cases() {
            assert_eq!(
                run(case.name, build.as_ref()),
                Ok(()),
                "{id}: {}",
                case.name
            );
        }
    }
}

/// One loop gives something else than elsewhere, or cannot be run.
struct Wrong<'a> {
    right: &'a dyn TestedBuild,
    part: Part,
    sum: Result<u64, String>,
}

impl TestedBuild for Wrong<'_> {
    fn sum(&self, part: Part) -> Result<u64, String> {
        if part == self.part {
            return self.sum.clone();
        }
        self.right.sum(part)
    }
}

#[test]
fn a_loop_that_computes_something_else_fails_the_case() {
    let native = ringside_operations::builds()[0];
    let Tested::Build(right) = native.tested(&Settings::default()).unwrap() else {
        panic!("it is no build");
    };
    for part in Part::LOOPS {
        for sum in [Ok(1), Err("it was not read".to_owned())] {
            let right = right.as_ref();
            let wrong = Wrong { right, part, sum };
            assert!(run("computes_as_others_do", &wrong).is_err(), "{part:?}");
        }
    }
}

#[test]
fn each_has_a_program_and_figures_of_its_own_and_runs_every_loop() {
    let mut names = HashSet::new();
    for operation in ringside_operations::builds() {
        let program = operation.program().unwrap();
        let shares = operation.meta().id == "build/soft_float";
        assert!(shares || names.insert(program.name), "{}", program.name);
        for part in Part::LOOPS.into_iter().chain([Part::All]) {
            let workload = Workload {
                threads: 1,
                batch: 1,
                seed: 3,
                task: Task::Build(BuildTask { part }),
            };
            let prepared = operation.prepare(&Settings::default(), &workload).unwrap();
            assert_ne!(prepared.work(0).run(0, 100), 0, "{part:?}");
            assert_eq!(prepared.check(), Ok(()));
            let figures = prepared.figures();
            let named = figures.iter().map(|(name, _)| name.as_str());
            let expected = ["atomic_latency", "float_latency", "binary_size"];
            assert_eq!(named.collect::<Vec<_>>(), expected);
            assert!(
                figures.iter().all(|(_, figure)| *figure > 0.0),
                "{figures:?}"
            );
        }
    }
}
