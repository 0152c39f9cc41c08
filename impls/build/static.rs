//! With everything in one file, the C library too.

use ringside_contract::ImplementationMeta;

use super::floats::Hard;
use super::work::NamedBuild;

/// `build/static`.
pub(crate) struct Static;

static META: ImplementationMeta = ImplementationMeta {
    id: "build/static",
    about: "As native, with -C target-feature=+crt-static: the C library is in the file.",
    axes: &[],
    ranked: true,
};

impl NamedBuild for Static {
    const META: &'static ImplementationMeta = &META;
    type Float = Hard;
}
