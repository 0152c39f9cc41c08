//! The conformance cases of maps, over every map, and over some that are wrong.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

mod linearizable;
mod wrong;

use ringside_contract::Settings;
use ringside_contract::operations::Tested;
use ringside_contract::operations::map::TestedMap;

use self::wrong::{Fault, Wrong};

/// Has each map tried, new for each name.
fn with_every_map(
    names: &[&str],
    mut attempt: impl FnMut(&str, &dyn TestedMap) -> Result<(), String>,
) {
    let all = ringside_operations::all();
    let maps = all.iter().filter(|one| one.meta().id.starts_with("map/"));
    let mut count = 0;
    for operation in maps {
        count += 1;
        for name in names {
            let Tested::Map(map) = operation.tested(&Settings::default()).unwrap() else {
                panic!("{} is no map", operation.meta().id);
            };
            let outcome = attempt(name, map.as_ref());
            assert_eq!(outcome, Ok(()), "{}: {name}", operation.meta().id);
        }
    }
    assert!(count > 0);
}

#[test]
fn every_map_passes_every_case() {
    let names = ringside_conform::map::cases().iter().map(|case| case.name);
    with_every_map(&names.collect::<Vec<_>>(), |name, map| {
        ringside_conform::map::run(name, map).map_err(|failure| failure.to_string())
    });
}

/// The cases that fail.
fn failing(fault: Fault) -> Vec<&'static str> {
    let fails = |name: &str| ringside_conform::map::run(name, &Wrong::new(fault)).is_err();
    let names = ringside_conform::map::cases().iter().map(|case| case.name);
    names.filter(|name| fails(name)).collect()
}

#[test]
fn a_map_that_is_wrong_fails_the_case_that_asks_for_it() {
    assert_eq!(failing(Fault::None), Vec::<&str>::new());
    for (fault, case) in [
        (Fault::InsertsInTwoSteps, "gives_each_value_back_once"),
        (Fault::RemovesInTwoSteps, "gives_a_removed_value_to_one"),
        (Fault::Forgets, "keeps_entries_while_it_grows"),
        (Fault::MixesUp, "never_goes_back"),
        (Fault::HidesWhileItGrows, "finds_entries_while_it_grows"),
        (Fault::RemovesInTwoSteps, "counts_each_change_once"),
        (Fault::Forgets, "loses_no_change_of_many_threads"),
    ] {
        let failed = failing(fault);
        assert!(failed.contains(&case), "{case} passed; {failed:?} failed");
    }
}
