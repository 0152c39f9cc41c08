//! Nothing outside of the root is ever served, however the path is written.

use super::exchange::{ask, get, refused};
use super::files::{KILOBYTE, OUTSIDE, PIPE};
use crate::case::{Case, Failure, Target, ensure};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "path_cannot_leave_the_root",
        about: "No spelling of a parent directory gets a file outside (RFC 9110, 17.3).",
        needs: &[],
        run: path_cannot_leave_the_root,
    },
    Case {
        name: "nul_and_broken_escapes_get_no_file",
        about: "A path with NUL or half an escape names nothing, and the server goes on \
                (RFC 3986, 2.1).",
        needs: &[],
        run: nul_and_broken_escapes_get_no_file,
    },
    Case {
        name: "nul_and_broken_escapes_are_400_or_404",
        about: "Such a path is the client's error, not the server's (RFC 9110, 15.5).",
        needs: &["bad_path_4xx"],
        run: nul_and_broken_escapes_are_400_or_404,
    },
    Case {
        name: "link_cannot_leave_the_root",
        about: "A symbolic link to a file outside of the root is not followed.",
        needs: &["root", "symlink_containment"],
        run: link_cannot_leave_the_root,
    },
    Case {
        name: "pipe_in_the_root_does_not_block",
        about: "What is no regular file is not served, and no worker waits for it.",
        needs: &["root", "special_files"],
        run: pipe_in_the_root_does_not_block,
    },
];

fn path_cannot_leave_the_root(target: &Target) -> Result<(), Failure> {
    let up = |step: &str| format!("/conform/{}etc/passwd", step.repeat(12));
    let paths = [
        up("../"),
        up("%2e%2e/"),
        up("%2E./"),
        up("..%2f"),
        up("..%2F"),
        up("..//"),
        up("./../"),
        up("%252e%252e/"),
        up("..\\"),
        up("..%5c"),
        up("%c0%ae%c0%ae/"),
        "/conform/../../../../../../../../../etc/passwd".to_owned(),
        "//etc/passwd".to_owned(),
        "/%2fetc/passwd".to_owned(),
        "http://localhost/../../../../../../../../etc/passwd".to_owned(),
    ];
    for path in paths {
        let Some(response) = refused(target, &get(&path, ""))? else {
            continue;
        };
        let leaked = response.body.windows(5).any(|window| window == b"root:");
        ensure(!leaked && response.status() != 200, || {
            format!(
                "{path} got {} with {} bytes",
                response.status(),
                response.body.len()
            )
        })?;
    }
    Ok(())
}

/// What stands behind the path of a file that exists.
const BAD_ENDS: [&str; 5] = ["%00", "%00.html", "%", "%g1", "%4"];

fn nul_and_broken_escapes_get_no_file(target: &Target) -> Result<(), Failure> {
    for end in BAD_ENDS {
        let path = format!("{}{end}", KILOBYTE.path);
        if let Some(response) = refused(target, &get(&path, ""))? {
            ensure(response.status() >= 400, || {
                format!("{path} got {}", response.status())
            })?;
        }
    }
    ask(target, &get(KILOBYTE.path, ""))?.expect(&[200])
}

fn nul_and_broken_escapes_are_400_or_404(target: &Target) -> Result<(), Failure> {
    for end in BAD_ENDS {
        let path = format!("{}{end}", KILOBYTE.path);
        if let Some(response) = refused(target, &get(&path, ""))? {
            response.expect(&[400, 404])?;
        }
    }
    Ok(())
}

fn link_cannot_leave_the_root(target: &Target) -> Result<(), Failure> {
    ask(target, &get(OUTSIDE, ""))?.expect(&[403, 404])
}

fn pipe_in_the_root_does_not_block(target: &Target) -> Result<(), Failure> {
    for _ in 0..4 {
        ask(target, &get(PIPE, ""))?.expect(&[403, 404])?;
    }
    ask(target, &get(KILOBYTE.path, ""))?.expect(&[200])
}
