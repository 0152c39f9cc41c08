//! How two builds differ besides their source, in sentences. A slowdown with a new crate in it is
//! looked for elsewhere than one without.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

/// The texts that say how a build is made; `None` where there is no such file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    /// `Cargo.lock`.
    pub(crate) lock: Option<String>,
    /// `rust-toolchain.toml` or `rust-toolchain`.
    pub(crate) toolchain: Option<String>,
    /// `.cargo/config.toml`.
    pub(crate) config: Option<String>,
    /// `Cargo.toml` of the topmost folder.
    pub(crate) manifest: Option<String>,
}

/// The differences, in the order in which they are likely to matter; empty when there are none.
pub(crate) fn differences(base: &Sources, head: &Sources) -> Vec<String> {
    let mut sentences = Vec::new();
    sentences.extend(toolchain(
        base.toolchain.as_deref(),
        head.toolchain.as_deref(),
    ));
    sentences.extend(tables(
        ".cargo/config.toml",
        &config(base.config.as_deref()),
        &config(head.config.as_deref()),
        " (both are built with head's)",
    ));
    sentences.extend(tables(
        "[profile.release]",
        &profile(base.manifest.as_deref()),
        &profile(head.manifest.as_deref()),
        "",
    ));
    sentences.extend(lock(base.lock.as_deref(), head.lock.as_deref()));
    sentences
}

fn toolchain(base: Option<&str>, head: Option<&str>) -> Option<String> {
    let (base, head) = (base.map(channel), head.map(channel));
    let name = |side: &Option<String>| side.clone().unwrap_or_else(|| "none".to_owned());
    (base != head).then(|| {
        format!(
            "the toolchain file changed from {} to {} (both are built with head's toolchain)",
            name(&base),
            name(&head)
        )
    })
}

/// What a toolchain file asks for: the old form is the name alone.
fn channel(text: &str) -> String {
    let Ok(table) = text.parse::<Table>() else {
        return text.trim().to_owned();
    };
    let mut entries = flat(&table);
    match entries.remove("toolchain.channel") {
        Some(channel) if entries.is_empty() => channel,
        Some(channel) => {
            let rest: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{key} = {value}"))
                .collect();
            format!("{channel} with {}", rest.join(", "))
        }
        None => text.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}

/// Entries of two TOML tables that differ, a sentence each.
fn tables(file: &str, base: &Parsed, head: &Parsed, note: &str) -> Vec<String> {
    let (base, head) = match (base, head) {
        (Ok(base), Ok(head)) => (base, head),
        (base, head) if base == head => return Vec::new(),
        _ => return vec![format!("{file} changed, and is not TOML on one side")],
    };
    let keys: BTreeSet<_> = base.keys().chain(head.keys()).collect();
    let change = |key: &&String| match (base.get(*key), head.get(*key)) {
        (Some(base), Some(head)) if base == head => None,
        (Some(base), Some(head)) => Some(format!("changed from {base} to {head}")),
        (Some(base), None) => Some(format!("was {base} and is gone")),
        (None, Some(head)) => Some(format!("is new: {head}")),
        (None, None) => None,
    };
    keys.iter()
        .filter_map(|key| Some(format!("{file}: {key} {}{note}", change(key)?)))
        .collect()
}

/// Flat entries, or the text that could not be read.
type Parsed = Result<BTreeMap<String, String>, String>;

fn parsed(text: Option<&str>) -> Parsed {
    let text = text.unwrap_or_default();
    let table: Table = text.parse().map_err(|_| text.to_owned())?;
    Ok(flat(&table))
}

/// The entries of cargo's configuration; names of commands change no build.
fn config(text: Option<&str>) -> Parsed {
    let mut entries = parsed(text)?;
    entries.retain(|key, _| !key.starts_with("alias."));
    Ok(entries)
}

/// The entries of the profile of released builds, also those of single packages.
fn profile(manifest: Option<&str>) -> Parsed {
    const START: &str = "profile.release.";
    let entries = parsed(manifest)?.into_iter();
    Ok(entries
        .filter_map(|(key, value)| Some((key.strip_prefix(START)?.to_owned(), value)))
        .collect())
}

/// All entries by their whole name, such as `build.rustflags`.
fn flat(table: &Table) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => {
                let inner = flat(inner).into_iter();
                entries.extend(inner.map(|(rest, value)| (format!("{key}.{rest}"), value)));
            }
            Value::String(text) => drop(entries.insert(key.clone(), text.clone())),
            other => drop(entries.insert(key.clone(), other.to_string())),
        }
    }
    entries
}

/// Crates of two lock files that differ, a sentence each.
fn lock(base: Option<&str>, head: Option<&str>) -> Vec<String> {
    let (base, head) = match (base.map(crates), head.map(crates)) {
        (None, None) => return Vec::new(),
        (Some(Some(base)), Some(Some(head))) => (base, head),
        (None, _) => return vec!["base has no Cargo.lock".to_owned()],
        (_, None) => return vec!["head has no Cargo.lock".to_owned()],
        _ => return vec!["a Cargo.lock cannot be read, so crates were not compared".to_owned()],
    };
    let none = BTreeMap::new();
    let names: BTreeSet<_> = base.keys().chain(head.keys()).collect();
    let change = |name: &&String| {
        let (base, head) = (
            base.get(*name).unwrap_or(&none),
            head.get(*name).unwrap_or(&none),
        );
        versions(name, base, head)
    };
    names.iter().filter_map(change).collect()
}

/// Versions of one crate, each with its source and checksum.
type Versions = BTreeMap<String, String>;

fn versions(name: &str, base: &Versions, head: &Versions) -> Option<String> {
    if base == head {
        return None;
    }
    // What both have alike says nothing of the change.
    let own = |this: &Versions, other: &Versions| {
        let own = this
            .iter()
            .filter(|(version, origin)| other.get(*version) != Some(*origin));
        own.map(|(version, _)| version.clone())
            .collect::<Vec<_>>()
            .join(" and ")
    };
    let (old, new) = (own(base, head), own(head, base));
    Some(if old.is_empty() {
        format!("crate {name} {new} was added")
    } else if new.is_empty() {
        format!("crate {name} {old} was removed")
    } else if old == new {
        format!("crate {name} {new} comes from another source or has another content")
    } else {
        format!("crate {name} changed from {old} to {new}")
    })
}

fn crates(text: &str) -> Option<BTreeMap<String, Versions>> {
    let table: Table = text.parse().ok()?;
    let mut crates: BTreeMap<String, Versions> = BTreeMap::new();
    let packages = table.get("package").and_then(Value::as_array);
    for package in packages.into_iter().flatten() {
        let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
        let origin = format!("{} {}", text("source"), text("checksum"));
        let versions = crates.entry(text("name").to_owned()).or_default();
        versions.insert(text("version").to_owned(), origin);
    }
    Some(crates)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock_of(crates: &[(&str, &str, &str)]) -> Option<String> {
        let package = |(name, version, checksum): &(&str, &str, &str)| {
            format!(
                "[[package]]\nname = '{name}'\nversion = '{version}'\nchecksum = '{checksum}'\n"
            )
        };
        Some(crates.iter().map(package).collect())
    }

    fn check(base: &Sources, head: &Sources, expected: &[&str]) {
        assert_eq!(differences(base, head), expected);
        assert!(differences(base, base).is_empty());
    }

    #[test]
    fn crates_are_added_removed_and_changed() {
        let base = [
            ("a", "1.0.0", ""),
            ("b", "1.0.0", ""),
            ("c", "1.0.0", ""),
            ("same", "1.0.0", ""),
        ];
        let head = [
            ("a", "1.1.0", ""),
            ("c", "1.0.0", "x"),
            ("d", "2.0.0", ""),
            ("same", "1.0.0", ""),
        ];
        let of = |crates| Sources {
            lock: lock_of(crates),
            ..Sources::default()
        };
        let expected = [
            "crate a changed from 1.0.0 to 1.1.0",
            "crate b 1.0.0 was removed",
            "crate c 1.0.0 comes from another source or has another content",
            "crate d 2.0.0 was added",
        ];
        check(&of(&base), &of(&head), &expected);
    }

    #[test]
    fn a_second_version_of_a_crate_is_an_addition() {
        let base = [("a", "1.0.0", "")];
        let head = [("a", "1.0.0", ""), ("a", "2.0.0", "")];
        let of = |crates| Sources {
            lock: lock_of(crates),
            ..Sources::default()
        };
        check(&of(&base), &of(&head), &["crate a 2.0.0 was added"]);
        check(&of(&head), &of(&base), &["crate a 2.0.0 was removed"]);
    }

    #[test]
    fn a_missing_or_broken_lock_file_is_said() {
        let with = |lock: Option<&str>| Sources {
            lock: lock.map(str::to_owned),
            ..Sources::default()
        };
        check(&with(None), &with(Some("")), &["base has no Cargo.lock"]);
        check(&with(Some("")), &with(None), &["head has no Cargo.lock"]);
        let unread = differences(&with(Some("<<<<<<< ours")), &with(Some("")));
        assert_eq!(
            unread,
            ["a Cargo.lock cannot be read, so crates were not compared"]
        );
    }

    #[test]
    fn toolchain_config_and_profile_are_told_apart() {
        let base = Sources {
            toolchain: Some("1.90.0\n".to_owned()),
            config: Some("[build]\nrustflags = ['-g']\n[alias]\nx = 'y'".to_owned()),
            manifest: Some(
                "[profile.release]\nlto = 'thin'\n[profile.dev]\nopt-level = 1".to_owned(),
            ),
            lock: None,
        };
        let head = Sources {
            toolchain: Some("[toolchain]\nchannel = '1.91.0'\nprofile = 'minimal'".to_owned()),
            config: Some("[build]\nrustflags = ['-g', '-O']\n[alias]\nx = 'z'".to_owned()),
            manifest: Some(
                "[profile.release]\npanic = 'abort'\n[profile.dev]\nopt-level = 2".to_owned(),
            ),
            lock: None,
        };
        let expected = [
            "the toolchain file changed from 1.90.0 to 1.91.0 with toolchain.profile = minimal \
             (both are built with head's toolchain)",
            ".cargo/config.toml: build.rustflags changed from [\"-g\"] to [\"-g\", \"-O\"] \
             (both are built with head's)",
            "[profile.release]: lto was thin and is gone",
            "[profile.release]: panic is new: abort",
        ];
        check(&base, &head, &expected);
    }

    #[test]
    fn the_two_forms_of_a_toolchain_file_are_the_same_toolchain() {
        let of = |text: &str| Sources {
            toolchain: Some(text.to_owned()),
            ..Sources::default()
        };
        check(&of("1.91.0"), &of("[toolchain]\nchannel = '1.91.0'"), &[]);
    }
}
