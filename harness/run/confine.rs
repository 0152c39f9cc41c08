//! What a scenario keeps from a server: memory and processor time, by a control group of its own, and
//! io_uring, by a filter on system calls that ours set on themselves.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use ringside_contract::{Confinement, Host, UringSupport};

use crate::catalogue::Candidate;

/// Where control groups are mounted: one hierarchy (version 2), or one for each controller.
const ROOT: &str = "/sys/fs/cgroup";

/// Microseconds over which the share of a core is counted. The kernel's usual 100 ms would let a server of a
/// tenth of a core stand still for 90 ms at a time.
const PERIOD_US: u64 = 10_000;

/// Why the candidate cannot be confined so here, in words for the report.
pub(crate) fn refusal(confinement: &Confinement, candidate: &Candidate<'_>) -> Option<String> {
    let grouped = confinement.memory_bytes.is_some() || confinement.core_share.is_some();
    if confinement.refuse_io_uring && matches!(candidate, Candidate::Program(_)) {
        return Some(
            "the scenario keeps io_uring from servers, and this one is started as it is".to_owned(),
        );
    }
    if !grouped {
        return None;
    }
    Group::create(confinement).err().map(|error| {
        format!(
            "the scenario limits memory and processor time by a control group, which cannot be made here: \
             {error}; run as root, or where {ROOT} can be written"
        )
    })
}

/// The host as a server under this confinement sees it.
pub(crate) fn host(confinement: &Confinement, host: &Host) -> Host {
    let mut host = host.clone();
    if confinement.refuse_io_uring {
        host.uring = UringSupport::Refused {
            reason: "the scenario keeps io_uring from the server".to_owned(),
        };
    }
    host
}

/// A control group, removed when it goes out of scope: by then its processes must have ended.
#[derive(Debug)]
pub(crate) struct Group {
    /// Its folder, or one in each hierarchy.
    folders: Vec<PathBuf>,
}

impl Group {
    /// A group with the limits of the confinement; without any, when there are none.
    pub(crate) fn create(confinement: &Confinement) -> io::Result<Self> {
        static NUMBERS: AtomicU32 = AtomicU32::new(0);
        // Relaxed: numbers need only differ.
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("ringside-{}-{number}", std::process::id());
        let mut group = Self {
            folders: Vec::new(),
        };
        let limits = limits(confinement, Path::new(ROOT));
        for limit in &limits {
            let folder = limit.hierarchy.join(&name);
            if !group.folders.contains(&folder) {
                fs::create_dir(&folder).map_err(|error| named("create", &folder, &error))?;
                group.folders.push(folder.clone());
            }
            let file = folder.join(limit.file);
            fs::write(&file, &limit.value).map_err(|error| named("write", &file, &error))?;
        }
        Ok(group)
    }

    /// Puts a process with all its threads into it.
    pub(crate) fn take(&self, process: u32) -> io::Result<()> {
        self.folders.iter().try_for_each(|folder| {
            let file = folder.join("cgroup.procs");
            fs::write(&file, process.to_string()).map_err(|error| named("write", &file, &error))
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for folder in &self.folders {
            // One that is not empty stays; its limits harm nobody else.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// One limit.
#[derive(Debug, PartialEq, Eq)]
struct Limit {
    hierarchy: PathBuf,
    file: &'static str,
    value: String,
}

/// The limits as the version at `root` has them (Linux, admin-guide/cgroup-v2 and cgroup-v1).
fn limits(confinement: &Confinement, root: &Path) -> Vec<Limit> {
    let unified = root.join("cgroup.controllers").exists();
    let limit = |controller: &str, file, value| Limit {
        hierarchy: if unified {
            root.to_owned()
        } else {
            root.join(controller)
        },
        file,
        value,
    };
    let mut limits = Vec::new();
    if let Some(bytes) = confinement.memory_bytes {
        let file = if unified {
            "memory.max"
        } else {
            "memory.limit_in_bytes"
        };
        limits.push(limit("memory", file, bytes.to_string()));
    }
    if let Some(share) = confinement.core_share {
        let quota_us = (share * PERIOD_US as f64) as u64;
        if unified {
            limits.push(limit("cpu", "cpu.max", format!("{quota_us} {PERIOD_US}")));
        } else {
            limits.push(limit("cpu", "cpu.cfs_period_us", PERIOD_US.to_string()));
            limits.push(limit("cpu", "cpu.cfs_quota_us", quota_us.to_string()));
        }
    }
    limits
}

fn named(step: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("failed to {step} {}: {error}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Confinement = Confinement {
        refuse_io_uring: false,
        memory_bytes: Some(1 << 20),
        core_share: Some(0.1),
    };

    #[test]
    fn both_versions_get_the_same_limits() {
        let root = tempfile::tempdir().unwrap();
        let texts = |root: &Path| -> Vec<_> {
            let limits = limits(&SMALL, root).into_iter();
            limits
                .map(|limit| format!("{}={}", limit.file, limit.value))
                .collect()
        };
        assert_eq!(
            texts(root.path()),
            [
                "memory.limit_in_bytes=1048576",
                "cpu.cfs_period_us=10000",
                "cpu.cfs_quota_us=1000"
            ]
        );
        fs::write(root.path().join("cgroup.controllers"), "").unwrap();
        assert_eq!(
            texts(root.path()),
            ["memory.max=1048576", "cpu.max=1000 10000"]
        );
        assert!(limits(&Confinement::default(), root.path()).is_empty());
    }

    #[test]
    fn a_group_is_gone_after_its_time() {
        let Ok(group) = Group::create(&SMALL) else {
            eprintln!("skipped: no control group can be made here");
            return;
        };
        let folders = group.folders.clone();
        assert!(!folders.is_empty() && folders.iter().all(|folder| folder.is_dir()));
        drop(group);
        assert!(folders.iter().all(|folder| !folder.exists()));
    }

    #[test]
    fn who_is_kept_from_io_uring_sees_a_host_without_it() {
        let confinement = Confinement {
            refuse_io_uring: true,
            ..Confinement::default()
        };
        let seen = host(&confinement, &crate::testing::host());
        assert!(matches!(seen.uring, UringSupport::Refused { .. }));
        let same = host(&Confinement::default(), &crate::testing::host());
        assert_eq!(same.uring, crate::testing::host().uring);
    }
}
