//! What is noted beside a verdict whose pair is not a fair one.

use ringside_contract::Verdict;

use crate::common::{cell, claim, judged};

#[test]
fn a_better_form_of_the_baseline_is_noted() {
    const LARGE: &str = "http/large";
    let copy = claim(
        "f;promise;http/large;;throughput;ratio;http/epoll[body=copy_8k];http/epoll[body=sendfile];ratio;3;4;",
    );
    let mut records = cell(LARGE, "http/epoll[body=copy_8k]", 8, 1000.0);
    records.extend(cell(LARGE, "http/epoll[body=sendfile]", 8, 3500.0));
    let alone = judged(records.clone(), std::slice::from_ref(&copy))
        .judgements
        .remove(0);
    assert!(
        !alone.notes.iter().any(|note| note.contains("of its kind")),
        "{:?}",
        alone.notes
    );
    records.extend(cell(LARGE, "http/epoll[body=copy_256k]", 8, 2500.0));
    records.extend(cell(LARGE, "http/epoll[body=mmap]", 8, 3000.0));
    let judgement = judged(records, &[copy]).judgements.remove(0);
    assert!(
        matches!(judgement.verdict, Verdict::Met { .. }),
        "{judgement:?}"
    );
    assert!(
        judgement.notes.iter().any(|note| note.contains(
            "against http/epoll[body=copy_256k], the best of its kind here, it would be 1.40"
        )),
        "{:?}",
        judgement.notes
    );
}

#[test]
fn what_is_fair_in_the_place_of_what_a_document_names_is_noted() {
    let claims = [
        claim("f;promise;http/small;;throughput;ratio;http/tokio;http/uring;ratio;1.5;3;"),
        claim("g;promise;http/small;;throughput;ratio;http/epoll;http/tokio;ratio;1.5;3;"),
    ];
    let mut records = cell("http/small", "http/tokio", 8, 1000.0);
    records.extend(cell("http/small", "http/uring", 8, 2000.0));
    records.extend(cell("http/small", "http/epoll", 8, 500.0));
    let notes = |records| -> [String; 2] {
        let judged = judged(records, &claims);
        assert_eq!(judged.judgements.len(), 2);
        [0, 1].map(|place| judged.judgements[place].notes.join("; "))
    };
    let alone = notes(records.clone());
    assert!(
        alone.iter().all(|notes| !notes.contains("it would be")),
        "{alone:?}"
    );
    // With an axis set it is not what is named.
    records.extend(cell("http/small", "http/nginx[sendfile=on]", 8, 9000.0));
    assert_eq!(notes(records.clone()), alone);
    records.extend(cell("http/small", "http/nginx", 8, 1600.0));
    let [against, in_place] = notes(records);
    assert!(
        against.contains("against http/nginx (it is no runtime) it would be 1.25×"),
        "{against}"
    );
    assert!(
        in_place.contains(
            "with http/nginx in place of http/tokio (it is no runtime) it would be 3.20×"
        ),
        "{in_place}"
    );
}
