//! What the suites over every engine share.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use ringside_contract::{Implementation, ServeOptions, Service, Settings, StartError};

/// Starts every implementation with each value of each axis changed alone; `act` gets the name, the
/// addresses and the service.
///
/// An implementation that this machine refuses to start (such as a ring in a container) is named on
/// standard error and passed over; every other failure is one.
pub(crate) fn each_variant(mut act: impl FnMut(&str, Vec<SocketAddr>, Box<dyn Service>)) {
    let mut started = 0;
    for (implementation, axes) in variants() {
        let spec = implementation.meta().canonical(&axes).unwrap();
        match implementation.start(&options(implementation, &axes)) {
            Ok(service) => {
                eprintln!("checking {spec}");
                act(
                    &spec.to_string(),
                    service.endpoint().addresses.clone(),
                    service,
                );
                started += 1;
            }
            Err(error @ StartError::Unsupported { .. }) => eprintln!("{spec}: {error}"),
            Err(error) => panic!("{spec}: {error}"),
        }
    }
    assert!(started >= 6, "only {started} variants could be started");
}

fn variants() -> Vec<(&'static dyn Implementation, Settings)> {
    let mut variants = Vec::new();
    for &implementation in ringside_echo::all() {
        variants.push((implementation, Settings::default()));
        for axis in implementation.meta().axes {
            for value in axis.values.iter().filter(|&&value| value != axis.default) {
                let mut axes = Settings::default();
                axes.set(axis.name, value);
                variants.push((implementation, axes));
            }
        }
    }
    variants
}

fn options(implementation: &dyn Implementation, axes: &Settings) -> ServeOptions {
    ServeOptions::local(implementation.meta().resolve(axes).unwrap())
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    // A missing answer fails the test instead of hanging it.
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}
