//! What every engine of the family has in common: the axis `body`, and the core from the options.

use std::io;
use std::path::Path;

use ringside_contract::{Axis, ServeOptions, Settings, StartError, Support};
use ringside_engine::{BodyMode, EngineOptions, Millis};
use rustix::io::Errno;

use crate::core::Http;
use crate::limits::HttpLimits;

/// The axis `body`.
pub(crate) const BODY: Axis = Axis {
    name: "body",
    values: BodyMode::NAMES,
    default: "memory",
    about: "How the bytes of a file reach the socket; `memory` keeps files of up to 1 MiB in the \
            process.",
};

/// Refuses the modes of `cannot`, each with its reason.
pub(crate) fn body_support(axes: &Settings, cannot: &[(&str, &str)]) -> Support {
    let body = axes.value(BODY.name).unwrap_or(BODY.default);
    match cannot.iter().find(|(name, _)| *name == body) {
        Some((_, reason)) => Support::No {
            reason: format!("body={body}: {reason}"),
        },
        None => Support::Yes,
    }
}

/// The body mode that `axes` choose; the default where they choose none.
pub(crate) fn body_mode(axes: &Settings) -> BodyMode {
    axes.value(BODY.name)
        .and_then(|name| name.parse().ok())
        .unwrap_or(BodyMode::Memory)
}

/// Why the engines that make one system call at a time refuse `send_zc`.
pub(crate) const SEND_ZC_NEEDS_A_RING: (&str, &str) = (
    "send_zc",
    "an operation of io_uring, which this engine does not use; try http/uring",
);

/// The core over the document root of `options`, and the options of its engine.
///
/// # Errors
/// [`StartError`]: no document root, or one that cannot be opened.
pub(crate) fn prepare(options: &ServeOptions) -> Result<(Http, EngineOptions), StartError> {
    let root = options.root.as_deref().ok_or_else(no_root)?;
    let engine = EngineOptions::new(options)?;
    let http = Http::new(root, engine.body, limits(options)).map_err(|source| {
        let step = open_step(root, &source);
        StartError::Io { step, source }
    })?;
    Ok((http, engine))
}

/// What failed when a root could not be opened: usually there is no such folder; a kernel or a sandbox
/// that refuses `openat2` is named where it was that.
pub(crate) fn open_step(root: &Path, source: &io::Error) -> String {
    let step = format!("open the document root {}", root.display());
    match source.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOSYS | Errno::PERM) => {
            format!("{step} by openat2, which needs Linux 5.6 and a sandbox that allows it")
        }
        _ => step,
    }
}

/// The usual limits, but for those that the options set. A head that has less time than the window of
/// an upload shortens that too: who wants slow clients gone sooner means all of them.
fn limits(options: &ServeOptions) -> HttpLimits {
    let usual = HttpLimits::default();
    let given = options.head_deadline.map(|time| time.as_millis());
    let head_deadline = given.map_or(usual.head_deadline, |time| {
        Millis::try_from(time).unwrap_or(Millis::MAX)
    });
    HttpLimits {
        head_deadline,
        body_window: usual.body_window.min(head_deadline),
        ..usual
    }
}

/// The error of a start without a document root.
pub(crate) fn no_root() -> StartError {
    StartError::Option {
        option: "root".to_owned(),
        because: "an HTTP server needs a folder to serve: --root DIR".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_root_is_not_blamed_on_the_kernel() {
        let step = |error: Errno| open_step(Path::new("/none"), &error.into());
        assert_eq!(step(Errno::NOENT), "open the document root /none");
        assert_eq!(step(Errno::NOTDIR), "open the document root /none");
        assert!(step(Errno::NOSYS).contains("openat2"));
    }
}
