//! Clients that other people wrote.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::Command;

use ringside_contract::{Implementation, ServeOptions, Settings, StartError};

/// A client program with `options`; `None` where it is not installed.
fn run(program: &str, address: SocketAddr, options: &[&str]) -> Option<String> {
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let output = Command::new(program)
        .args(["-h", &host, "-p", &port])
        .args(options)
        .output();
    match output {
        Ok(output) => {
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{program} {options:?}: {error}");
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("skipped: no {program}; apt-get install mosquitto-clients installs it");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// In both versions, at each quality: a message that is kept comes to who subscribes. The subscriber
/// gives up after 20 s.
#[test]
fn mosquitto_clients_get_what_they_send() {
    // Floors are limits and no brokers.
    let all = ringside_mqtt::all().iter();
    for &implementation in all.filter(|implementation| implementation.meta().ranked) {
        let service = match implementation.start(&options(implementation)) {
            Ok(service) => service,
            Err(error @ StartError::Unsupported { .. }) => {
                eprintln!("{}: {error}", implementation.meta().id);
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let address = service.endpoint().addresses[0];
        for (version, quality) in ["311", "5"]
            .into_iter()
            .flat_map(|version| ["0", "1", "2"].map(|quality| (version, quality)))
        {
            let how = ["-V", version, "-q", quality];
            let message = ["-r", "-t", "a/b", "-m", "hello there"];
            if run("mosquitto_pub", address, &[&how[..], &message].concat()).is_none() {
                return;
            }
            let wanted = ["-C", "1", "-W", "20", "-t", "a/+"];
            let came = run("mosquitto_sub", address, &[&how[..], &wanted].concat());
            let id = implementation.meta().id;
            assert_eq!(came.as_deref(), Some("hello there\n"), "{id} {how:?}");
        }
        service.stop().unwrap();
    }
}

fn options(implementation: &dyn Implementation) -> ServeOptions {
    ServeOptions::local(implementation.meta().resolve(&Settings::default()).unwrap())
}
