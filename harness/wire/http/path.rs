//! From a request target to a path below a document root.

use thiserror::Error;

/// Why a target names no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PathError {
    /// A `%` without two hexadecimal digits: 400.
    #[error("a percent sign without two hexadecimal digits")]
    Escape,
    /// A NUL or another control character: 400.
    #[error("a control character in the path")]
    Control,
    /// An encoded slash: 400, since programs differ in what it means.
    #[error("an encoded slash in the path")]
    Slash,
    /// A `..` segment: 400; a client resolves these before it asks (RFC 3986, 5.2.4).
    #[error("a parent segment in the path")]
    Parent,
    /// No path at all, such as `*` or `host:port`: 400.
    #[error("a target that is no path")]
    Form,
}

/// The path of `/path?query` or `http://host/path?query`, still encoded, with its leading slash.
///
/// # Errors
/// [`PathError::Form`] for other targets.
pub fn of_target(target: &[u8]) -> Result<&[u8], PathError> {
    let path = match target {
        [b'/', ..] => target,
        _ => after_authority(target).ok_or(PathError::Form)?,
    };
    let end = path
        .iter()
        .position(|&byte| byte == b'?' || byte == b'#')
        .unwrap_or(path.len());
    Ok(if end == 0 { b"/" } else { &path[..end] })
}

/// What follows the authority of an absolute target.
fn after_authority(target: &[u8]) -> Option<&[u8]> {
    let scheme = [&b"http://"[..], b"https://"].into_iter().find(|scheme| {
        target.len() > scheme.len() && target[..scheme.len()].eq_ignore_ascii_case(scheme)
    })?;
    let rest = &target[scheme.len()..];
    let end = rest
        .iter()
        .position(|byte| b"/?#".contains(byte))
        .unwrap_or(rest.len());
    (end > 0).then(|| &rest[end..])
}

/// Decodes `path` once into a path relative to the root, without empty and `.` segments; what names
/// a directory ends in a slash, and the root itself is empty.
///
/// # Errors
/// [`PathError`] for everything that could be read in two ways.
pub fn decode(path: &[u8]) -> Result<Vec<u8>, PathError> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut segments = path.split(|&byte| byte == b'/').peekable();
    while let Some(segment) = segments.next() {
        let begin = decoded.len();
        decode_segment(segment, &mut decoded)?;
        match &decoded[begin..] {
            b".." => return Err(PathError::Parent),
            b"" | b"." => decoded.truncate(begin),
            _ if segments.peek().is_some() => decoded.push(b'/'),
            _ => {}
        }
    }
    Ok(decoded)
}

fn decode_segment(segment: &[u8], decoded: &mut Vec<u8>) -> Result<(), PathError> {
    let mut at = 0;
    while let Some(&byte) = segment.get(at) {
        let byte = if byte == b'%' {
            let pair = segment.get(at + 1..at + 3).ok_or(PathError::Escape)?;
            at += 3;
            hex(pair[0])
                .zip(hex(pair[1]))
                .map(|(high, low)| high * 16 + low)
        } else {
            at += 1;
            Some(byte)
        };
        match byte.ok_or(PathError::Escape)? {
            b'/' => return Err(PathError::Slash),
            0..0x20 | 0x7f => return Err(PathError::Control),
            byte => decoded.push(byte),
        }
    }
    Ok(())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, expected: Result<&str, PathError>) {
        let path = of_target(target.as_bytes()).and_then(decode);
        let path = path.map(|path| String::from_utf8_lossy(&path).into_owned());
        assert_eq!(path, expected.map(str::to_owned), "{target}");
    }

    #[test]
    fn targets_become_paths() {
        check("/", Ok(""));
        check("/a/b.txt?q=/../x", Ok("a/b.txt"));
        check("//a///b/", Ok("a/b/"));
        check("/./a/./b", Ok("a/b"));
        check("/a%20b", Ok("a b"));
        check("/%e2%82%ac", Ok("€"));
        check("/..a/b..", Ok("..a/b.."));
        check("/a%252e%252e", Ok("a%2e%2e"));
        check("http://host:1/a?b", Ok("a"));
        check("HTTP://host", Ok(""));
        check("http://host?x", Ok(""));
    }

    #[test]
    fn ambiguous_targets_are_refused() {
        check("/../etc/passwd", Err(PathError::Parent));
        check("/a/%2e%2E/b", Err(PathError::Parent));
        check("/a/..", Err(PathError::Parent));
        check("/a%2fb", Err(PathError::Slash));
        check("/a%00.txt", Err(PathError::Control));
        check("/%0d%0a", Err(PathError::Control));
        check("/%", Err(PathError::Escape));
        check("/%g0", Err(PathError::Escape));
        check("/%4", Err(PathError::Escape));
        check("*", Err(PathError::Form));
        check("host:443", Err(PathError::Form));
        check("ftp://host/a", Err(PathError::Form));
        check("http:///a", Err(PathError::Form));
    }
}
