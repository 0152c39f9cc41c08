//! With the standard library in a file of its own.

use ringside_contract::ImplementationMeta;

use super::floats::Hard;
use super::work::NamedBuild;

/// `build/dynamic`.
pub(crate) struct Dynamic;

static META: ImplementationMeta = ImplementationMeta {
    id: "build/dynamic",
    about: "As native, with -C prefer-dynamic: Rust's standard library stays in a file of its own, which is not counted.",
    axes: &[],
    ranked: true,
};

impl NamedBuild for Dynamic {
    const META: &'static ImplementationMeta = &META;
    type Float = Hard;
}
