//! With a check behind every sum and product of whole numbers.

use ringside_contract::ImplementationMeta;

use super::floats::Hard;
use super::work::NamedBuild;

/// `build/overflow_checks`.
pub(crate) struct OverflowChecks;

static META: ImplementationMeta = ImplementationMeta {
    id: "build/overflow_checks",
    about: "As native, with overflow-checks = true: each sum, difference and product of whole numbers is checked.",
    axes: &[],
    ranked: true,
};

impl NamedBuild for OverflowChecks {
    const META: &'static ImplementationMeta = &META;
    type Float = Hard;
}
