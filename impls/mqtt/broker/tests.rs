//! What is due, and for whom.

use ringside_contract::Settings;
use ringside_engine::Inbox;
use ringside_wire::mqtt::{QualityOfService, Version};

use super::*;

/// A broker and the connections of one client, whose session outlives each of them by ten seconds.
struct Visits {
    broker: Arc<Broker>,
    inbox: Arc<Inbox>,
    count: u64,
}

impl Visits {
    fn new() -> Self {
        let settings = BrokerSettings::new(&Settings::default()).unwrap();
        Self {
            broker: Broker::new(&settings),
            inbox: Inbox::new().unwrap(),
            count: 0,
        }
    }

    /// The client comes. Gives its session, and whether that was there.
    fn come(&mut self, clean_start: bool, now: Millis) -> (bool, Arc<Session>) {
        self.count += 1;
        let attach = Attach {
            owner: self.count,
            caller: self.inbox.caller(self.count),
            version: Version::V5,
            receive_maximum: 1,
            packet_max: u32::MAX,
            expiry_s: 10,
        };
        let (session, known) = self.broker.attach("client", clean_start, attach, now);
        (known, session)
    }

    fn go(&self, session: &Arc<Session>, will: Option<Will>, now: Millis) {
        self.broker.detach(session, self.count, will, now);
    }
}

#[test]
fn a_session_lives_on_from_when_its_client_went_last() {
    let mut visits = Visits::new();
    let (_, session) = visits.come(false, 0);
    visits.go(&session, None, 0);
    assert!(visits.come(false, 5_000).0);
    visits.go(&session, None, 9_000);
    visits.broker.keep_time(10_000);
    visits.broker.keep_time(18_999);
    assert!(
        visits.come(false, 18_999).0,
        "it was away for less than ten seconds"
    );
    visits.go(&session, None, 18_999);
    visits.broker.keep_time(28_999);
    assert!(!visits.come(false, 28_999).0, "it was away for ten seconds");
}

fn will() -> Will {
    Will {
        message: Message::new("w", b"gone", &[], QualityOfService::AtMostOnce, 0),
        retain: true,
        delay_s: 3,
    }
}

#[test]
fn a_will_is_not_published_once_its_client_came_back() {
    let mut visits = Visits::new();
    let (_, session) = visits.come(false, 0);
    visits.go(&session, Some(will()), 0);
    visits.come(false, 1_000);
    visits.go(&session, None, 2_000);
    visits.broker.keep_time(3_000);
    assert_eq!(visits.broker.counters()["retained"], 0);
}

#[test]
fn a_will_is_published_though_another_session_took_the_place_of_its_own() {
    let mut visits = Visits::new();
    let (_, session) = visits.come(false, 0);
    visits.go(&session, Some(will()), 0);
    visits.come(true, 1_000);
    visits.broker.keep_time(2_999);
    visits.broker.keep_time(3_000);
    assert_eq!(visits.broker.counters()["retained"], 1);
}
