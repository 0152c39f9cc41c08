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
        "is_on_the_disk_when_it_says_so" => is_on_the_disk_when_it_says_so(log, &path),
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
        "is_on_the_disk_when_it_says_so",
        "Behind each append the kernel has no page of the file that is still to be written (Linux 6.5 and later, on a disk)."
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
    // None of them is zero, as what was never written is.
    let byte = |number: usize, place: usize| (number * 131 + place * 7 + (place >> 8)) as u8 | 1;
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
    /// Behind the last that is not zero, after each entry.
    ends: Vec<usize>,
}

impl Ten {
    /// Behind the last that is not zero.
    fn end(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// How many entries have to be found where the bytes from `place` on are others.
    fn whole_before(&self, place: usize) -> usize {
        self.ends
            .iter()
            .filter(|&&end| end + MARGIN <= place)
            .count()
    }
}

/// The last bytes of an entry may be zero, such as those of a checksum.
const MARGIN: usize = 8;

/// Appends ten entries and gives them with the file's bytes, up to a block behind the last that is not zero.
fn ten(log: &dyn TestedLog, path: &Path) -> Result<Ten, Failure> {
    let mut open = create(log, path)?;
    let all = entries(10, 40);
    let mut ends = Vec::new();
    for entry in &all {
        append(open.as_mut(), std::slice::from_ref(entry))?;
        ends.push(end(&bytes_of(path)?.1));
    }
    drop(open);
    // Before it is looked at: a log may clear its files when it is opened.
    let (file, mut bytes) = bytes_of(path)?;
    // What a log has before it needs it is there as zeros; more than a block of them tells nothing more.
    bytes.truncate(end(&bytes) + 4096);
    Ok(Ten {
        all,
        file,
        bytes,
        ends,
    })
}

fn bytes_of(path: &Path) -> Result<(PathBuf, Vec<u8>), Failure> {
    let file = file_of(path).map_err(|error| told("find the log's file", &error))?;
    let bytes = fs::read(&file).map_err(|error| told("read the log's file", &error))?;
    Ok((file, bytes))
}

/// Behind the last byte that is not zero.
fn end(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|&byte| byte != 0);
    last.map_or(0, |last| last + 1)
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
    // Without its beginning it may be no log; where entries have to be found, nothing is too few.
    Ok(log.recover(path).unwrap_or_default())
}

fn finds_a_beginning_wherever_it_was_cut(log: &dyn TestedLog, path: &Path) -> Result<(), Failure> {
    let ten = ten(log, path)?;
    let last = ten.end();
    // A log with a block before its entries has nothing else in that.
    for end in (0..=last).filter(|end| *end > last.saturating_sub(150) || end % 97 == 0) {
        let mut zeroed = ten.bytes.clone();
        zeroed[end..].fill(0);
        let whole = ten.whole_before(end);
        for torn in [&zeroed, &ten.bytes[..end]] {
            let found = found_with(log, path, &ten.file, torn)?;
            ensure(ten.all.starts_with(&found) && found.len() >= whole, || {
                format!(
                    "cut at byte {end}, before which {whole} entries are whole, {} are found, or others",
                    found.len()
                )
            })?;
        }
    }
    let found = found_with(log, path, &ten.file, &ten.bytes)?;
    ensure(found == ten.all, || {
        format!("with all bytes {} of 10 entries are found", found.len())
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
    let ten = ten(log, path)?;
    let (end, mut lost) = (ten.end(), 0);
    // No multiple of what a field has bytes.
    for place in (end.saturating_sub(STEP * TRIALS)..end).step_by(STEP) {
        for bit in [0x40, 0x80] {
            let mut changed = ten.bytes.clone();
            changed[place] ^= bit;
            let found = found_with(log, path, &ten.file, &changed)?;
            let whole = ten.whole_before(place);
            ensure(ten.all.starts_with(&found) && found.len() >= whole, || {
                format!(
                    "with byte {place} changed, before which {whole} entries are whole, {} are found, or others",
                    found.len()
                )
            })?;
            lost += usize::from(found.len() < ten.all.len());
        }
    }
    ensure(lost > TRIALS, || {
        format!(
            "of {} bits that were changed {lost} made an entry be lost: the others were not noticed",
            2 * TRIALS
        )
    })
}

fn is_on_the_disk_when_it_says_so(log: &dyn TestedLog, path: &Path) -> Result<(), Failure> {
    let mut open = create(log, path)?;
    for entry in entries(10, 5000) {
        append(open.as_mut(), std::slice::from_ref(&entry))?;
        let file = file_of(path).map_err(|error| told("find the log's file", &error))?;
        let unwritten = log.unwritten_pages(&file);
        let unwritten = unwritten.map_err(|error| told("ask for the file's pages", &error))?;
        ensure(unwritten.is_none_or(|pages| pages == 0), || {
            format!(
                "{} pages are still to be written when an entry is said to be on the disk",
                unwritten.unwrap_or(0)
            )
        })?;
    }
    Ok(())
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
