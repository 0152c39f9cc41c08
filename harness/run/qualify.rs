//! Conformance before timing: an implementation is timed only after its family's cases passed. The
//! cases themselves are the caller's; that it passed is kept for as long as the binary is the same.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringside_contract::{Confinement, ImplementationSpec};
use sha2::{Digest, Sha256};

use crate::catalogue::Subject;
use crate::child::tail;
use crate::matrix;
use crate::placement::place_for_cases;
use crate::server::{Launch, ServerOrder, StartFailure};
use crate::stop::Stop;

/// Time that our servers give the head of a request while they are checked. The case of a head that
/// never ends would otherwise cost 10 s for each server; 2 s are plenty for every other case.
pub const HEAD_DEADLINE: Duration = Duration::from_secs(2);

/// How long a server that failed its cases may take to be dead: its connections end before it does.
const DYING: Duration = Duration::from_millis(200);

/// A running server to be checked.
#[derive(Debug)]
pub struct QualifyTarget<'a> {
    /// Its name.
    pub implementation: &'a ImplementationSpec,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its document root, as [`Qualifier::prepare`] left it.
    pub root: &'a Path,
    /// Capabilities that it does not have.
    pub cannot: &'a [String],
    /// Cases that it is known to fail: they do not keep it from being timed.
    pub fails: &'a [String],
}

/// Runs the conformance cases of a family; several servers are checked at the same time.
pub trait Qualifier: Sync {
    /// Puts what the cases of `family` need into an empty document root, before the server starts.
    ///
    /// # Errors
    /// The system's answer.
    fn prepare(&self, family: &str, root: &Path) -> io::Result<()> {
        let _ = (family, root);
        Ok(())
    }

    /// Runs the cases, and begins no further one once `stop` is set: the outcome then counts for nothing.
    ///
    /// # Errors
    /// The cases that failed, with their proofs.
    fn qualify(&self, target: &QualifyTarget<'_>, stop: &Stop) -> Result<(), String>;

    /// Runs the quality tests of a family, if it has some. What fails them is timed all the same.
    ///
    /// Returns those that failed, with their proofs.
    ///
    /// # Errors
    /// Why one of them could not be run.
    fn quality(&self, target: &QualifyTarget<'_>, stop: &Stop) -> Result<Option<String>, String> {
        let _ = (target, stop);
        Ok(None)
    }
}

/// Lets everything pass: for tests and for families without cases.
#[derive(Debug, Default, Clone, Copy)]
pub struct Unchecked;

impl Qualifier for Unchecked {
    fn qualify(&self, _: &QualifyTarget<'_>, _: &Stop) -> Result<(), String> {
        Ok(())
    }
}

/// What passed its cases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passed {
    /// The quality tests that it failed.
    pub quality_fault: Option<String>,
}

/// What a server that failed its cases left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The cases that failed, and how the server ended if it did.
    pub because: String,
    /// The last lines of its standard error.
    pub stderr: String,
}

/// Starts a subject with a document root of its own below `folder` and runs the cases on it.
///
/// # Errors
/// The outer error when the server did not start; the inner one when cases failed.
pub fn check_conformance(
    launch: &Launch<'_>,
    subject: &Subject<'_>,
    folder: &Path,
    qualifier: &dyn Qualifier,
) -> Result<Result<Passed, Refusal>, StartFailure> {
    let (root, tmp) = (folder.join("root"), folder.join("tmp"));
    for path in [&root, &tmp] {
        std::fs::create_dir_all(path)
            .map_err(|error| StartFailure::file("create", path, &error))?;
    }
    qualifier
        .prepare(&subject.spec.id.family, &root)
        .map_err(|error| StartFailure::file("write the files of the cases into", &root, &error))?;
    let log = folder.join("server.stderr");
    let placement = place_for_cases(subject.candidate, launch.host, launch.placement);
    let order = ServerOrder {
        launch: Launch {
            placement: &placement,
            ..*launch
        },
        subject,
        root: &root,
        tmp: &tmp,
        log: &log,
        head_deadline: Some(HEAD_DEADLINE),
        confinement: Confinement::default(),
        sample: None,
        environment: &[],
    };
    let server = order.start().1?;
    let Some(&address) = server.addresses.first() else {
        return Err(StartFailure::plain(
            "the server named no address".to_owned(),
        ));
    };
    let manifest = subject.candidate.manifest();
    let cannot = subject.candidate.cannot();
    let target = QualifyTarget {
        implementation: &subject.spec,
        address,
        root: &root,
        cannot: &cannot,
        fails: manifest.map_or(&[], |manifest| &manifest.fails),
    };
    let passed = qualifier.qualify(&target, launch.stop);
    let outcome = passed
        .and_then(|()| qualifier.quality(&target, launch.stop))
        .map(|quality_fault| Passed { quality_fault });
    let failed = outcome.is_err();
    let died = failed.then(|| server.child.ended_within(DYING)).flatten();
    server.stop();
    if launch.stop.is_set() {
        return Err(StartFailure {
            interrupted: true,
            ..StartFailure::plain("interrupted".to_owned())
        });
    }
    Ok(outcome.map_err(|cases| Refusal {
        because: match died {
            Some(ended) => format!("the server {ended} during the cases; {cases}"),
            None => cases,
        },
        // Its log goes with its folder.
        stderr: tail(&log),
    }))
}

/// True when so little is left at `folder` that a server may have failed for want of it.
pub(crate) fn has_no_space(folder: &Path) -> bool {
    /// Less than a server writes of configuration, logs and process ids.
    const BYTES_MIN: u64 = 64 * 1024;
    rustix::fs::statvfs(folder).is_ok_and(|disk| {
        let no_files = disk.f_files > 0 && disk.f_favail == 0;
        no_files || disk.f_bavail.saturating_mul(disk.f_frsize) < BYTES_MIN
    })
}

/// What passed earlier. What failed is checked again: a failure may have been the machine's, and who
/// mends a server wants to see that it is mended.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    path: PathBuf,
    passed: BTreeSet<String>,
}

impl Cache {
    /// Reads the cache; one that is not there or broken is empty.
    pub(crate) fn open(path: PathBuf) -> Self {
        let text = std::fs::read(&path).unwrap_or_default();
        Self {
            passed: serde_json::from_slice(&text).unwrap_or_default(),
            path,
        }
    }

    pub(crate) fn has_passed(&self, key: &str) -> bool {
        self.passed.contains(key)
    }

    /// Remembers that it passed; when it cannot be written, the cases run again next time.
    pub(crate) fn remember(&mut self, key: String) {
        self.passed.insert(key);
        if let Ok(text) = serde_json::to_vec_pretty(&self.passed) {
            let _ = std::fs::write(&self.path, text);
        }
    }
}

/// Names what an outcome holds for: the implementation and the exact program behind it.
pub(crate) fn cache_key(subject: &Subject<'_>, binary: &str, version: Option<&str>) -> String {
    match subject.candidate.manifest() {
        // A new binary may have new cases, so that its hash counts for outside programs too.
        Some(manifest) => {
            let origin = manifest.origin();
            let identity = format!(
                "{}{:?}{}",
                origin.text,
                origin.templates,
                version.unwrap_or_default()
            );
            format!(
                "{} {binary} {}",
                subject.spec,
                short_hash(identity.as_bytes())
            )
        }
        None => {
            let built = subject.candidate.built_program();
            let built = built.and_then(matrix::fingerprint).unwrap_or_default();
            format!("{} {binary}{built}", subject.spec)
        }
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of `bytes`: names a binary or a manifest in records.
pub fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passed_is_remembered_across_openings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.json");
        Cache::open(path.clone()).remember("a".to_owned());
        let again = Cache::open(path);
        assert!(again.has_passed("a") && !again.has_passed("b"));
    }

    #[test]
    fn a_broken_cache_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.json");
        std::fs::write(&path, "{").unwrap();
        assert!(!Cache::open(path).has_passed("a"));
    }
}
