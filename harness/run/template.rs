//! Placeholders in a manifest: `{word}` in braces without spaces. Anything else in braces, such as a
//! block of an nginx configuration, is left alone.

use std::collections::BTreeMap;

/// What a manifest may ask for besides its own axes.
pub(crate) const PLACEHOLDERS: &[&str] = &[
    "host",
    "port",
    "root",
    "tmp",
    "workers",
    "cpus",
    "listener_fd",
];

/// What a build may ask for: it happens once, before any server has an address or a document root.
pub(crate) const BUILD_PLACEHOLDERS: &[&str] = &["tmp", "workers", "cpus"];

/// True when no axis may have this name.
pub(crate) fn is_reserved(name: &str) -> bool {
    PLACEHOLDERS.contains(&name)
}

/// Checks that every placeholder of `text` is one of `known`.
pub(crate) fn check(text: &str, known: &[&str]) -> Result<(), String> {
    for word in words(text) {
        if !known.contains(&word) {
            let known: Vec<_> = known.iter().map(|word| format!("{{{word}}}")).collect();
            return Err(format!(
                "unknown placeholder {{{word}}}, expected one of {}",
                known.join(", ")
            ));
        }
    }
    Ok(())
}

/// Replaces axes first, then the rest, so that the text of an axis may hold placeholders too.
pub(crate) fn fill(
    text: &str,
    axes: &BTreeMap<String, String>,
    values: &BTreeMap<&str, String>,
) -> String {
    let mut filled = text.to_owned();
    for (axis, value) in axes {
        filled = filled.replace(&format!("{{{axis}}}"), value);
    }
    for (name, value) in values {
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    filled
}

/// Every `{word}` of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| {
        let word = rest.split_once('}')?.0;
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        (!word.is_empty() && word.bytes().all(fits)).then_some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_in_braces_are_no_placeholders() {
        let text = "http { server { listen {host}:{port}; } }\nroute {http.request.uri} {}";
        assert_eq!(words(text).collect::<Vec<_>>(), ["host", "port"]);
    }

    #[test]
    fn unknown_placeholders_are_named() {
        let because = check("listen {prot};", &["port", "sendfile"]).unwrap_err();
        assert!(
            because.contains("{prot}") && because.contains("{sendfile}"),
            "{because}"
        );
    }

    #[test]
    fn text_of_an_axis_may_hold_placeholders() {
        let axes = BTreeMap::from([("log".to_owned(), "access_log {tmp}/log;".to_owned())]);
        let values = BTreeMap::from([("tmp", "/t".to_owned())]);
        assert_eq!(fill("a {log}", &axes, &values), "a access_log /t/log;");
    }
}
