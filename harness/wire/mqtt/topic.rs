//! Names and filters of topics (MQTT 5.0, 4.7) and shared subscriptions (4.8.2).

/// True for a name to which something can be published: not empty and without wildcards. That it is
/// UTF-8 without U+0000 was checked when it was read.
#[inline]
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && memchr::memchr2(b'+', b'#', name.as_bytes()).is_none()
}

/// True for a filter: not empty, `+` alone on its level, `#` alone on the last one.
pub fn is_filter(filter: &str) -> bool {
    let mut levels = filter.split('/').peekable();
    let mut right = !filter.is_empty();
    while let Some(level) = levels.next() {
        right &= match level {
            "+" => true,
            "#" => levels.peek().is_none(),
            _ => is_name(level) || level.is_empty(),
        };
    }
    right
}

/// A shared subscription taken apart: its group and the filter of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared<'a> {
    /// The name of those who share.
    pub group: &'a str,
    /// What they share.
    pub filter: &'a str,
}

/// The group and filter of `$share/group/filter`; `None` for a filter that is not shared.
///
/// # Errors
/// A group that is empty or has wildcards, or no filter behind it.
pub fn shared(filter: &str) -> Result<Option<Shared<'_>>, NotShared> {
    let Some(rest) = filter.strip_prefix("$share/") else {
        return Ok(None);
    };
    match rest.split_once('/') {
        Some((group, filter)) if is_name(group) && is_filter(filter) => {
            Ok(Some(Shared { group, filter }))
        }
        _ => Err(NotShared),
    }
}

/// A filter that begins as a shared one and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected $share/group/filter, the group without wildcards")]
pub struct NotShared;

/// Whether a filter that is not shared takes messages of a name. This is what each registry must agree
/// with.
pub fn matches(filter: &str, name: &str) -> bool {
    // Names that begin with `$` are the server's: wildcards on the first level leave them alone (4.7.2).
    if name.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut names = name.split('/');
    let mut filters = filter.split('/');
    loop {
        match (filters.next(), names.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(filter), Some(name)) if filter == name => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_the_standard_shows() {
        for (filter, name, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/ranking",
                true,
            ),
            (
                "sport/tennis/player1/#",
                "sport/tennis/player1/score/wimbledon",
                true,
            ),
            ("sport/#", "sport", true),
            ("#", "a/b", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/monitor", false),
            ("+/monitor", "$SYS/monitor", false),
            ("$SYS/#", "$SYS/monitor", true),
            ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
            ("a", "A", false),
            ("a//b", "a//b", true),
            ("a/+/b", "a//b", true),
            ("a/b", "a/b/c", false),
            ("a/b/c", "a/b", false),
        ] {
            assert_eq!(matches(filter, name), expected, "{filter} {name}");
        }
    }

    #[test]
    fn wildcards_stand_alone_and_last() {
        for filter in ["#", "+", "a/#", "+/+/#", "/", "a b/c", "$SYS/#", "//"] {
            assert!(is_filter(filter), "{filter}");
        }
        for filter in ["", "a#", "a/#/b", "#/", "a+", "+a/b", "a/b#"] {
            assert!(!is_filter(filter), "{filter}");
        }
        assert!(is_name("a/b") && is_name("/") && !is_name("") && !is_name("a/+") && !is_name("#"));
    }

    #[test]
    fn shared_filters_have_a_group() {
        let taken = shared("$share/g/a/+").unwrap().unwrap();
        assert_eq!((taken.group, taken.filter), ("g", "a/+"));
        assert_eq!(shared("share/g/a"), Ok(None));
        for filter in [
            "$share/g",
            "$share//a",
            "$share/+/a",
            "$share/g/",
            "$share/g#/a",
        ] {
            assert_eq!(shared(filter), Err(NotShared), "{filter}");
        }
    }
}
