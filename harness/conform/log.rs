//! Logs: what was acknowledged must be found again, whatever happened to the rest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ringside_contract::operations::log::{TestedAppender, TestedLog};

use crate::case::{Case, Failure, ensure};
use crate::in_process::asked;

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// Runs a case in this process, in a folder of its own below that for temporary files.
///
/// # Errors
/// What a log did wrong, or that there is no such case.
pub fn run(name: &str, log: &dyn TestedLog) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(|error| told("make a folder", &error))?;
    let path = folder.path().join("log");
    match name {
        "finds_what_was_acknowledged" => finds_what_was_acknowledged(log, &path),
        "finds_a_beginning_wherever_it_was_cut" => {
            finds_a_beginning_wherever_it_was_cut(log, &path)
        }
        "finds_a_beginning_wherever_it_was_changed" => {
            finds_a_beginning_wherever_it_was_changed(log, &path)
        }
        "forgets_at_a_restart" => forgets_at_a_restart(log, &path),
        "says_what_is_no_log" => says_what_is_no_log(log, &path),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

const CASES: &[Case] = &[
    asked!(
        "finds_what_was_acknowledged",
        "Batches of 1 to 100 entries of 1 byte to 64 KiB are found as they were appended, in their order."
    ),
    asked!(
        "finds_a_beginning_wherever_it_was_cut",
        "Of a log whose last bytes never reached the disk, from anywhere on, the entries before are found, and no others."
    ),
    asked!(
        "finds_a_beginning_wherever_it_was_changed",
        "Of a log with a byte changed, the entries before it are found, and none that was not appended."
    ),
    asked!(
        "forgets_at_a_restart",
        "Behind a restart only what was appended later is found."
    ),
    asked!(
        "says_what_is_no_log",
        "A file of other bytes is an error, or has no entries."
    ),
];

fn told(step: &str, error: &io::Error) -> Failure {
    Failure::new(format!("failed to {step}: {error}"))
}

fn create(log: &dyn TestedLog, path: &Path) -> Result<Box<dyn TestedAppender>, Failure> {
    log.create(path).map_err(|error| told("make a log", &error))
}

fn recover(log: &dyn TestedLog, path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    log.recover(path)
        .map_err(|error| told("recover it", &error))
}

fn append(open: &mut dyn TestedAppender, entries: &[Vec<u8>]) -> Result<(), Failure> {
    let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    let appended = open.append(&entries);
    appended.map_err(|error| told("append", &error))
}

/// Entries that differ in size and bytes.
fn entries(count: usize, size: usize) -> Vec<Vec<u8>> {
    let byte = |number: usize, place: usize| (number * 131 + place * 7 + (place >> 8)) as u8;
    let entry = |number| {
        (0..size + number)
            .map(|place| byte(number, place))
            .collect()
    };
    (0..count).map(entry).collect()
}

fn finds_what_was_acknowledged(log: &dyn TestedLog, path: &Path) -> Result<(), Failure> {
    let mut open = create(log, path)?;
    let mut all = Vec::new();
    for (count, size) in [(1, 1), (100, 30), (1, 65_000), (3, 4096), (7, 1), (1, 4080)] {
        let batch = entries(count, size);
        append(open.as_mut(), &batch)?;
        all.extend(batch);
    }
    drop(open);
    let found = recover(log, path)?;
    let same = found
        .iter()
        .zip(&all)
        .take_while(|(found, all)| found == all);
    let same = same.count();
    ensure(found == all, || {
        format!(
            "{} entries were appended, {} are found, and the first {same} are the same",
            all.len(),
            found.len()
        )
    })
}

/// The file with the entries: the log's only one, or of several that which was written last.
fn file_of(path: &Path) -> io::Result<PathBuf> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let files: Vec<_> = fs::read_dir(path)?.collect::<Result<_, _>>()?;
    let newest = files
        .iter()
        .max_by_key(|file| file.metadata().and_then(|file| file.modified()).ok());
    newest
        .map(fs::DirEntry::path)
        .ok_or_else(|| io::Error::other("the log has no file"))
}

/// A log of ten entries.
struct Ten {
    all: Vec<Vec<u8>>,
    /// The file that they are in, and its bytes.
    file: PathBuf,
    bytes: Vec<u8>,
    /// Behind the last that is not zero.
    end: usize,
}

/// Appends ten entries and gives them with the file's bytes, up to a block behind the last that is not zero.
fn ten(log: &dyn TestedLog, path: &Path) -> Result<Ten, Failure> {
    let mut open = create(log, path)?;
    let all = entries(10, 40);
    for entry in &all {
        append(open.as_mut(), std::slice::from_ref(entry))?;
    }
    drop(open);
    // Before it is looked at: a log may clear its files when it is opened.
    let file = file_of(path).map_err(|error| told("find the log's file", &error))?;
    let mut bytes = fs::read(&file).map_err(|error| told("read the log's file", &error))?;
    let end = bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1);
    // What a log has before it needs it is there as zeros; more than a block of them tells nothing more.
    bytes.truncate(end + 4096);
    Ok(Ten {
        all,
        file,
        bytes,
        end,
    })
}

/// What is found with these bytes in the place of the file's, and no other file.
fn found_with(
    log: &dyn TestedLog,
    path: &Path,
    file: &Path,
    bytes: &[u8],
) -> Result<Vec<Vec<u8>>, Failure> {
    let alone = || -> io::Result<()> {
        if path.is_dir() {
            fs::remove_dir_all(path)?;
            fs::create_dir(path)?;
        }
        fs::write(file, bytes)
    };
    alone().map_err(|error| told("write the log's file", &error))?;
    // Without its beginning it may be no log.
    Ok(log.recover(path).unwrap_or_default())
}

fn finds_a_beginning_wherever_it_was_cut(log: &dyn TestedLog, path: &Path) -> Result<(), Failure> {
    let Ten {
        all,
        file,
        bytes,
        end: last,
    } = ten(log, path)?;
    let mut most = 0;
    // A log with a block before its entries has nothing else in that.
    for end in (0..=last).filter(|end| *end > last.saturating_sub(150) || end % 97 == 0) {
        let mut torn = bytes.clone();
        torn[end..].fill(0);
        let found = found_with(log, path, &file, &torn)?;
        ensure(all.starts_with(&found) && found.len() >= most, || {
            format!(
                "cut at byte {end}, {} entries are found, not those at the beginning, or fewer than with less",
                found.len()
            )
        })?;
        most = found.len();
    }
    ensure(most == all.len(), || {
        format!("with all bytes {most} of 10 entries are found")
    })
}

/// Bytes that are changed, one at a time.
const TRIALS: usize = 60;
/// From one to the next.
const STEP: usize = 7;

fn finds_a_beginning_wherever_it_was_changed(
    log: &dyn TestedLog,
    path: &Path,
) -> Result<(), Failure> {
    let Ten {
        all,
        file,
        bytes,
        end,
    } = ten(log, path)?;
    let mut lost = 0;
    // No multiple of what a field has bytes.
    for place in (end.saturating_sub(STEP * TRIALS)..end).step_by(STEP) {
        let mut changed = bytes.clone();
        changed[place] ^= 0x40;
        let found = found_with(log, path, &file, &changed)?;
        ensure(all.starts_with(&found), || {
            format!(
                "with byte {place} changed, {} entries are found that are not those at the beginning",
                found.len()
            )
        })?;
        lost += usize::from(found.len() < all.len());
    }
    ensure(lost > TRIALS / 2, || {
        format!(
            "of {TRIALS} bytes that were changed {lost} made an entry be lost: the others were not noticed"
        )
    })
}

fn forgets_at_a_restart(log: &dyn TestedLog, path: &Path) -> Result<(), Failure> {
    let mut open = create(log, path)?;
    append(open.as_mut(), &entries(50, 30))?;
    open.restart().map_err(|error| told("restart", &error))?;
    append(open.as_mut(), &entries(3, 30))?;
    drop(open);
    let found = recover(log, path)?;
    ensure(found == entries(3, 30), || {
        format!(
            "3 entries were appended behind the restart, and {} are found",
            found.len()
        )
    })
}

fn says_what_is_no_log(log: &dyn TestedLog, path: &Path) -> Result<(), Failure> {
    let file = ten(log, path)?.file;
    for bytes in [
        &b"these are other bytes than those of any log, and some more of them"[..],
        &[0; 9000],
    ] {
        let found = found_with(log, path, &file, bytes)?;
        ensure(found.is_empty(), || {
            format!("{} entries are found in other bytes", found.len())
        })?;
    }
    Ok(())
}
