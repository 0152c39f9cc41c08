//! For processors with AVX2, BMI2 and FMA, which are those since about 2013.

use ringside_contract::ImplementationMeta;

use super::floats::Hard;
use super::work::NamedBuild;

/// `build/x86_64_v3`.
pub(crate) struct X8664V3;

static META: ImplementationMeta = ImplementationMeta {
    id: "build/x86_64_v3",
    about: "-C target-cpu=x86-64-v3: processors with AVX2, BMI2 and FMA.",
    axes: &[],
    ranked: true,
};

impl NamedBuild for X8664V3 {
    const META: &'static ImplementationMeta = &META;
    type Float = Hard;

    fn arch() -> Option<&'static str> {
        Some("x86_64")
    }
}
