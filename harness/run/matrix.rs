//! Programs that were built in several ways, by `just build-matrix`: where they are, and what starts them.

use std::path::{Path, PathBuf};

use ringside_contract::operations::BuiltProgram;
use ringside_contract::{Host, Support};

use crate::manifest::find_program;
use crate::qualify::short_hash;

/// Where a program is, and what runs it on this machine.
///
/// # Errors
/// What is missing, and how to get it.
pub fn command(program: BuiltProgram, host: &Host) -> Result<Vec<PathBuf>, String> {
    let executable = std::env::current_exe()
        .map_err(|error| format!("the folder of this program is unknown: {error}"))?;
    command_beside(&executable, program, host)
}

/// The same as [`Support`].
pub(crate) fn support(program: BuiltProgram, host: &Host) -> Support {
    match command(program, host) {
        Ok(_) => Support::Yes,
        Err(reason) => Support::No { reason },
    }
}

/// What tells a build of a program from another one; none where there is none.
pub(crate) fn fingerprint(program: BuiltProgram) -> Option<String> {
    let file = file_beside(&std::env::current_exe().ok()?, program);
    Some(format!(" {}", short_hash(&std::fs::read(file).ok()?)))
}

/// `target/matrix/NAME` beside `target/release`, where this program is.
fn file_beside(executable: &Path, program: BuiltProgram) -> PathBuf {
    let folder = executable.parent().and_then(Path::parent);
    folder
        .unwrap_or(Path::new("."))
        .join("matrix")
        .join(program.name)
}

fn command_beside(
    executable: &Path,
    program: BuiltProgram,
    host: &Host,
) -> Result<Vec<PathBuf>, String> {
    let emulator = match program.arch {
        Some(arch) if arch != host.arch => Some(format!("qemu-{arch}")),
        _ => None,
    };
    let file = file_beside(executable, program);
    if !file.is_file() {
        return Err(match &program.arch {
            Some(arch) if *arch != host.arch => format!(
                "no build for {arch}: it takes Rust's standard library and a linker for it, and then `just build-matrix`"
            ),
            _ => format!(
                "it has not been built: run `just build-matrix` (it belongs into `matrix/{}` beside the folder of this program)",
                program.name
            ),
        });
    }
    let Some(emulator) = emulator else {
        return Ok(vec![file]);
    };
    match find_program(&emulator) {
        Some(emulator) => Ok(vec![emulator, file]),
        None => Err(format!(
            "{emulator} is not installed (to install it: apt-get install qemu-user)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::host;

    fn found(
        folder: &Path,
        name: &'static str,
        arch: Option<&'static str>,
    ) -> Result<Vec<PathBuf>, String> {
        let host = Host {
            arch: "x86_64".to_owned(),
            ..host()
        };
        command_beside(
            &folder.join("release/ringside"),
            BuiltProgram { name, arch },
            &host,
        )
    }

    #[test]
    fn a_program_is_looked_for_beside_the_folder_of_the_tool() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("matrix/lowest");
        let missing = found(folder.path(), "lowest", None).unwrap_err();
        assert!(missing.contains("just build-matrix"), "{missing}");
        std::fs::create_dir(folder.path().join("matrix")).unwrap();
        std::fs::write(&file, "").unwrap();
        for arch in [None, Some("x86_64")] {
            assert_eq!(found(folder.path(), "lowest", arch), Ok(vec![file.clone()]));
        }
        // No machine has an emulator of this name.
        let foreign = found(folder.path(), "lowest", Some("none")).unwrap_err();
        assert!(foreign.contains("qemu-none is not installed"), "{foreign}");
        let unbuilt = found(folder.path(), "armv6", Some("arm")).unwrap_err();
        assert!(unbuilt.contains("standard library"), "{unbuilt}");
    }
}
