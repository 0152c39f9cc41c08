//! MQTT 3.1.1 and 5.0, by the statements of the two OASIS standards; each case names its own. All of them, with
//! the tests that hold the core to them, are in `statements.csv`.

mod connect;
mod deliver;
mod features;
mod peer;
mod sessions;
mod stream;

use std::sync::LazyLock;

use ringside_wire::mqtt::Version;

use crate::case::{Case, Failure, Target};

/// Every case of the family.
pub fn cases() -> &'static [Case] {
    static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
        [
            connect::CASES,
            deliver::CASES,
            sessions::CASES,
            features::CASES,
            stream::CASES,
        ]
        .concat()
    });
    &CASES
}

/// The versions that a target speaks.
fn versions(target: &Target) -> &'static [Version] {
    if target.cannot.iter().any(|lack| lack == "mqtt_5") {
        &[Version::V311]
    } else {
        &[Version::V311, Version::V5]
    }
}

/// Runs a case in each version that the target speaks.
fn in_each_version(
    target: &Target,
    run: impl Fn(Version) -> Result<(), Failure>,
) -> Result<(), Failure> {
    versions(target).iter().try_for_each(|&version| {
        run(version).map_err(|failure| Failure::new(format!("{version:?}: {failure}")))
    })
}

/// A case without needs beyond `needs`.
const fn case(
    name: &'static str,
    about: &'static str,
    needs: &'static [&'static str],
    run: fn(&Target) -> Result<(), Failure>,
) -> Case {
    Case {
        name,
        about,
        needs,
        run,
    }
}
