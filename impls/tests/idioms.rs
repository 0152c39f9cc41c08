//! The conformance cases of idioms, over every implementation, and over some that are wrong.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use ringside_conform::idioms::{cases, run};
use ringside_contract::Settings;
use ringside_contract::operations::idioms::{IdiomTask, TestedIdiom};
use ringside_contract::operations::{InProcess, Tested};

fn idioms() -> Vec<&'static dyn InProcess> {
    let is_idiom = |one: &&'static dyn InProcess| one.meta().id.starts_with("idioms/");
    ringside_operations::all()
        .into_iter()
        .filter(is_idiom)
        .collect()
}

fn tested(operation: &dyn InProcess) -> Box<dyn TestedIdiom> {
    let Tested::Idiom(idiom) = operation.tested(&Settings::default()).unwrap() else {
        panic!("{} is no idiom", operation.meta().id);
    };
    idiom
}

#[test]
fn every_implementation_passes_every_case_and_answers_what_it_says() {
    for operation in idioms() {
        let (id, idiom) = (operation.meta().id, tested(operation));
        for case in cases() {
            assert_eq!(
                run(case.name, idiom.as_ref()),
                Ok(()),
                "{id}: {}",
                case.name
            );
        }
        for task in IdiomTask::SAMPLES {
            let cannot = operation.cannot().contains(&task.question());
            assert_eq!(idiom.step(task, 0).is_none(), cannot, "{id}: {task:?}");
        }
    }
}

#[test]
fn every_question_has_two_answers() {
    for task in IdiomTask::SAMPLES {
        let answers = idioms();
        let answers = answers
            .iter()
            .filter(|one| !one.cannot().contains(&task.question()));
        assert_eq!(answers.count(), 2, "{task:?}");
    }
}

/// One step of one question gives something else.
struct Wrong<'a> {
    right: &'a dyn TestedIdiom,
    number: u64,
}

impl TestedIdiom for Wrong<'_> {
    fn step(&self, task: IdiomTask, number: u64) -> Option<u64> {
        let right = self.right.step(task, number)?;
        Some(right + u64::from(number == self.number))
    }
}

/// It answers nothing, or everything.
struct Answers(bool);

impl TestedIdiom for Answers {
    fn step(&self, _: IdiomTask, _: u64) -> Option<u64> {
        self.0.then_some(0)
    }
}

#[test]
fn an_idiom_that_gives_something_else_fails_the_case() {
    const CASE: &str = "gives_what_it_is_asked_for";
    for operation in idioms() {
        let right = tested(operation);
        for number in [0, 199] {
            let right = right.as_ref();
            let wrong = Wrong { right, number };
            assert!(run(CASE, &wrong).is_err(), "{}", operation.meta().id);
        }
    }
    for answers in [false, true] {
        assert!(run(CASE, &Answers(answers)).is_err());
    }
}
