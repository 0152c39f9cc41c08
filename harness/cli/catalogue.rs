//! Everything that has an id: the lists of all families, joined here and nowhere else.

#[cfg(measures)]
use ringside_contract::CountedFunction;
use ringside_contract::{Id, Scenario};
#[cfg(measures)]
use ringside_run::{Catalogue, Manifest};

use crate::args::Global;
#[cfg(measures)]
use crate::exit::UsageError;

/// The outside programs that come with the tool: manifest by name.
#[cfg(measures)]
const MANIFESTS: &[(&str, &str)] = &[
    (
        "impls/http/nginx.toml",
        include_str!("../../impls/http/nginx.toml"),
    ),
    (
        "impls/http/caddy.toml",
        include_str!("../../impls/http/caddy.toml"),
    ),
    (
        "impls/mqtt/mosquitto.toml",
        include_str!("../../impls/mqtt/mosquitto.toml"),
    ),
    (
        "impls/mqtt/rumqttd.toml",
        include_str!("../../impls/mqtt/rumqttd.toml"),
    ),
];

/// Every scenario.
pub(crate) fn scenarios() -> &'static [&'static dyn Scenario] {
    ringside_scenarios::all()
}

/// What is built in, and the outside programs: those that come with the tool and those of
/// `--manifest`, which may replace an outside program of the same id.
#[cfg(measures)]
pub(crate) fn catalogue(global: &Global) -> anyhow::Result<Catalogue> {
    let implementations = [
        ringside_echo::all(),
        ringside_http::all(),
        ringside_mqtt::all(),
    ]
    .concat();
    let in_process = ringside_operations::all();
    let mut programs = Vec::new();
    for (name, text) in MANIFESTS {
        programs.push(
            Manifest::parse(name, text, None).map_err(|error| UsageError(error.to_string()))?,
        );
    }
    for path in &global.manifest {
        let manifest = Manifest::read(path).map_err(|error| UsageError(error.to_string()))?;
        let id = manifest.meta().id;
        let own = implementations.iter().map(|own| own.meta().id);
        let mut own = own.chain(in_process.iter().map(|own| own.meta().id));
        if own.any(|own| own == id) {
            let path = path.display();
            return Err(UsageError(format!(
                "{path}: `{id}` is built into this tool; give the program an id of its own"
            ))
            .into());
        }
        programs.retain(|known: &Manifest| known.meta().id != id);
        programs.push(manifest);
    }
    Ok(Catalogue {
        implementations,
        in_process,
        scenarios: scenarios().to_vec(),
        programs,
    })
}

/// Every pure function whose instructions are counted.
#[cfg(measures)]
pub(crate) fn counted_functions() -> impl Iterator<Item = &'static CountedFunction> {
    let services = [ringside_http::counted(), ringside_mqtt::counted()];
    ringside_operations::counted().chain(services.into_iter().flatten())
}

/// Ids of every implementation and outside program.
#[cfg(measures)]
pub(crate) fn ids(global: &Global) -> anyhow::Result<Vec<Id>> {
    Ok(catalogue(global)?
        .candidates()
        .map(|candidate| candidate.meta().id())
        .collect())
}

/// A build that cannot measure has no implementation of its own.
#[cfg(not(measures))]
pub(crate) fn ids(_: &Global) -> anyhow::Result<Vec<Id>> {
    Ok(Vec::new())
}
