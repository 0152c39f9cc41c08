//! The files that cases ask for, and what happens when one changes while it is sent.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{CWD, FileType, Mode};
use rustix::io::Errno;

use super::exchange::{ask, get};
use crate::case::{Case, Failure, Target, ensure};
use crate::client::{Client, ensure_equal, pattern_bytes};

/// A file of the pattern.
#[derive(Clone, Copy)]
pub(super) struct File {
    /// Its path in requests.
    pub(super) path: &'static str,
    pub(super) length: usize,
    /// Where in the pattern it begins: files differ.
    offset: usize,
}

impl File {
    pub(super) fn bytes(self) -> Vec<u8> {
        pattern_bytes(self.offset, self.length)
    }
}

const fn file(path: &'static str, length: usize, offset: usize) -> File {
    File {
        path,
        length,
        offset,
    }
}

pub(super) const EMPTY: File = file("/conform/empty", 0, 0);
pub(super) const KILOBYTE: File = file("/conform/kilobyte", 1024, 1);
/// Between what is sent behind its head and what is sent by itself.
pub(super) const MEDIUM: File = file("/conform/medium", 100_000, 2);
/// What servers may copy behind its head.
pub(super) const INLINED: File = file("/conform/inlined", 60_000, 6);
/// More than what socket buffers hold.
pub(super) const LARGE: File = file("/conform/large", 8 << 20, 3);
pub(super) const PAGE: File = file("/conform/directory/index.html", 500, 4);
pub(super) const SPACE: File = file("/conform/with space.txt", 100, 5);
/// A symbolic link to /etc/passwd.
pub(super) const OUTSIDE: &str = "/conform/outside";
/// A FIFO without a writer.
pub(super) const PIPE: &str = "/conform/pipe";

/// Writes the files below `root`.
pub(super) fn prepare(root: &Path) -> io::Result<()> {
    fs::create_dir_all(root.join("conform/directory"))?;
    for file in [EMPTY, KILOBYTE, MEDIUM, INLINED, LARGE, PAGE, SPACE] {
        let path = below(root, file.path);
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() == file.length as u64) {
            continue;
        }
        fs::write(path, file.bytes())?;
    }
    keep(std::os::unix::fs::symlink(
        "/etc/passwd",
        below(root, OUTSIDE),
    ))?;
    let mode = Mode::RUSR | Mode::WUSR;
    match rustix::fs::mknodat(CWD, below(root, PIPE), FileType::Fifo, mode, 0) {
        Err(Errno::EXIST) => Ok(()),
        made => Ok(made?),
    }
}

/// What is there already is as good.
fn keep(made: io::Result<()>) -> io::Result<()> {
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

pub(super) const CASES: &[Case] = &[
    Case {
        name: "file_that_shrinks_while_it_is_sent_ends_the_connection",
        about: "A body that cannot be completed ends with the connection, never with other bytes, and \
                the server goes on (RFC 9112, 8).",
        needs: &["root"],
        run: file_that_shrinks_while_it_is_sent_ends_the_connection,
    },
    Case {
        name: "file_that_shrinks_between_two_requests_gives_no_other_bytes",
        about: "What the second answer gives was in the file, before or after; where that is less than \
                its length says, the connection ends (RFC 9112, 8).",
        needs: &["root"],
        run: file_that_shrinks_between_two_requests_gives_no_other_bytes,
    },
    Case {
        name: "answers_before_a_file_that_shrank_arrive",
        about: "Answers that were asked for before a body that cannot be given are given \
                (RFC 9112, 9.3.2).",
        needs: &["root"],
        run: answers_before_a_file_that_shrank_arrive,
    },
];

fn file_that_shrinks_while_it_is_sent_ends_the_connection(target: &Target) -> Result<(), Failure> {
    // Far more than socket buffers hold, so that the server is in the middle of it.
    const LENGTH: usize = 16 << 20;
    // Behind what can be on its way, and no multiple of a page: what a mapping shows there is zeroes.
    const REST: usize = (12 << 20) + 1000;
    with_file(target, LENGTH, |name, file, content| {
        let mut client = Client::connect(target)?;
        client.send(&get(name, ""))?;
        let length = begin(&mut client)?;
        ensure(length == LENGTH, || format!("a length of {length}"))?;
        file.set_len(REST as u64).map_err(failed)?;
        let came = client.take_up_to(length)?;
        ensure(came.len() <= REST, || {
            "more of a file came than was still there".to_owned()
        })?;
        ensure_equal(&came, &content[..came.len()])
    })?;
    ask(target, &get(KILOBYTE.path, ""))?.expect(&[200])
}

fn file_that_shrinks_between_two_requests_gives_no_other_bytes(
    target: &Target,
) -> Result<(), Failure> {
    const LENGTH: usize = 200_000;
    const REST: usize = 100_001;
    with_file(target, LENGTH, |name, file, content| {
        let mut client = Client::connect(target)?;
        client.send(&get(name, ""))?;
        ensure_equal(&client.response(false)?.body, content)?;
        file.set_len(REST as u64).map_err(failed)?;
        client.send(&get(name, ""))?;
        let length = match begin(&mut client) {
            // Cut before the head is as good as behind it.
            Err(failure) if failure.because.starts_with("the connection ended after 0") => {
                return Ok(());
            }
            length => length?,
        };
        let came = client.take_up_to(length)?;
        let possible = [LENGTH, REST].contains(&length) && came.len() <= content.len();
        ensure(possible, || format!("a length of {length}"))?;
        ensure_equal(&came, &content[..came.len()])?;
        if came.len() < length {
            client.expect_end()?;
        }
        Ok(())
    })?;
    ask(target, &get(KILOBYTE.path, ""))?.expect(&[200])
}

fn answers_before_a_file_that_shrank_arrive(target: &Target) -> Result<(), Failure> {
    // More than servers keep in memory.
    const LENGTH: usize = 2 << 20;
    with_file(target, LENGTH, |name, file, content| {
        let mut client = Client::connect(target)?;
        // From here on the server knows the file, and may take its length for granted.
        client.send(&get(name, ""))?;
        ensure_equal(&client.response(false)?.body, content)?;
        file.set_len(0).map_err(failed)?;
        let before = get(KILOBYTE.path, "").repeat(3);
        client.send(&[before, get(name, ""), get(KILOBYTE.path, "")].concat())?;
        for _ in 0..3 {
            ensure_equal(&client.response(false)?.body, &KILOBYTE.bytes())?;
        }
        Ok(())
    })
}

/// Takes the head of a 200; gives the length that it says.
fn begin(client: &mut Client) -> Result<usize, Failure> {
    let head = client.head()?;
    client.take(head.length)?;
    ensure(head.status == 200, || {
        format!("expected 200, got {}", head.status)
    })?;
    let length = head
        .body_length(false)
        .and_then(|length| usize::try_from(length).ok());
    length.ok_or_else(|| Failure::new("the answer has no length"))
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("failed to write a file: {error}"))
}

/// Gives `act` a new file of the pattern: its path in requests, itself, and its content.
fn with_file(
    target: &Target,
    length: usize,
    act: impl FnOnce(&str, &fs::File, &[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    // Relaxed: numbers need only differ.
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("/conform/shrinks-{}-{number}", std::process::id());
    let path = below(target.root()?, &name);
    let content = pattern_bytes(7, length);
    let result = fs::write(&path, &content)
        .and_then(|()| fs::File::options().write(true).open(&path))
        .map_err(failed)
        .and_then(|file| act(&name, &file, &content));
    // What is left behind would only take room; the result of the case is what matters.
    let _ = fs::remove_file(&path);
    result
}
