//! HTTP/1.1 (RFC 9110, RFC 9112) over a document root.
//!
//! Capabilities that a program may lack, and which its manifest then names under `cannot`:
//! `ranges`, `etag`, `last_modified`, `index` (`index.html` of a directory), `keep_alive_1_0`,
//! `leading_empty_line`, `expect_continue`, `allow` (the field of a 405), `symlink_containment`,
//! `special_files`, `folding_refused`, `bare_lf_refused`, `length_with_chunks_refused`, `half_close`,
//! `upload_rate` (a body that stops is not waited for longer than 15 s), and the statuses `405`, `408`
//! (within 15 s of an unfinished head), `413` (a body of over 1 MiB), `414`, `417`, `431`, `501`, `505`.

mod conditions;
mod connections;
mod errors;
mod exchange;
mod files;
mod framing;
mod paths;
mod ranges;
mod requests;
mod slow;

use std::path::Path;
use std::sync::LazyLock;

use crate::case::Case;

/// Every case of the family.
pub fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        [
            requests::CASES,
            connections::CASES,
            ranges::CASES,
            conditions::CASES,
            errors::CASES,
            framing::CASES,
            paths::CASES,
            files::CASES,
            slow::CASES,
        ]
        .concat()
    });
    &CASES
}

/// Writes the files that the cases ask for below `root/conform`; those that are there stay.
///
/// # Errors
/// The system's answer.
pub fn prepare(root: &Path) -> std::io::Result<()> {
    files::prepare(root)
}
