//! A client library that other people wrote, in both versions, against every broker.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::net::SocketAddr;
use std::time::Duration;

use ringside_contract::{Implementation, ServeOptions, Settings, StartError};

/// A client that hears nothing for so long has lost. It is long because a busy machine must not fail a test.
const PATIENCE: Duration = Duration::from_secs(20);

/// Messages at each quality.
const COUNT: u32 = 50;

/// Defines the same conversation with each of the library's two sets of types, which are alike by name: it
/// subscribes at QoS 2, publishes at all three, and gives the payloads that come back.
macro_rules! conversation {
    ($name:ident, $client:path, $options:path, $event:path, $incoming:path, $quality:path) => {
        fn $name(address: SocketAddr) -> Vec<String> {
            use $client as Client;
            use $event as Event;
            use $incoming as Incoming;
            use $options as Options;
            use $quality as QoS;
            let host = address.ip().to_string();
            let mut options = Options::new("library", host, address.port());
            options.set_keep_alive(Duration::from_secs(5));
            let (client, mut connection) = Client::new(options, 1000);
            client.subscribe("library/+", QoS::ExactlyOnce).unwrap();
            let mut came = Vec::new();
            while came.len() < 3 * COUNT as usize {
                let event = connection.recv_timeout(PATIENCE).expect("something comes");
                match event.expect("the connection holds") {
                    Event::Incoming(Incoming::SubAck(_)) => {
                        for number in 0..COUNT {
                            for quality in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
                                let payload = format!("{number} {quality:?}");
                                client
                                    .publish("library/a", quality, false, payload)
                                    .unwrap();
                            }
                        }
                    }
                    Event::Incoming(Incoming::Publish(publish)) => {
                        came.push(String::from_utf8(publish.payload.to_vec()).unwrap());
                    }
                    _ => {}
                }
            }
            client.disconnect().unwrap();
            // Until the goodbye is sent.
            while let Ok(Ok(event)) = connection.recv_timeout(PATIENCE) {
                let _ = event;
            }
            came
        }
    };
}

conversation!(
    in_3_1_1,
    rumqttc::Client,
    rumqttc::MqttOptions,
    rumqttc::Event,
    rumqttc::Packet,
    rumqttc::QoS
);
conversation!(
    in_5,
    rumqttc::v5::Client,
    rumqttc::v5::MqttOptions,
    rumqttc::v5::Event,
    rumqttc::v5::mqttbytes::v5::Packet,
    rumqttc::v5::mqttbytes::QoS
);

#[test]
fn a_library_gets_every_message_that_it_sends() {
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
        for (version, came) in [("3.1.1", in_3_1_1(address)), ("5", in_5(address))] {
            for quality in ["AtMostOnce", "AtLeastOnce", "ExactlyOnce"] {
                let of_quality: Vec<_> =
                    came.iter().filter(|came| came.ends_with(quality)).collect();
                let sent: Vec<_> = (0..COUNT)
                    .map(|number| format!("{number} {quality}"))
                    .collect();
                let id = implementation.meta().id;
                assert_eq!(
                    of_quality,
                    sent.iter().collect::<Vec<_>>(),
                    "{id} {version}"
                );
            }
        }
        service.stop().unwrap();
    }
}

fn options(implementation: &dyn Implementation) -> ServeOptions {
    ServeOptions::local(implementation.meta().resolve(&Settings::default()).unwrap())
}
