//! In which functions most of a profile lies, and in which it changed most.

use std::collections::BTreeMap;

use ringside_contract::{FunctionChange, ProfileFigure};

use crate::folded::Folded;

/// The functions that were innermost in most of the profile, as shares, the largest first.
pub fn shares(folded: &Folded, most: usize) -> Vec<ProfileFigure> {
    let mut all: Vec<(String, f64)> = innermost(folded).into_iter().collect();
    all.sort_by(|one, other| other.1.total_cmp(&one.1));
    let figure = |(name, value)| ProfileFigure {
        name,
        value,
        unit: "share".to_owned(),
    };
    all.into_iter().take(most).map(figure).collect()
}

/// The functions whose share of all changed most, the largest change first.
pub fn changes(before: &Folded, after: &Folded, most: usize) -> Vec<FunctionChange> {
    let mut all: BTreeMap<String, [f64; 2]> = BTreeMap::new();
    for (side, folded) in [before, after].into_iter().enumerate() {
        for (function, share) in innermost(folded) {
            all.entry(function).or_default()[side] = share;
        }
    }
    let change = |(function, [before, after]): (String, [f64; 2])| FunctionChange {
        function,
        before,
        after,
    };
    let mut all: Vec<FunctionChange> = all.into_iter().map(change).collect();
    let size = |change: &FunctionChange| (change.after - change.before).abs();
    all.sort_by(|one, other| size(other).total_cmp(&size(one)));
    all.truncate(most);
    all
}

fn innermost(folded: &Folded) -> BTreeMap<String, f64> {
    let total = folded.total().max(1) as f64;
    let mut all = BTreeMap::new();
    for (mut frames, weight) in folded.stacks() {
        let function = frames.next_back().unwrap_or_default().to_owned();
        *all.entry(function).or_default() += weight as f64 / total;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> Folded {
        text.parse().unwrap()
    }

    #[test]
    fn a_function_has_what_it_spends_itself() {
        let shares = shares(&folded("t;main;hot 6\nt;main 1\nt;other;hot 2\nt;a 1\n"), 2);
        let named: Vec<_> = shares.iter().map(|one| (&*one.name, one.value)).collect();
        assert_eq!(named, [("hot", 0.8), ("a", 0.1)]);
    }

    #[test]
    fn the_largest_change_comes_first_whatever_its_sign() {
        let changes = changes(
            &folded("t;a 5\nt;b 5\n"),
            &folded("t;a 50\nt;c 10\nt;b 40\n"),
            9,
        );
        let named: Vec<&str> = changes.iter().map(|one| &*one.function).collect();
        assert_eq!(named, ["c", "b", "a"]);
        assert_eq!((changes[0].before, changes[0].after), (0.0, 0.1));
    }
}
