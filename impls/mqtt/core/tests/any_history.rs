//! Any history of two clients, and a broker that is killed behind it: the next one has what it had.

use std::path::Path;

use proptest::prelude::*;

use ringside_wire::mqtt::packet::Wanted;

use super::super::*;
use super::hall::*;
use super::persistence::{BEGAN, after_kill, keeper};

/// A step of the conversation with one of two clients.
#[derive(Debug, Clone)]
enum Action {
    Connect {
        client: usize,
        clean: bool,
        lasting: bool,
        will: bool,
    },
    Lose {
        client: usize,
    },
    Say {
        client: usize,
        what: What,
    },
    Take {
        client: usize,
    },
    Pass {
        seconds: u64,
    },
    WriteAnew,
}

/// What a client says.
#[derive(Debug, Clone, Copy)]
enum What {
    Goodbye {
        expiry_s: u32,
    },
    Subscribe {
        filter: usize,
        quality: u8,
    },
    Unsubscribe {
        filter: usize,
    },
    Publish {
        topic: usize,
        quality: u8,
        retain: bool,
        empty: bool,
        number: u16,
    },
    Acknowledge {
        kind: usize,
        number: u16,
    },
}

const CLIENTS: [&str; 2] = ["a", "b"];
const FILTERS: [&str; 4] = ["x/+", "x/y", "#", "$share/g/x/+"];
const TOPICS: [&str; 2] = ["x/y", "x/z"];
const KINDS: [Kind; 4] = [Kind::PubAck, Kind::PubRec, Kind::PubRel, Kind::PubComp];

fn often(share: f64) -> impl Strategy<Value = bool> {
    prop::bool::weighted(share)
}

/// Mostly what a message needs on its way, so that most that is said makes sense.
fn what() -> impl Strategy<Value = What> {
    let publish = (0..TOPICS.len(), 0..3_u8, often(0.2), often(0.3), 1..4_u16);
    prop_oneof![
        1 => (0..3_u32).prop_map(|expiry_s| What::Goodbye { expiry_s }),
        3 => (0..FILTERS.len(), 0..3_u8)
            .prop_map(|(filter, quality)| What::Subscribe { filter, quality }),
        1 => (0..FILTERS.len()).prop_map(|filter| What::Unsubscribe { filter }),
        8 => publish.prop_map(|(topic, quality, retain, empty, number)| What::Publish {
            topic,
            quality,
            retain,
            empty,
            number
        }),
        8 => (0..KINDS.len(), 1..4_u16)
            .prop_map(|(kind, number)| What::Acknowledge { kind, number }),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let client = || 0..CLIENTS.len();
    let connect = (client(), often(0.2), often(0.8), often(0.3));
    prop_oneof![
        3 => connect.prop_map(|(client, clean, lasting, will)| Action::Connect {
            client,
            clean,
            lasting,
            will
        }),
        1 => client().prop_map(|client| Action::Lose { client }),
        20 => (client(), what()).prop_map(|(client, what)| Action::Say { client, what }),
        2 => client().prop_map(|client| Action::Take { client }),
        1 => (1..40_u64).prop_map(|seconds| Action::Pass { seconds }),
        1 => Just(Action::WriteAnew),
    ]
}

/// The clients' connections, and a watcher whose ticks make time pass.
struct Play {
    hall: Hall,
    watcher: usize,
    connections: [Option<usize>; CLIENTS.len()],
}

impl Play {
    fn new(folder: &Path) -> Self {
        let mut hall = keeper(folder, BEGAN);
        let watcher = hall.connect(&hello("watcher"));
        Self {
            hall,
            watcher,
            connections: [None; CLIENTS.len()],
        }
    }

    /// Says something, when the client has a connection, and ends it when the broker does.
    fn say(&mut self, client: usize, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(number) = self.connections[client] {
            self.hall.say(number, write);
            if self.hall.clients[number].as_ref().unwrap().ended {
                self.end(client);
            }
        }
    }

    fn end(&mut self, client: usize) {
        if let Some(number) = self.connections[client].take() {
            self.hall.lose(number);
        }
    }

    fn connect(&mut self, client: usize, clean: bool, lasting: bool, will: bool) {
        let connect = encode::Connect {
            clean_start: clean,
            properties: if lasting { LASTING } else { &[] },
            will: will.then_some(encode::Will {
                topic: "x/y",
                payload: b"will",
                quality: AtLeastOnce,
                retain: clean,
                properties: &[(PropertyId::WILL_DELAY, Value::Number(5))],
            }),
            ..hello(CLIENTS[client])
        };
        // The one before it is taken over.
        let before = self.connections[client].replace(self.hall.connect(&connect));
        if let Some(number) = before {
            self.hall.take_end(number);
        }
    }

    fn act(&mut self, action: &Action) {
        match *action {
            Action::Connect {
                client,
                clean,
                lasting,
                will,
            } => self.connect(client, clean, lasting, will),
            Action::Lose { client } => self.end(client),
            Action::Take { client } => {
                if let Some(number) = self.connections[client] {
                    self.hall.take(number);
                }
            }
            Action::Pass { seconds } => {
                self.hall.pass(1000 * seconds, self.watcher);
            }
            Action::WriteAnew => self.hall.mqtt.broker.write_anew(),
            Action::Say { client, what } => self.say(client, |out| what.write(out)),
        }
    }
}

impl What {
    fn write(self, out: &mut Vec<u8>) {
        let quality = |bits| QualityOfService::from_bits(bits).unwrap();
        match self {
            Self::Goodbye { expiry_s } => {
                let properties = [(PropertyId::SESSION_EXPIRY, Value::Number(expiry_s))];
                encode::farewell(out, V5, Kind::Disconnect, Reason::SUCCESS, &properties);
            }
            Self::Subscribe {
                filter,
                quality: bits,
            } => {
                let wanted = Wanted {
                    filter: FILTERS[filter],
                    quality: quality(bits),
                    no_local: filter == 1,
                    retain_as_published: filter == 2,
                    retain_handling: 0,
                };
                encode::subscribe(out, V5, 1, &[], &[wanted]);
            }
            Self::Unsubscribe { filter } => {
                encode::unsubscribe(out, V5, 1, &[], &[FILTERS[filter]]);
            }
            Self::Publish {
                topic,
                quality: bits,
                retain,
                empty,
                number,
            } => {
                let text = if empty { "" } else { "text" };
                let publish = encode::Publish {
                    retain,
                    identifier: number,
                    ..message(TOPICS[topic], text, quality(bits))
                };
                encode::publish(out, V5, &publish);
            }
            Self::Acknowledge { kind, number } => {
                let (version, kind) = (V5, KINDS[kind]);
                encode::acknowledge(out, version, kind, number, Reason::SUCCESS, &[]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happened, the next broker has what the killed one had.
    #[test]
    fn the_next_broker_has_what_the_killed_one_had(actions in prop::collection::vec(action(), 1..80)) {
        let folder = tempfile::tempdir().unwrap();
        let mut play = Play::new(folder.path());
        actions.iter().for_each(|action| play.act(action));
        let (next, _copied) = after_kill(folder.path(), &play.hall, 0);
        prop_assert_eq!(next.mqtt.broker.describe(), play.hall.mqtt.broker.describe());
    }
}
