//! For the first Raspberry Pi.

use ringside_contract::ImplementationMeta;

use super::floats::Hard;
use super::work::NamedBuild;

/// `build/armv6`.
pub(crate) struct Armv6;

static META: ImplementationMeta = ImplementationMeta {
    id: "build/armv6",
    about: "For processors of Arm like that of the first Raspberry Pi, by emulation where the processor is another one.",
    axes: &[],
    ranked: true,
};

impl NamedBuild for Armv6 {
    const META: &'static ImplementationMeta = &META;
    type Float = Hard;

    fn arch() -> Option<&'static str> {
        Some("arm")
    }
}
