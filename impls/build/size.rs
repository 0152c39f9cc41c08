//! As small as the compiler can make it.

use ringside_contract::ImplementationMeta;

use super::floats::Hard;
use super::work::NamedBuild;

/// `build/size`.
pub(crate) struct Size;

static META: ImplementationMeta = ImplementationMeta {
    id: "build/size",
    about: "As native, with opt-level = s: small rather than fast.",
    axes: &[],
    ranked: true,
};

impl NamedBuild for Size {
    const META: &'static ImplementationMeta = &META;
    type Float = Hard;
}
