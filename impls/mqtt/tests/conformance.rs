//! Every case of the family over every engine, with each value of each axis changed alone.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::thread;

use ringside_conform::{Outcome, Target, check, mqtt};
use ringside_contract::{Implementation, ServeOptions, Settings, StartError};

/// The variants at once, since some cases wait for seconds.
#[test]
fn every_engine_conforms_with_every_axis_value() {
    let started = thread::scope(|scope| {
        let threads: Vec<_> = variants()
            .into_iter()
            .map(|(implementation, axes)| scope.spawn(move || conforms(implementation, &axes)))
            .collect();
        let started = threads.into_iter().map(|thread| thread.join().unwrap());
        started.filter(|&started| started).count()
    });
    assert!(started >= 1, "no variant could be started");
}

/// False for what this machine refuses to start, such as a ring in a container.
fn conforms(implementation: &dyn Implementation, axes: &Settings) -> bool {
    let spec = implementation.meta().canonical(axes).unwrap();
    let service = match implementation.start(&options(implementation, axes)) {
        Ok(service) => service,
        Err(error @ StartError::Unsupported { .. }) => {
            eprintln!("{spec}: {error}");
            return false;
        }
        Err(error) => panic!("{spec}: {error}"),
    };
    eprintln!("checking {spec}");
    for &address in &service.endpoint().addresses {
        let target = Target {
            address,
            root: None,
            cannot: Vec::new(),
        };
        for case in mqtt::cases() {
            let outcome = check(case, &target);
            assert_eq!(outcome, Outcome::Passed, "{spec}: {}", case.name);
        }
    }
    service.stop().unwrap();
    true
}

fn variants() -> Vec<(&'static dyn Implementation, Settings)> {
    let mut variants = Vec::new();
    // Floors are limits and no brokers.
    let brokers = ringside_mqtt::all()
        .iter()
        .filter(|implementation| implementation.meta().ranked);
    for &implementation in brokers {
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
