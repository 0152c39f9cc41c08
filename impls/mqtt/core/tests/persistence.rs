//! What a killed broker leaves, as the next one finds it: the journal is copied at any time, as if the process
//! had ended there.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ringside_contract::Settings;
use tempfile::TempDir;

use super::super::*;
use super::hall::*;

pub(super) const JOURNAL: &str = "broker.journal";

/// The wall clock when the first broker starts.
pub(super) const BEGAN: u64 = 1_000_000;

fn settings() -> BrokerSettings {
    let mut axes = Settings::default();
    axes.set("persistence", "file");
    BrokerSettings::new(&axes).unwrap()
}

/// A broker that keeps its journal in `folder`.
pub(super) fn keeper(folder: &Path, now: u64) -> Hall {
    Hall::of(Mqtt::open_at(&settings(), Some(folder), Wall::of(now)).unwrap())
}

/// A folder with what a broker has written so far.
fn copy(folder: &Path) -> TempDir {
    let copied = tempfile::tempdir().unwrap();
    fs::copy(folder.join(JOURNAL), copied.path().join(JOURNAL)).unwrap();
    copied
}

/// The broker that comes after a hall's is killed, `passed` milliseconds later.
pub(super) fn after_kill(folder: &Path, hall: &Hall, passed: Millis) -> (Hall, TempDir) {
    let copied = copy(folder);
    let next = keeper(copied.path(), BEGAN + hall.now + passed);
    (next, copied)
}

/// MQTT 5.0, 4.1 and 4.4: what was not acknowledged comes again with its identifier, then what waited.
#[test]
fn messages_that_were_sent_and_that_waited_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut hall = keeper(folder.path(), BEGAN);
    let other = hall.connect(&hello("other"));
    let away = hall.connect(&lasting(V5, "away"));
    hall.subscribe(away, "news", ExactlyOnce);
    for (payload, quality) in [
        ("one", AtLeastOnce),
        ("two", ExactlyOnce),
        ("three", AtLeastOnce),
    ] {
        hall.publish(other, &message("news", payload, quality));
    }
    assert_eq!(hall.payloads(away), ["one", "two", "three"]);
    let acknowledge = |kind, number| {
        move |out: &mut Vec<u8>| {
            encode::acknowledge(out, V5, kind, number, Reason::SUCCESS, &[]);
        }
    };
    hall.say(away, acknowledge(Kind::PubAck, 1));
    hall.say(away, acknowledge(Kind::PubRec, 2));
    hall.lose(away);
    hall.publish(other, &message("news", "four", AtLeastOnce));

    let (mut next, _copied) = after_kill(folder.path(), &hall, 0);
    let back = next.connect(&lasting(V5, "away"));
    let bytes = next.take(back);
    // PUBLISH of 3 as a duplicate, PUBREL of 2, PUBLISH of 4 as a new one.
    let mut kinds = Vec::new();
    let mut rest = &bytes[..];
    while let Some(header) = header::parse(rest, PACKET_MAX).unwrap() {
        let (packet, behind) = rest.split_at(header.packet_length());
        kinds.push(
            match packet::decode(V5, header, &packet[header.length..]).unwrap() {
                Packet::Publish(publish) => (header.kind, publish.identifier, publish.duplicate),
                Packet::Acknowledge(acknowledge) => {
                    (acknowledge.kind, acknowledge.identifier, false)
                }
                packet => panic!("{packet:?}"),
            },
        );
        rest = behind;
    }
    assert_eq!(
        kinds,
        [
            (Kind::Publish, 3, true),
            (Kind::PubRel, 2, false),
            (Kind::Publish, 4, false)
        ]
    );
    // The subscription is there too.
    let publisher = next.connect(&hello("publisher"));
    next.publish(publisher, &message("news", "five", AtMostOnce));
    assert_eq!(next.payloads(back), ["five"]);
}

/// MQTT 5.0, 4.3.3: a message of QoS 2 that the broker took is not taken again.
#[test]
fn a_message_of_qos_2_that_was_received_is_not_received_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut hall = keeper(folder.path(), BEGAN);
    let reader = hall.connect(&lasting(V5, "reader"));
    hall.subscribe(reader, "news", ExactlyOnce);
    hall.lose(reader);
    let writer = hall.connect(&lasting(V5, "writer"));
    hall.publish(writer, &message("news", "once", ExactlyOnce));

    let (mut next, _copied) = after_kill(folder.path(), &hall, 0);
    let writer = next.connect(&lasting(V5, "writer"));
    let again = encode::Publish {
        duplicate: true,
        ..message("news", "once", ExactlyOnce)
    };
    let answer = next.publish(writer, &again);
    assert_eq!(answer[0] >> 4, Kind::PubRec as u8);
    let reader = next.connect(&lasting(V5, "reader"));
    assert_eq!(next.payloads(reader), ["once"]);
}

/// MQTT 5.0, 3.1.2.11.2 and 3.3.2.3.3: time passes also while no broker runs.
#[test]
fn sessions_and_messages_expire_by_the_wall_clock() {
    let folder = tempfile::tempdir().unwrap();
    let mut hall = keeper(folder.path(), BEGAN);
    let other = hall.connect(&hello("other"));
    let [early, late, _there] = ["early", "late", "there"].map(|client| {
        let number = hall.connect(&lasting(V5, client));
        hall.subscribe(number, "news", AtLeastOnce);
        number
    });
    hall.lose(early);
    hall.pass(20_000, other);
    hall.lose(late);
    let publish = encode::Publish {
        properties: &[(PropertyId::MESSAGE_EXPIRY, Value::Number(30))],
        ..message("news", "short", AtLeastOnce)
    };
    hall.publish(other, &publish);
    hall.publish(other, &message("news", "long", AtLeastOnce));

    let (mut next, _copied) = after_kill(folder.path(), &hall, 50_000);
    let watcher = next.connect(&hello("watcher"));
    next.pass(2000, watcher);
    let mut returns = |client| {
        let number = next.enter();
        let answer = next.say(number, |out| encode::connect(out, &lasting(V5, client)));
        (answer[2], next.payloads(number))
    };
    // Away for 72 s of 60.
    assert_eq!(returns("early"), (0, Vec::new()));
    // Away for 52 s.
    assert_eq!(returns("late"), (1, vec!["long".to_owned()]));
    // Away since the broker is back, and both were under way to it.
    assert_eq!(
        returns("there"),
        (1, ["short", "long"].map(str::to_owned).into())
    );
}

/// MQTT 5.0, 3.1.2.5: a server that failed publishes wills when it is back.
#[test]
fn wills_of_clients_that_were_lost_with_the_broker_are_published() {
    let folder = tempfile::tempdir().unwrap();
    let mut hall = keeper(folder.path(), BEGAN);
    let watcher = hall.connect(&lasting(V5, "watcher"));
    hall.subscribe(watcher, "will/+", AtLeastOnce);
    let will = |delay: List<'static>| encode::Will {
        topic: "will/a",
        payload: b"lost",
        quality: AtLeastOnce,
        retain: true,
        properties: delay,
    };
    hall.connect(&encode::Connect {
        will: Some(will(&[])),
        ..hello("mortal")
    });
    hall.connect(&encode::Connect {
        will: Some(encode::Will {
            topic: "will/b",
            ..will(&[(PropertyId::WILL_DELAY, Value::Number(10))])
        }),
        ..lasting(V5, "patient")
    });
    let polite = hall.connect(&encode::Connect {
        will: Some(will(&[])),
        ..hello("polite")
    });
    hall.say(polite, |out| {
        encode::farewell(out, V5, Kind::Disconnect, Reason::SUCCESS, &[]);
    });
    hall.lose(polite);

    let (mut next, copied) = after_kill(folder.path(), &hall, 0);
    let back = next.connect(&lasting(V5, "watcher"));
    assert_eq!(next.payloads(back), ["lost"]);
    next.pass(9000, back);
    assert_eq!(next.payloads(back), [""; 0]);
    // Killed again: the second will still waits, the first does not come twice.
    let (mut last, _copied) = after_kill(copied.path(), &next, 0);
    let back = last.connect(&lasting(V5, "watcher"));
    last.pass(11_000, back);
    assert_eq!(
        last.payloads(back),
        ["lost", "lost"],
        "the first was not acknowledged"
    );
    assert_eq!(last.mqtt.broker.counters()["retained"], 2);
}

/// MQTT 5.0, 3.1.3.2.2: a connection that took the session over made the will of the one before it void.
#[test]
fn a_will_that_is_void_is_void_for_the_next_broker_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut hall = keeper(folder.path(), BEGAN);
    let watcher = hall.connect(&lasting(V5, "watcher"));
    hall.subscribe(watcher, "will", AtLeastOnce);
    let before = hall.connect(&encode::Connect {
        will: Some(encode::Will {
            topic: "will",
            payload: b"lost",
            quality: AtLeastOnce,
            retain: false,
            properties: &[(PropertyId::WILL_DELAY, Value::Number(10))],
        }),
        ..lasting(V5, "mortal")
    });
    hall.connect(&lasting(V5, "mortal"));
    hall.take_end(before);
    let (mut next, _copied) = after_kill(folder.path(), &hall, 0);
    let watcher = next.connect(&lasting(V5, "watcher"));
    next.pass(20_000, watcher);
    assert_eq!(next.payloads(watcher), [""; 0]);
}

#[test]
fn two_brokers_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = keeper(folder.path(), BEGAN);
    let refused = Mqtt::open_at(&settings(), Some(folder.path()), Wall::of(BEGAN)).unwrap_err();
    assert!(refused.to_string().contains("another broker"), "{refused}");
    drop(first);
    keeper(folder.path(), BEGAN);
}

#[test]
fn what_cannot_be_written_is_not_acknowledged() {
    // Everything but the beginning of the journal goes to a device that is always full.
    let folder = tempfile::tempdir().unwrap();
    let mut hall = keeper(folder.path(), BEGAN);
    let client = hall.connect(&lasting(V5, "client"));
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    hall.mqtt.broker.turn().unwrap().replace_file(full);
    let answer = hall.publish(client, &message("news", "lost", AtLeastOnce));
    // Nobody wants it, so that nothing is to be written.
    assert_eq!(answer[0] >> 4, Kind::PubAck as u8);
    let retained = encode::Publish {
        retain: true,
        ..message("news", "lost", AtLeastOnce)
    };
    let answer = hall.publish(client, &retained);
    assert_eq!(
        answer,
        [0xe0, 1, Reason::IMPLEMENTATION_SPECIFIC.0],
        "a goodbye and no PUBACK"
    );
    let other = hall.enter();
    let answer = hall.say(other, |out| encode::connect(out, &hello("other")));
    assert_eq!(answer[..1], [0x20]);
    assert_eq!(answer[3], Reason::SERVER_UNAVAILABLE.0);
}

#[test]
fn a_folder_has_two_files_however_often_the_journal_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut hall = keeper(folder.path(), BEGAN);
    for time in 0..3 {
        hall.connect(&lasting(V5, &time.to_string()));
        hall.mqtt.broker.write_anew();
        let (next, _copied) = after_kill(folder.path(), &hall, 0);
        assert_eq!(next.mqtt.broker.counters()["sessions"], time + 1);
        let files = fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
        let mut files: Vec<_> = files
            .map(|file| {
                let mode = file.metadata().unwrap().permissions().mode();
                // What clients say is for nobody else.
                assert_eq!(mode & 0o077, 0, "{mode:o}");
                file.file_name().into_string().unwrap()
            })
            .collect();
        files.sort_unstable();
        assert_eq!(files, [JOURNAL, "broker.journal.next"]);
    }
}

/// One that was killed between two steps of an exchange of names.
#[test]
fn names_of_an_exchange_that_was_not_ended_hurt_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut hall = keeper(folder.path(), BEGAN);
    hall.connect(&lasting(V5, "a"));
    let copied = copy(folder.path());
    let name = |name| copied.path().join(name);
    fs::hard_link(name(JOURNAL), name("broker.journal.last")).unwrap();
    let next = keeper(copied.path(), BEGAN);
    assert_eq!(next.mqtt.broker.counters()["sessions"], 1);
    assert!(!name("broker.journal.last").exists());
}
