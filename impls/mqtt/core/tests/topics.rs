//! Names and filters, and shared subscriptions.

use super::super::*;
use super::hall::*;

/// Which of the names a filter takes.
fn taken<'a>(version: Version, filter: &str, names: &[&'a str]) -> Vec<&'a str> {
    let mut hall = Hall::new();
    let client = hall.connect(&hello_in(version, "a"));
    hall.subscribe(client, filter, AtMostOnce);
    let is_taken = |name: &&str| {
        hall.publish(client, &message(name, "x", AtMostOnce));
        let came = hall.messages(client);
        assert!(came.iter().all(|message| message.topic == *name));
        !came.is_empty()
    };
    names.iter().copied().filter(is_taken).collect()
}

/// 3.1.1: MQTT-3.3.2-3, MQTT-3.8.3-2, MQTT-4.7.2-1. 5.0: MQTT-3.3.2-3, MQTT-4.7.2-1.
#[test]
fn wildcards_take_levels_and_leave_names_of_the_server_alone() {
    let names = ["a", "a/b", "a/b/c", "/b", "a/", "$a/b", "$a"];
    for version in BOTH {
        for (filter, expected) in [
            ("#", &["a", "a/b", "a/b/c", "/b", "a/"][..]),
            ("a/#", &["a", "a/b", "a/b/c", "a/"]),
            ("+", &["a"]),
            ("+/b", &["a/b", "/b"]),
            ("a/+", &["a/b", "a/"]),
            ("+/+/#", &["a/b", "a/b/c", "/b", "a/"]),
            ("$a/#", &["$a/b", "$a"]),
            ("$a/+", &["$a/b"]),
        ] {
            assert_eq!(taken(version, filter, &names), expected, "{filter}");
        }
    }
}

/// 3.1.1: MQTT-1.5.3-3, MQTT-4.7.3-4. 5.0: MQTT-1.5.4-3, MQTT-4.7.3-4.
#[test]
fn names_are_compared_as_they_are() {
    // Letter case, spaces, composed and decomposed letters, U+FEFF, a character without a meaning.
    let names = [
        "a",
        "A",
        "a ",
        " a",
        "\u{e9}",
        "e\u{301}",
        "\u{feff}a",
        "a\u{feff}",
        "\u{378}",
    ];
    for version in BOTH {
        for filter in names {
            assert_eq!(taken(version, filter, &names), [filter]);
        }
    }
}

/// 3.1.1: MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT-4.7.3-1. 5.0: MQTT-4.7.1-1, MQTT-4.7.1-2, MQTT-4.7.3-1.
#[test]
fn a_filter_that_is_none_is_refused() {
    for version in BOTH {
        for filter in ["", "a#", "a/#/b", "#/", "a+", "+a/b", "a/b+/c", "##", "++"] {
            let mut hall = Hall::new();
            let client = hall.connect(&hello_in(version, "a"));
            let answer = hall.subscribe_as(client, &[wish(filter, AtMostOnce)], &[]);
            let failure = if version == V5 { 0x8f } else { 0x80 };
            assert_eq!(answer.last(), Some(&failure), "`{filter}`");
        }
    }
}

/// 3.1.1: MQTT-4.7.3-3. 5.0: MQTT-4.7.3-3.
#[test]
fn names_may_have_65535_bytes() {
    let long = "x".repeat(65_535);
    for version in BOTH {
        assert_eq!(taken(version, &long, &[&long, "x"]), [&*long]);
    }
}

/// 5.0: MQTT-4.8.2-1, MQTT-4.8.2-2.
#[test]
fn a_shared_filter_has_a_group_and_a_filter() {
    let mut hall = Hall::new();
    let client = hall.connect(&hello("a"));
    for (filter, code) in [
        ("$share/g/a", 0),
        ("$share/g//", 0),
        ("$share/g/#", 0),
        ("$share/", 0x8f),
        ("$share/g", 0x8f),
        ("$share/g/", 0x8f),
        ("$share//a", 0x8f),
        ("$share/g+/a", 0x8f),
        ("$share/#/a", 0x8f),
        ("$share/g/a#", 0x8f),
    ] {
        let answer = hall.subscribe_as(client, &[wish(filter, AtMostOnce)], &[]);
        assert_eq!(answer.last(), Some(&code), "`{filter}`");
    }
}

/// 5.0: MQTT-4.8.2-3.
#[test]
fn a_member_gets_messages_at_no_more_than_its_quality() {
    let mut hall = Hall::new();
    let publisher = hall.connect(&hello("publisher"));
    let members = QUALITIES.map(|quality| {
        let member = hall.connect(&hello(&format!("{quality:?}")));
        hall.subscribe(member, "$share/group/a", quality);
        (member, quality)
    });
    for _ in 0..12 {
        hall.publish(publisher, &message("a", "x", ExactlyOnce));
        hall.acknowledge(publisher, Kind::PubRel, 5);
    }
    let mut all = 0;
    for (member, quality) in members {
        let came = hall.messages(member);
        assert!(came.iter().all(|message| message.quality == quality));
        all += came.len();
    }
    assert_eq!(all, 12);
}
