//! A worker process alone: what `ringside serve build/...` becomes. `just build-matrix` makes one of it for each set of flags
//! under comparison, small enough to be built ten times.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use ringside_contract::operations::{InProcess, Tested};
use ringside_contract::{ServeOptions, Settings};
use ringside_load::{WorkerOrder, serve_in_process};

/// As in the tool itself: what is counted costs the same in each.
#[global_allocator]
static ALLOCATOR: ringside_metal::CountingAllocator = ringside_metal::CountingAllocator;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(order), None) = (arguments.next(), arguments.next()) else {
        bail!("this program is started by `ringside serve build/...`, which gives it one argument");
    };
    let order: WorkerOrder =
        serde_json::from_str(&order).context("the argument is no order for a worker")?;
    let own = env!("RINGSIDE_COMMIT");
    if order.commit != own {
        bail!(
            "this program is of commit {own}, and the tool of {}: run `just build-matrix` again",
            order.commit
        );
    }
    serve(&order)
}

fn serve(order: &WorkerOrder) -> anyhow::Result<()> {
    let mut builds = ringside_operations::builds().iter();
    let operation = builds
        .find(|operation| operation.meta().id == order.id)
        .with_context(|| format!("there is no build `{}`", order.id))?;
    let options = ServeOptions {
        listen: order.listen,
        workers: order.workers,
        cpus: order.cpus.clone(),
        ..ServeOptions::local(Settings::default())
    };
    let service = serve_in_process(*operation, &options, run_case)
        .with_context(|| format!("failed to start {} on {}", order.id, order.listen))?;
    let addresses = &service.endpoint().addresses;
    let ready = serde_json::json!({
        "id": order.id,
        "addr": addresses.first(),
        "addrs": addresses,
        "pid": std::process::id(),
        "workers": order.workers,
        "chosen": concat!(
            "a program built by ", env!("RINGSIDE_RUSTC"), " for ", env!("RINGSIDE_TARGET"), " with ",
            env!("RINGSIDE_FLAGS")
        ),
    });
    writeln!(std::io::stdout(), "{ready}").context("failed to say that it is ready")?;
    // A signal ends it: it keeps nothing.
    loop {
        std::thread::park();
    }
}

fn run_case(operation: &dyn InProcess, axes: &Settings, case: &str) -> Result<(), String> {
    match operation.tested(axes).map_err(|error| error.to_string())? {
        Tested::Build(build) => ringside_conform::build::run(case, build.as_ref())
            .map_err(|failure| failure.to_string()),
        _ => Err(format!("{} is no build", operation.meta().id)),
    }
}
