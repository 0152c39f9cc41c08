//! The folder that all of a gate's preparations lie in, taken by one gate at a time.

use std::fmt::{self, Display};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use ringside_metal::Held;

use super::error::BuildsError;

/// The folder `gate` in the folder of built things. It is this process's until the value is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    folder: PathBuf,
    _lock: Held<File>,
}

/// One of the two builds. Their names are equally long, and so are all paths with them: a path's
/// length moves what lies behind it on the stack of a started program, which changes its speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The older one.
    Base,
    /// The newer one.
    Head,
}

impl Place {
    /// Makes the folder below `target` and takes it.
    pub(crate) fn take(target: &Path) -> Result<Self, BuildsError> {
        let folder = target.join("gate");
        fs::create_dir_all(&folder).map_err(BuildsError::file("create", &folder))?;
        // Whole and without links: cargo and git run in other folders, and name files so.
        let folder = fs::canonicalize(&folder).map_err(BuildsError::file("find", &folder))?;
        let path = folder.join("lock");
        let opened = File::options().create(true).append(true).open(&path);
        let opened = opened.map_err(BuildsError::file("open", &path))?;
        let Some(lock) = Held::take_where_supported(opened) else {
            return Err(BuildsError::Busy { folder });
        };
        // Where the repository does not ignore the folder of built things, this is no change of it.
        let ignore = folder.join(".gitignore");
        fs::write(&ignore, "*\n").map_err(BuildsError::file("write", &ignore))?;
        Ok(Self {
            folder,
            _lock: lock,
        })
    }

    /// Where the files of one side after the other are checked out.
    pub(crate) fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// Where cargo builds, and keeps what it built for the next time.
    pub(crate) fn build(&self) -> PathBuf {
        self.folder.join("build")
    }

    /// The list of files from which a commit of changed files is made.
    pub(crate) fn index(&self) -> PathBuf {
        self.folder.join("index")
    }

    /// What cargo said while it built `side`.
    pub(crate) fn log(&self, side: Side) -> PathBuf {
        self.folder.join(format!("log-{side}"))
    }

    /// Where the program of `side` is kept.
    pub(crate) fn program(&self, side: Side) -> PathBuf {
        self.folder.join(format!("bin-{side}"))
    }
}

impl Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base => "base",
            Self::Head => "head",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_gate_at_a_time_has_the_folder() {
        let target = tempfile::tempdir().unwrap();
        let first = Place::take(target.path()).unwrap();
        let said = Place::take(target.path()).unwrap_err().to_string();
        assert!(said.contains("another gate is at work in"), "{said}");
        assert!(said.contains("wait for its end"), "{said}");
        drop(first);
        Place::take(target.path()).unwrap();
    }

    #[test]
    fn paths_of_both_programs_are_equally_long_and_not_the_same() {
        let target = tempfile::tempdir().unwrap();
        let place = Place::take(target.path()).unwrap();
        let (base, head) = (place.program(Side::Base), place.program(Side::Head));
        assert_eq!(base.as_os_str().len(), head.as_os_str().len());
        assert_ne!(base, head);
    }

    #[test]
    fn a_folder_that_cannot_be_made_says_which() {
        let target = tempfile::tempdir().unwrap();
        let file = target.path().join("file");
        fs::write(&file, "").unwrap();
        let said = Place::take(&file).unwrap_err().to_string();
        assert!(said.contains("failed to create"), "{said}");
        assert!(said.contains("file/gate"), "{said}");
    }
}
