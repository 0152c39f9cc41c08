//! Without the processor's floating point, as targets without any compute.

use ringside_contract::ImplementationMeta;

use super::floats::Soft;
use super::work::NamedBuild;

/// `build/soft_float`.
pub(crate) struct SoftFloat;

static META: ImplementationMeta = ImplementationMeta {
    id: "build/soft_float",
    about: "The program of native; its floating point is computed with whole numbers, by the functions that compilers link for targets that have none.",
    axes: &[],
    ranked: true,
};

impl NamedBuild for SoftFloat {
    const META: &'static ImplementationMeta = &META;
    type Float = Soft;

    fn program() -> &'static str {
        "native"
    }
}
