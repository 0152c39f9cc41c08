//! Every registry against a plain list of subscriptions that is searched from end to end.

use std::collections::BTreeSet;

use proptest::prelude::*;
use ringside_engine::Inbox;
use ringside_wire::mqtt::topic::{self, matches};
use ringside_wire::mqtt::{QualityOfService, Version};

use super::*;
use crate::session::Attach;

const GUARDS: [Guard; 4] = [
    Guard::ReadWriteLock,
    Guard::Local,
    Guard::Sharded,
    Guard::LockFree,
];

/// Levels of which filters and names are made.
const LEVELS: [&str; 4] = ["a", "b", "", "$s"];

pub(super) fn sessions(count: usize) -> Vec<Arc<Session>> {
    let inbox = Inbox::new().unwrap();
    let session = |number| {
        let attach = Attach {
            owner: 1,
            caller: inbox.caller(number),
            version: Version::V5,
            receive_maximum: 1,
            packet_max: u32::MAX,
            aliases_max: 0,
            expiry_s: 0,
        };
        Session::new(&number.to_string(), attach)
    };
    (0..count as u64).map(session).collect()
}

pub(super) fn subscriber(session: &Arc<Session>, identifier: u32) -> Subscriber {
    let wish = Wish {
        quality: QualityOfService::AtMostOnce,
        no_local: false,
        retain_as_published: false,
        identifier,
    };
    Subscriber {
        session: Arc::clone(session),
        wish,
    }
}

/// Client, subscription identifier (0: unsubscribes) and filter.
type Change = (usize, u32, String);

fn filter() -> impl Strategy<Value = String> {
    let level = prop_oneof![4 => proptest::sample::select(&LEVELS[..]), 2 => Just("+")];
    let levels = proptest::collection::vec(level, 1..4);
    let long = (levels, any::<bool>());
    prop_oneof![
        8 => long.prop_map(|(levels, all)| levels.join("/") + if all { "/#" } else { "" }),
        1 => Just("#".to_owned()),
    ]
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    proptest::collection::vec((0..3_usize, 0..4_u32, filter()), 1..40)
}

fn names() -> impl Strategy<Value = Vec<String>> {
    let name = proptest::collection::vec(proptest::sample::select(&LEVELS[..]), 1..4);
    proptest::collection::vec(name.prop_map(|levels| levels.join("/")), 1..6)
}

/// Who gets a message of a topic: client and subscription identifier, in order.
pub(super) fn found(registry: &Registry, topic: &str) -> Vec<(String, u32)> {
    let mut found: Vec<_> = registry.find(topic, |matches| {
        let of_session = matches.chunk_by(|a, b| Arc::ptr_eq(&a.session, &b.session));
        let clients: BTreeSet<_> = matches.iter().map(|found| &found.session.client).collect();
        assert_eq!(of_session.count(), clients.len(), "sessions lie apart");
        let one = |found: &Subscriber| (found.session.client.to_string(), found.wish.identifier);
        matches.iter().map(one).collect()
    });
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everybody_gets_what_a_search_of_all_subscriptions_gives(changes in changes(), names in names()) {
        let sessions = sessions(3);
        for (guard, cached) in GUARDS.into_iter().flat_map(|guard| [(guard, false), (guard, true)]) {
            let registry = Registry::new(guard, cached);
            let mut plain: Vec<Change> = Vec::new();
            for change in &changes {
                let (client, identifier, filter) = change;
                let session = &sessions[*client];
                let place = plain.iter().position(|known| known.0 == *client && known.2 == *filter);
                if let Some(place) = place {
                    plain.swap_remove(place);
                }
                if *identifier > 0 {
                    registry.insert(filter, None, subscriber(session, *identifier));
                    plain.push(change.clone());
                } else {
                    prop_assert_eq!(registry.remove(filter, None, session), place.is_some());
                }
                for name in &names {
                    let of_name = plain.iter().filter(|known| matches(&known.2, name));
                    let mut expected: Vec<_> =
                        of_name.map(|known| (known.0.to_string(), known.1)).collect();
                    expected.sort();
                    prop_assert_eq!(found(&registry, name), expected, "{:?} {} {}", guard, cached, name);
                }
            }
            for (client, _, filter) in &plain {
                prop_assert!(registry.remove(filter, None, &sessions[*client]));
            }
            prop_assert!(registry.is_empty(), "{guard:?}: levels are left that nobody uses");
        }
    }
}

#[test]
fn each_message_of_a_group_goes_to_another_member() {
    for (guard, cached) in GUARDS
        .into_iter()
        .flat_map(|guard| [(guard, false), (guard, true)])
    {
        let (registry, sessions) = (Registry::new(guard, cached), sessions(3));
        let filter = "$share/g/a/+";
        let shared = topic::shared(filter).unwrap();
        for session in &sessions {
            registry.insert(filter, shared, subscriber(session, 1));
        }
        let clients: BTreeSet<_> = (0..3).map(|_| found(&registry, "a/b")).collect();
        assert_eq!(clients.len(), 3, "{guard:?}");
        assert!(clients.iter().all(|found| found.len() == 1), "{guard:?}");
        for session in &sessions {
            assert!(registry.remove(filter, shared, session), "{guard:?}");
        }
        assert!(found(&registry, "a/b").is_empty(), "{guard:?}");
    }
}

/// A subscription that is made is seen by every message after it, and one that is gone by none, while others
/// come and go beside it.
#[test]
fn changes_are_seen_at_once_by_other_threads() {
    let shared_by_threads = GUARDS.into_iter().filter(|&guard| guard != Guard::Local);
    for (guard, cached) in shared_by_threads.flat_map(|guard| [(guard, false), (guard, true)]) {
        let registry = &Registry::new(guard, cached);
        let sessions = sessions(4);
        std::thread::scope(|scope| {
            for session in &sessions {
                scope.spawn(move || {
                    let own = format!("a/{}", session.client);
                    let is_there = || {
                        let all = found(registry, &own);
                        all.iter().any(|(client, _)| *client == *session.client)
                    };
                    for _ in 0..500 {
                        registry.insert(&own, None, subscriber(session, 1));
                        assert!(is_there(), "{guard:?} {cached}");
                        registry.remove(&own, None, session);
                        assert!(!is_there(), "{guard:?} {cached}");
                    }
                });
            }
        });
        assert!(registry.is_empty(), "{guard:?}");
    }
}
