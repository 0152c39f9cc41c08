//! Entity tags in conditional requests (RFC 9110, 8.8.3 and 13.1).

/// True when the list of an `If-None-Match` has `tag` (weak comparison) or is `*`.
/// `tag` is strong and has its quotes.
pub fn any_weak(list: &[u8], tag: &[u8]) -> bool {
    any(list, tag, true)
}

/// True when the list of an `If-Match` has `tag` (strong comparison) or is `*`.
pub fn any_strong(list: &[u8], tag: &[u8]) -> bool {
    any(list, tag, false)
}

fn any(list: &[u8], tag: &[u8], weak: bool) -> bool {
    let mut rest = list.trim_ascii();
    if rest == b"*" {
        return true;
    }
    while let Some((is_weak, found, behind)) = first_tag(rest) {
        if found == tag && (weak || !is_weak) {
            return true;
        }
        rest = behind;
    }
    false
}

/// The first tag of a list: weak or not, with its quotes, and what follows it. Tags may hold commas,
/// so a list cannot be split at them.
fn first_tag(list: &[u8]) -> Option<(bool, &[u8], &[u8])> {
    let begin = list.iter().position(|byte| !b", \t".contains(byte))?;
    let list = &list[begin..];
    let (weak, list) = match list.strip_prefix(b"W/") {
        Some(list) => (true, list),
        None => (false, list),
    };
    let inner = list.strip_prefix(b"\"")?;
    let end = inner.iter().position(|&byte| byte == b'"')?;
    Some((weak, &list[..end + 2], &list[end + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_in_lists() {
        for (list, weak, strong) in [
            ("\"a\"", true, true),
            ("W/\"a\"", true, false),
            ("\"b\", \"a\"", true, true),
            ("\"x,y\",W/\"a\" , \"z\"", true, false),
            ("*", true, true),
            ("\"b\"", false, false),
            ("a", false, false),
            ("\"a", false, false),
            ("\"aa\"", false, false),
            ("", false, false),
        ] {
            assert_eq!(any_weak(list.as_bytes(), b"\"a\""), weak, "{list}");
            assert_eq!(any_strong(list.as_bytes(), b"\"a\""), strong, "{list}");
        }
    }
}
