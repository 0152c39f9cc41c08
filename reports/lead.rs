//! Who leads a scenario, and whether anything may be said to lead: a best one stands only when every
//! other was told apart from it or is level with it.

use ringside_contract::{ImplementationSpec, Mark, RankedCell, Ranking};

/// What a ranking says of its first place.
pub(crate) enum Lead<'a> {
    /// One leads, or shares the place with those that are level with it.
    Clear {
        /// The best.
        first: &'a RankedCell,
        /// Those that are as good: the whole interval says so.
        level: Vec<&'a RankedCell>,
    },
    /// The one with the best figure and those that were not told apart from it, best figure first.
    Open(Vec<&'a RankedCell>),
    /// Too few rounds to compare anything; the reason says how many there were.
    TooFewRounds(&'a str),
    /// Nothing can be used.
    Nothing,
}

impl<'a> Lead<'a> {
    /// Reads the marks of a ranking.
    pub(crate) fn of(ranking: &'a Ranking) -> Self {
        let is_level = |cell: &&RankedCell| matches!(cell.mark, Mark::Level);
        let is_open = |cell: &&RankedCell| matches!(cell.mark, Mark::Undecided { .. });
        let best = ranking
            .cells
            .iter()
            .find(|cell| matches!(cell.mark, Mark::Best));
        let Some(first) = best.or_else(|| ranking.cells.iter().find(is_level)) else {
            return ranking
                .cells
                .iter()
                .find_map(reason_of_undecided)
                .map_or(Self::Nothing, Self::TooFewRounds);
        };
        let others = || {
            ranking
                .cells
                .iter()
                .filter(|cell| !std::ptr::eq(*cell, first))
        };
        if others().any(|cell| is_open(&cell)) {
            let open = others().filter(|cell| is_level(cell) || is_open(cell));
            return Self::Open([first].into_iter().chain(open).collect());
        }
        Self::Clear {
            first,
            level: others().filter(is_level).collect(),
        }
    }

    /// The best one, where there is one.
    pub(crate) fn is_best(&self, implementation: &ImplementationSpec) -> bool {
        matches!(self, Self::Clear { first, .. } if &first.implementation == implementation)
    }
}

fn reason_of_undecided(cell: &RankedCell) -> Option<&str> {
    match &cell.mark {
        Mark::Undecided { because } => Some(because),
        _ => None,
    }
}
