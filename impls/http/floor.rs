//! The least that a small file costs over HTTP: one canned reply for each request, and no core.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringside_contract::{
    Axis, Host, Implementation, ImplementationMeta, ServeOptions, Service, Settings, StartError,
    Support,
};
use ringside_engine::uring::RingSettings;
use ringside_engine::{
    Body, BodyMode, Content, EngineOptions, FloorReply, Protocol, Step, floor_epoll, floor_uring,
};

use crate::core::Http;
use crate::limits::HttpLimits;
use crate::service::no_root;

/// `http/floor`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Floor;

static META: ImplementationMeta = ImplementationMeta {
    id: "http/floor",
    about: "Every request gets the smallest file of the root, rendered at start; a limit for the \
            others, never ranked.",
    axes: &[Axis {
        name: "io",
        values: &["epoll", "uring"],
        default: "epoll",
        about: "How the kernel is asked.",
    }],
    ranked: false,
};

impl Implementation for Floor {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn support(&self, host: &Host, axes: &Settings) -> Support {
        match axes.value("io") {
            Some("uring") => RingSettings::support(host, &Settings::default()),
            _ => Support::Yes,
        }
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Service>, StartError> {
        let root = options.root.as_deref().ok_or_else(no_root)?;
        let reply = FloorReply::Canned {
            reply: canned(root)?,
            request_end: b"\r\n\r\n",
        };
        let engine = EngineOptions::new(options)?;
        match options.axes.value("io") {
            Some("uring") => floor_uring::start(reply, &engine),
            _ => floor_epoll::start(reply, &engine),
        }
    }
}

/// The reply of the family's core to a GET of the smallest file of `root` that is not empty, so that
/// a floor sends the same bytes as those that it is the limit of.
fn canned(root: &Path) -> Result<Arc<[u8]>, StartError> {
    let failed = |source| StartError::Io {
        step: format!("read a file for the floor's reply from {}", root.display()),
        source,
    };
    let path = smallest(root)
        .map_err(failed)?
        .ok_or_else(|| StartError::Option {
            option: "root".to_owned(),
            because: format!(
                "a floor needs a file that is not empty in {}",
                root.display()
            ),
        })?;
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let http = Http::new(root, BodyMode::Memory, HttpLimits::default()).map_err(failed)?;
    let request = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", encode(&name));
    let mut reply = Vec::new();
    let progress = http.receive(&mut http.open(0), request.as_bytes(), 0, &mut reply);
    if let Step::Body(Body {
        content: Content::Memory(bytes),
        ..
    }) = progress.step
    {
        reply.extend_from_slice(&bytes);
    }
    Ok(reply.into())
}

/// Escapes every byte that a path may not hold as it is.
fn encode(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escape = |byte| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02x}")
        }
    };
    name.bytes().map(escape).collect()
}

/// The smallest file right in `root` of 1 byte to 1 MiB; of equal ones the first by name.
fn smallest(root: &Path) -> io::Result<Option<PathBuf>> {
    let mut best: Option<(u64, PathBuf)> = None;
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        let candidate = (metadata.len(), entry.path());
        let fits = metadata.is_file() && (1..=1 << 20).contains(&candidate.0);
        if fits && best.as_ref().is_none_or(|best| candidate < *best) {
            best = Some(candidate);
        }
    }
    Ok(best.map(|(_, path)| path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reply_is_that_of_the_smallest_file() {
        let root = tempfile::tempdir().unwrap();
        for (name, length) in [("empty", 0), ("1 KiB", 1024), ("10KiB", 10240)] {
            fs::write(root.path().join(name), vec![b'x'; length]).unwrap();
        }
        let reply = String::from_utf8(canned(root.path()).unwrap().to_vec()).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("Content-Length: 1024"));
        assert_eq!(body.len(), 1024);
    }

    #[test]
    fn root_without_a_file_is_refused() {
        let root = tempfile::tempdir().unwrap();
        assert!(canned(root.path()).is_err());
        assert!(canned(&root.path().join("none")).is_err());
    }
}
