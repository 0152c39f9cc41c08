//! A broker that is killed while messages come in, and started again: what it acknowledged is there.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rumqttc::{Client, Connection, Event, Incoming, MqttOptions, Outgoing, QoS};
use serde_json::Value;

/// Who hears nothing for so long has lost. It is long because a busy machine must not fail a test.
const PATIENCE: Duration = Duration::from_secs(20);

/// Messages that are published; the broker is killed when it has acknowledged a part of them.
const PUBLISHED: u32 = 900;
const ACKNOWLEDGED: usize = 300;

/// A broker in a process of its own.
struct Broker {
    process: Child,
    port: u16,
}

impl Broker {
    /// `None` where this machine cannot run it.
    fn start(id: &str, state: &Path) -> Option<Self> {
        let mut process = Command::new(env!("CARGO_BIN_EXE_ringside"))
            .args(["serve", id, "--state", state.to_str().unwrap()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        if line.is_empty() {
            process.wait().unwrap();
            return None;
        }
        let ready: Value = serde_json::from_str(&line).unwrap();
        let address = ready["addr"].as_str().unwrap();
        let port = address.rsplit(':').next().unwrap().parse().unwrap();
        Some(Self { process, port })
    }

    fn client(&self, name: &str) -> (Client, Connection) {
        let mut options = MqttOptions::new(name, "127.0.0.1", self.port);
        options.set_clean_session(name == "visitor");
        options.set_inflight(1000);
        Client::new(options, 2000)
    }
}

impl Drop for Broker {
    /// SIGKILL.
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The next thing that comes in or goes out.
fn next(connection: &mut Connection) -> Event {
    let event = connection.recv_timeout(PATIENCE).expect("something comes");
    event.expect("the connection holds")
}

/// A subscription of a client that leaves.
fn subscribe_and_leave(broker: &Broker) {
    let (client, mut connection) = broker.client("reader");
    client.subscribe("news/+", QoS::ExactlyOnce).unwrap();
    while !matches!(next(&mut connection), Event::Incoming(Incoming::SubAck(_))) {}
    client.disconnect().unwrap();
    while !matches!(next(&mut connection), Event::Outgoing(Outgoing::Disconnect)) {}
}

/// Publishes, and gives the numbers of the messages that were acknowledged before the broker is killed.
fn publish_and_kill(broker: Broker) -> BTreeSet<u32> {
    let (client, mut connection) = broker.client("writer");
    for number in 0..PUBLISHED {
        let quality = if number % 2 == 0 {
            QoS::AtLeastOnce
        } else {
            QoS::ExactlyOnce
        };
        let topic = format!("news/{}", number % 3);
        client
            .publish(topic, quality, true, number.to_string())
            .unwrap();
    }
    let mut acknowledged = BTreeSet::new();
    while acknowledged.len() < ACKNOWLEDGED {
        // Packet identifiers are given out in order, from 1.
        let identifier = match next(&mut connection) {
            Event::Incoming(Incoming::PubAck(acknowledge)) => acknowledge.pkid,
            Event::Incoming(Incoming::PubRec(acknowledge)) => acknowledge.pkid,
            _ => continue,
        };
        acknowledged.insert(u32::from(identifier) - 1);
    }
    drop(broker);
    acknowledged
}

/// What waits for the reader, until nothing more can.
fn read(broker: &Broker) -> Vec<u32> {
    let (client, mut connection) = broker.client("reader");
    let mut numbers = Vec::new();
    loop {
        match next(&mut connection) {
            Event::Incoming(Incoming::ConnAck(answer)) => {
                assert!(answer.session_present, "the session is gone");
                // It comes behind everything that waits.
                let (visitor, mut visit) = broker.client("visitor");
                visitor
                    .publish("news/0", QoS::AtLeastOnce, false, "end")
                    .unwrap();
                while !matches!(next(&mut visit), Event::Incoming(Incoming::PubAck(_))) {}
            }
            Event::Incoming(Incoming::Publish(publish)) if *publish.payload == *b"end" => break,
            Event::Incoming(Incoming::Publish(publish)) => {
                let text = std::str::from_utf8(&publish.payload).unwrap();
                numbers.push(text.parse().unwrap());
            }
            _ => {}
        }
    }
    drop(client);
    numbers
}

/// The last messages of the topics.
fn retained(broker: &Broker) -> usize {
    let (client, mut connection) = broker.client("visitor");
    client.subscribe("news/+", QoS::AtMostOnce).unwrap();
    let mut count = 0;
    while count < 3 {
        if let Event::Incoming(Incoming::Publish(publish)) = next(&mut connection) {
            assert!(publish.retain);
            count += 1;
        }
    }
    count
}

#[test]
fn what_a_killed_broker_acknowledged_is_there_when_it_is_back() {
    for engine in ["epoll", "uring", "blocking", "tokio", "per_core_epoll"] {
        let id = format!("mqtt/{engine}[persistence=file]");
        let state = tempfile::tempdir().unwrap();
        let Some(broker) = Broker::start(&id, state.path()) else {
            assert_eq!(engine, "uring", "only a ring may be refused");
            continue;
        };
        subscribe_and_leave(&broker);
        let acknowledged = publish_and_kill(broker);
        let broker = Broker::start(&id, state.path()).unwrap();
        let numbers = read(&broker);
        let unique: BTreeSet<_> = numbers.iter().copied().collect();
        assert_eq!(unique.len(), numbers.len(), "{id}: some came twice");
        let lost: Vec<_> = acknowledged.difference(&unique).collect();
        assert!(lost.is_empty(), "{id} lost {lost:?}");
        assert!(numbers.is_sorted(), "{id}: out of order");
        assert_eq!(retained(&broker), 3);
    }
}
