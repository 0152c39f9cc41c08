//! `ringside identity`: how this build was made and what it offers, as one line of JSON. The gate asks
//! both builds, whose versions may differ, for it.

use ringside_contract::GATE_SCHEMA;

use crate::args::Global;
use crate::catalogue;
use crate::commands::gate::Identity;
use crate::exit::Exit;
use crate::output::Output;
use crate::session;

/// Prints the line.
pub(crate) fn identity(global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let catalogue = catalogue::catalogue(global)?;
    let services = catalogue.implementations.iter().map(|own| own.meta());
    let own = services.chain(catalogue.in_process.iter().map(|own| own.meta()));
    let scenarios = catalogue.scenarios.iter();
    output.json(&Identity {
        schema: GATE_SCHEMA,
        build: session::own_build()?,
        implementations: own.map(|meta| meta.id.to_owned()).collect(),
        scenarios: scenarios.map(|one| one.meta().id.to_owned()).collect(),
        functions: catalogue::counted_functions()
            .map(|function| function.name.to_owned())
            .collect(),
    })?;
    Ok(Exit::Ok)
}
