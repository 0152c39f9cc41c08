//! What failed tests of quality: timed, and not to be chosen.

use ringside_contract::{RunRecord, Verdict};
use ringside_judge::csv_export;

use crate::common::{cell, claim, judged};
use crate::verdicts::{GAIN, RATE, SMALL, check, pair};

const FAULT: &str = "two keys both have 0x7";

fn faulty(mut records: Vec<RunRecord>) -> Vec<RunRecord> {
    for record in &mut records {
        record.quality_fault = Some(FAULT.to_owned());
    }
    records
}

#[test]
fn it_is_disqualified_and_its_figure_stands_beside_that() {
    let records = faulty(cell(SMALL, "http/uring", 8, 5000.0));
    check(RATE, records.clone(), "Disqualified", FAULT);
    let judgement = judged(records, &[claim(RATE)]).judgements.remove(0);
    let measured = judgement.measured.unwrap();
    assert!(
        (measured.low..=measured.high).contains(&5000.0),
        "{measured:?}"
    );
}

#[test]
fn wrong_answers_and_too_few_rounds_leave_no_figure() {
    let mut wrong = faulty(cell(SMALL, "http/uring", 8, 5000.0));
    wrong[0].measures.as_mut().unwrap().corrupt = 1;
    check(RATE, wrong.clone(), "Disqualified", "1 answer was wrong");
    for records in [wrong, faulty(cell(SMALL, "http/uring", 2, 5000.0))] {
        let judgement = judged(records, &[claim(RATE)]).judgements.remove(0);
        assert_eq!(judgement.measured, None, "{:?}", judgement.verdict);
    }
}

#[test]
fn nothing_is_better_than_a_baseline_that_failed() {
    let mut records = pair(2.5, 8);
    let is_baseline = |record: &&mut RunRecord| record.implementation.to_string() == "http/epoll";
    for record in records.iter_mut().filter(is_baseline) {
        record.quality_fault = Some(FAULT.to_owned());
    }
    check(GAIN, records, "Undecided", FAULT);
}

/// As where a run went on with a cell that had passed before.
#[test]
fn one_record_that_says_so_is_enough() {
    let mut records = cell(SMALL, "http/uring", 8, 5000.0);
    records[7].quality_fault = Some(FAULT.to_owned());
    let judgement = judged(records, &[claim(RATE)]).judgements.remove(0);
    assert!(matches!(judgement.verdict, Verdict::Disqualified { .. }));
}

#[test]
fn it_is_in_no_ranking() {
    let mut records = cell(SMALL, "http/epoll", 8, 1000.0);
    records.extend(faulty(cell(SMALL, "http/uring", 8, 5000.0)));
    let verdicts = judged(records, &[]);
    let marks = format!("{:?}", verdicts.rankings[0].cells);
    assert!(marks.contains(FAULT), "{marks}");
    let best = &verdicts.rankings[0].cells[0];
    assert_eq!(best.implementation.to_string(), "http/epoll", "{marks}");
}

#[test]
fn records_from_before_such_tests_have_none_and_tables_show_it() {
    let record = cell(SMALL, "http/uring", 1, 5000.0).remove(0);
    let text = serde_json::to_string(&record).unwrap();
    assert!(!text.contains("quality_fault"));
    let read: RunRecord = serde_json::from_str(&text).unwrap();
    assert_eq!(read.quality_fault, None);
    let table = csv_export(&faulty(vec![read]));
    assert!(table.contains(&format!(",completed,{FAULT},")), "{table}");
}
