//! For the very processor that builds it.

use ringside_contract::ImplementationMeta;

use super::floats::Hard;
use super::work::NamedBuild;

/// `build/native`.
pub(crate) struct Native;

static META: ImplementationMeta = ImplementationMeta {
    id: "build/native",
    about: "-C target-cpu=native: every instruction of this machine's processor.",
    axes: &[],
    ranked: true,
};

impl NamedBuild for Native {
    const META: &'static ImplementationMeta = &META;
    type Float = Hard;
}
