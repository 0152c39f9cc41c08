//! The document root: the files that scenarios need, written once for a run and removed with it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ringside_contract::{Fixture, Params, Scenario};

/// Bytes written at a time.
const CHUNK: usize = 1 << 20;

/// A folder that is removed when this is dropped: 1 GB files must not stay behind.
#[derive(Debug)]
pub(crate) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// Makes the folder; what an earlier, killed run left in its place is removed first.
    pub(crate) fn create(path: PathBuf) -> io::Result<Self> {
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes what `scenario` needs below `folder` and gives its document root. Files that are there in
/// full already are left alone.
pub(crate) fn prepare(
    folder: &Path,
    scenario: &dyn Scenario,
    params: &Params,
) -> io::Result<PathBuf> {
    let id = scenario.meta().id();
    let root = folder.join(format!("{}_{}", id.family, id.name));
    write_fixtures(&root, scenario, params)?;
    Ok(root)
}

/// Writes the files that `scenario` needs into the document root `root`.
///
/// # Errors
/// The system's answer to the first file that cannot be written.
pub fn write_fixtures(root: &Path, scenario: &dyn Scenario, params: &Params) -> io::Result<()> {
    fs::create_dir_all(root)?;
    for fixture in scenario.fixtures(params) {
        write_fixture(root, scenario, &fixture)?;
    }
    Ok(())
}

fn write_fixture(root: &Path, scenario: &dyn Scenario, fixture: &Fixture) -> io::Result<()> {
    let path = root.join(&fixture.path);
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() == fixture.length) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(&path)?;
    let mut buffer = vec![0; CHUNK];
    let mut offset = 0;
    while offset < fixture.length {
        let left = usize::try_from(fixture.length - offset).unwrap_or(usize::MAX);
        let chunk = &mut buffer[..left.min(CHUNK)];
        scenario.fixture_bytes(fixture, offset, chunk);
        file.write_all(chunk)?;
        offset += chunk.len() as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::catalogue;

    #[test]
    fn files_are_written_in_full_and_removed_with_their_folder() {
        let parent = tempfile::tempdir().unwrap();
        let folder = TemporaryFolder::create(parent.path().join("tmp")).unwrap();
        let catalogue = catalogue();
        let spec = "http/large{size=3MB}".parse().unwrap();
        let (scenario, params) = catalogue.scenario(&spec).unwrap();
        let root = prepare(folder.path(), scenario, &params).unwrap();
        let bytes = fs::read(root.join("a/file")).unwrap();
        assert_eq!(bytes.len(), 3_000_000);
        assert!(
            bytes
                .iter()
                .enumerate()
                .all(|(offset, &byte)| byte == offset as u8)
        );
        drop(folder);
        assert!(!root.exists());
    }

    #[test]
    fn a_file_of_another_length_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let catalogue = catalogue();
        for (size, length) in [("2KiB", 2048), ("1KiB", 1024)] {
            let spec = format!("http/large{{size={size}}}").parse().unwrap();
            let (scenario, params) = catalogue.scenario(&spec).unwrap();
            let root = prepare(folder.path(), scenario, &params).unwrap();
            assert_eq!(fs::metadata(root.join("a/file")).unwrap().len(), length);
        }
    }
}
