//! Idioms: both sides of a pair must give the same, which is what they are asked for.

use ringside_contract::operations::idioms::{IdiomTask, TEXTS, TestedIdiom, text};

use crate::case::{Case, Failure, ensure};
use crate::in_process::asked;

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// Runs a case in this process.
///
/// # Errors
/// What came out and should not have, or that there is no such case.
pub fn run(name: &str, idiom: &dyn TestedIdiom) -> Result<(), Failure> {
    match name {
        "gives_what_it_is_asked_for" => gives_what_it_is_asked_for(idiom),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

const CASES: &[Case] = &[asked!(
    "gives_what_it_is_asked_for",
    "It answers one question, and each of its first 200 steps gives what the question asks for."
)];

const STEPS: u64 = 200;

fn gives_what_it_is_asked_for(idiom: &dyn TestedIdiom) -> Result<(), Failure> {
    let mut answers = 0;
    for task in IdiomTask::SAMPLES {
        if idiom.step(task, 0).is_none() {
            continue;
        }
        answers += 1;
        for number in 0..STEPS {
            let (found, wanted) = (idiom.step(task, number), expected(task, number));
            ensure(found == Some(wanted), || {
                format!("{task:?}: step {number} gives {found:?}, and not {wanted}")
            })?;
        }
    }
    ensure(answers == 1, || {
        format!("it answers {answers} questions, and not one")
    })
}

/// What a step has to give, by the plainest way to work it out.
fn expected(task: IdiomTask, number: u64) -> u64 {
    match task {
        IdiomTask::Pass { bytes } => ends(&text(number % TEXTS, bytes, u32::MAX)),
        IdiomTask::Escape { bytes, every } => {
            let parts: Vec<String> = text(number % TEXTS, bytes, every)
                .chars()
                .map(|letter| match letter {
                    '<' => "&lt;".to_owned(),
                    other => other.to_string(),
                })
                .collect();
            ends(&parts.concat())
        }
        IdiomTask::Fill { items } => {
            let last = u64::from(items).saturating_sub(1).wrapping_mul(number);
            last ^ u64::from(items) << 48
        }
        IdiomTask::Share { bytes, receivers } => {
            let byte = (number % u64::from(bytes)) as u8;
            u64::from(byte) * u64::from(receivers)
        }
        IdiomTask::Sum { items, .. } => {
            let mut sum = 0_u64;
            for item in 0..u64::from(items) {
                let mut word = item ^ number;
                word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                word = (word ^ (word >> 30)).wrapping_mul(0x94d0_49bb_1331_11eb);
                sum = sum.wrapping_add(word ^ (word >> 31));
            }
            sum
        }
    }
}

/// The length and both ends of a text.
fn ends(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let (first, last) = (bytes[0], bytes[bytes.len() - 1]);
    (text.len() as u64) << 16 | u64::from(first) << 8 | u64::from(last)
}
