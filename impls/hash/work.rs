//! What all hash functions have in common: how one is found on this processor, and what is done with it.

use std::marker::PhantomData;

use ringside_contract::operations::hash::{HashFunction, HashTask};
use ringside_contract::operations::{InProcess, Prepared, Task, Tested, Workload};
use ringside_contract::{Host, ImplementationMeta, Settings, StartError, Support};

use super::table::Filled;
use super::throughput::Keys;

/// A hash function with its name.
pub(crate) trait NamedHash: HashFunction + Copy + 'static {
    /// Name and technique.
    const META: &'static ImplementationMeta;
    /// Instructions that a processor needs for it, by the names of [`Host::cpu_features`].
    const NEEDS: &'static [&'static str] = &[];
    /// False for a function that this build was made without.
    const IS_BUILT: bool = true;

    /// `None` where it was left out, or an instruction is missing.
    fn find() -> Option<Self>;
}

/// A line of the list.
pub(crate) struct Entry<H>(PhantomData<fn() -> H>);

impl<H> Entry<H> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<H: NamedHash> InProcess for Entry<H> {
    fn meta(&self) -> &'static ImplementationMeta {
        H::META
    }

    fn support(&self, host: &Host, _: &Settings) -> Support {
        if !H::IS_BUILT {
            return Support::No {
                reason: not_built::<H>(),
            };
        }
        let is_there = |need: &&&str| host.cpu_features.iter().any(|feature| feature == **need);
        match H::NEEDS.iter().find(|need| !is_there(need)) {
            None => Support::Yes,
            Some(need) => Support::No {
                reason: format!("the processor has no {need}"),
            },
        }
    }

    fn prepare(&self, _: &Settings, workload: &Workload) -> Result<Box<dyn Prepared>, StartError> {
        let Task::Hash(task) = &workload.task else {
            return Err(workload.task.refused());
        };
        let function = function::<H>()?;
        Ok(match *task {
            HashTask::Keys {
                length,
                mixed,
                chained,
            } => Box::new(Keys::new(function, length, mixed, chained, workload.seed)),
            HashTask::Table { entries, keys } => {
                Box::new(Filled::new(function, entries, keys, workload.seed))
            }
        })
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Hash(Box::new(function::<H>()?)))
    }
}

/// The function.
///
/// # Errors
/// It was not built, or needs what the processor has not.
pub(super) fn function<H: NamedHash>() -> Result<H, StartError> {
    H::find().ok_or_else(|| StartError::Unsupported {
        reason: if H::IS_BUILT {
            format!(
                "{} needs {} of the processor",
                H::META.id,
                H::NEEDS.join(" and ")
            )
        } else {
            not_built::<H>()
        },
    })
}

fn not_built<H: NamedHash>() -> String {
    format!("this build was made without it: {}", H::META.about)
}

/// Holds hashes of the first bytes of a row against those written down when the function was made: with others a key that
/// was stored would not be found again.
#[cfg(test)]
pub(super) fn pinned<H: NamedHash>(hashes: &[(usize, u64)]) {
    let Some(function) = H::find() else {
        eprintln!("skipped: the processor has no {}", H::NEEDS.join(" and "));
        return;
    };
    let row: Vec<u8> = (0..4096_u32)
        .map(|number| (number.wrapping_mul(0x9e37_79b1) >> 24) as u8)
        .collect();
    let found: Vec<_> = hashes
        .iter()
        .map(|&(length, _)| (length, function.hash(&row[..length])))
        .collect();
    assert_eq!(found, hashes, "{found:#x?}");
}
