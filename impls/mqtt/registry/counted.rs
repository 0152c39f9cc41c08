//! Looking topics up among subscriptions, as a function whose instructions are counted.

use std::hint::black_box;
use std::sync::Arc;

use ringside_engine::Inbox;
use ringside_wire::mqtt::{QualityOfService, Version};

use super::{Guard, Registry, Subscriber, Wish};
use crate::session::{Attach, Session};

/// The maps of a registry have random seeds, which decide how many of its places a look-up looks at. Over so
/// many registries that moves a count by 0.2 %, far below any threshold.
const REGISTRIES: usize = 16;
const CLIENTS: usize = 8;

/// Looks up every client's own topic and one that all of them share, with wildcards.
pub(crate) fn look_up() -> Box<dyn FnMut()> {
    let sessions = sessions();
    let registries: Vec<Registry> = (0..REGISTRIES).map(|_| filled(&sessions)).collect();
    let mut topics: Vec<String> = (0..CLIENTS).map(|n| format!("pairs/{n}/value")).collect();
    topics.push("shared/news/today".to_owned());
    let expected = REGISTRIES * (CLIENTS * 2 + CLIENTS);
    Box::new(move || {
        let mut found = 0;
        for registry in &registries {
            for topic in black_box(&topics) {
                found += registry.find(topic, |subscribers| black_box(subscribers).len());
            }
        }
        assert_eq!(found, expected, "everybody was found");
    })
}

fn filled(sessions: &[Arc<Session>]) -> Registry {
    let registry = Registry::new(Guard::default(), false);
    let insert = |filter: &str, session: &Arc<Session>| {
        let wish = Wish {
            quality: QualityOfService::AtMostOnce,
            no_local: false,
            retain_as_published: false,
            identifier: 0,
        };
        let session = Arc::clone(session);
        registry.insert(filter, None, Subscriber { session, wish });
    };
    for (number, session) in sessions.iter().enumerate() {
        insert(&format!("pairs/{number}/value"), session);
        insert(&format!("pairs/{number}/+"), session);
        insert("shared/#", session);
    }
    registry
}

/// None where no descriptor is left, which the look-up then tells.
fn sessions() -> Vec<Arc<Session>> {
    let Ok(inbox) = Inbox::new() else {
        return Vec::new();
    };
    let session = |number: usize| {
        let attach = Attach {
            owner: 1,
            caller: inbox.caller(number as u64),
            version: Version::V5,
            receive_maximum: 1,
            packet_max: u32::MAX,
            aliases_max: 0,
            expiry_s: 0,
        };
        Session::new(&number.to_string(), attach)
    };
    (0..CLIENTS).map(session).collect()
}
