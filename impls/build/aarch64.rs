//! For 64-bit processors of Arm.

use ringside_contract::ImplementationMeta;

use super::floats::Hard;
use super::work::NamedBuild;

/// `build/aarch64`.
pub(crate) struct Aarch64;

static META: ImplementationMeta = ImplementationMeta {
    id: "build/aarch64",
    about: "For 64-bit processors of Arm, by emulation where the processor is another one.",
    axes: &[],
    ranked: true,
};

impl NamedBuild for Aarch64 {
    const META: &'static ImplementationMeta = &META;
    type Float = Hard;

    fn arch() -> Option<&'static str> {
        Some("aarch64")
    }
}
