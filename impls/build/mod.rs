//! The same loops, built in several ways: the list. Each is a program of its own, which `just build-matrix` makes with the
//! flags that stand there; what is compared is the compiler's output, not code.

mod aarch64;
mod armv6;
mod dynamic;
mod floats;
mod loops;
mod lowest;
mod native;
mod overflow_checks;
mod size;
mod soft_float;
mod r#static;
mod work;
mod x86_64_v3;

use ringside_contract::operations::InProcess;

use self::work::Entry;

/// Every implementation of the family, in the order of the report.
pub(crate) fn all() -> &'static [&'static dyn InProcess] {
    &[
        &Entry::<native::Native>::NEW,
        &Entry::<lowest::Lowest>::NEW,
        &Entry::<x86_64_v3::X8664V3>::NEW,
        &Entry::<overflow_checks::OverflowChecks>::NEW,
        &Entry::<size::Size>::NEW,
        &Entry::<r#static::Static>::NEW,
        &Entry::<dynamic::Dynamic>::NEW,
        &Entry::<soft_float::SoftFloat>::NEW,
        &Entry::<aarch64::Aarch64>::NEW,
        &Entry::<armv6::Armv6>::NEW,
    ]
}
