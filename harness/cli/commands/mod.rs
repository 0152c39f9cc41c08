//! The commands, a file each.

#[cfg(measures)]
pub(crate) mod bench_all;
#[cfg(measures)]
pub(crate) mod compare;
pub(crate) mod completions;
#[cfg(measures)]
pub(crate) mod count;
#[cfg(measures)]
pub(crate) mod doctor;
#[cfg(measures)]
pub(crate) mod gate;
#[cfg(measures)]
pub(crate) mod identity;
pub(crate) mod judge;
pub(crate) mod list;
#[cfg(measures)]
pub(crate) mod load;
#[cfg(measures)]
pub(crate) mod plan;
#[cfg(measures)]
pub(crate) mod profile;
pub(crate) mod report;
#[cfg(measures)]
pub(crate) mod run;
#[cfg(measures)]
pub(crate) mod serve;
#[cfg(measures)]
pub(crate) mod side_by_side;
#[cfg(measures)]
pub(crate) mod turns;
#[cfg(measures)]
pub(crate) mod verify;
