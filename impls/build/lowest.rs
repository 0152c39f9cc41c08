//! For any processor of its kind, as distributions build.

use ringside_contract::ImplementationMeta;

use super::floats::Hard;
use super::work::NamedBuild;

/// `build/lowest`.
pub(crate) struct Lowest;

static META: ImplementationMeta = ImplementationMeta {
    id: "build/lowest",
    about: "No flags: the oldest processor of its kind will do, x86-64 of 2003. What this project's releases are.",
    axes: &[],
    ranked: true,
};

impl NamedBuild for Lowest {
    const META: &'static ImplementationMeta = &META;
    type Float = Hard;
}
