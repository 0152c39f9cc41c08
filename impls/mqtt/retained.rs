//! Each topic's last message (MQTT 5.0, 3.3.1.3).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use ringside_engine::Millis;
use ringside_wire::mqtt::topic;

use crate::journal::Journal;
use crate::message::Message;

/// Messages are not looked through for those that expired while there are fewer.
const LOOK_MIN: usize = 1024;

/// What is kept, by topic.
#[derive(Debug, Default)]
pub(crate) struct Retained(RwLock<Table>);

#[derive(Debug, Default)]
struct Table {
    messages: HashMap<Box<str>, Arc<Message>>,
    /// At so many they are looked through for those that expired: topics that are used once and never again
    /// would fill the memory.
    look_at: usize,
}

impl Retained {
    /// What an earlier broker kept.
    pub(crate) fn new(messages: HashMap<Box<str>, Arc<Message>>) -> Self {
        Self(RwLock::new(Table {
            messages,
            look_at: 0,
        }))
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.table().messages.len()
    }

    /// Keeps the last message of a topic, and writes that down; an empty one deletes it.
    pub(crate) fn keep(&self, message: &Arc<Message>, journal: Option<&Arc<Journal>>, now: Millis) {
        let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(journal) = journal {
            journal.retained(message);
        }
        if message.payload.is_empty() {
            table.messages.remove(&message.topic);
            return;
        }
        let topic = message.topic.clone();
        table.messages.insert(topic, Arc::clone(message));
        if table.messages.len() > table.look_at.max(LOOK_MIN) {
            table.messages.retain(|_, message| message.is_current(now));
            table.look_at = 2 * table.messages.len();
        }
    }

    /// Those that a filter matches and that did not expire.
    pub(crate) fn matching(&self, filter: &str, now: Millis) -> Vec<Arc<Message>> {
        let table = self.table();
        let current = |message: &&Arc<Message>| message.is_current(now);
        if topic::is_name(filter) {
            let found = table.messages.get(filter).filter(current);
            return found.cloned().into_iter().collect();
        }
        let matching = |message: &&Arc<Message>| topic::matches(filter, &message.topic);
        let found = table.messages.values().filter(matching).filter(current);
        found.cloned().collect()
    }

    /// Shows all of them.
    pub(crate) fn for_each(&self, show: impl FnMut(&Arc<Message>)) {
        self.table().messages.values().for_each(show);
    }

    fn table(&self) -> RwLockReadGuard<'_, Table> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use ringside_wire::mqtt::QualityOfService;
    use ringside_wire::mqtt::property::{PropertyId, Value};

    use super::*;

    /// A message that expires a second after `now`.
    fn brief(topic: &str, now: Millis) -> Arc<Message> {
        let second = [(PropertyId::MESSAGE_EXPIRY, Value::Number(1))];
        Message::new(topic, b"x", &second, QualityOfService::AtMostOnce, now)
    }

    #[test]
    fn the_last_message_of_a_topic_is_there_until_it_expires_or_an_empty_one_comes() {
        let retained = Retained::default();
        let lasting = |topic, payload: &[u8]| {
            Message::new(topic, payload, &[], QualityOfService::AtMostOnce, 0)
        };
        retained.keep(&lasting("a", b"1"), None, 0);
        retained.keep(&lasting("a", b"2"), None, 0);
        retained.keep(&brief("b", 0), None, 0);
        let topics = |filter, now| {
            let found = retained.matching(filter, now);
            let mut topics: Vec<_> = found.iter().map(|message| message.topic.clone()).collect();
            topics.sort();
            topics.join(" ")
        };
        assert_eq!([topics("#", 999), topics("#", 1000)], ["a b", "a"]);
        assert_eq!([topics("b", 999), topics("b", 1000)], ["b", ""]);
        assert_eq!(*retained.matching("a", 0)[0].payload, *b"2");
        retained.keep(&lasting("a", b""), None, 0);
        assert_eq!(topics("#", 999), "b");
    }

    #[test]
    fn topics_that_are_used_once_do_not_pile_up() {
        let retained = Retained::default();
        for number in 0..100_000 {
            let now = number * 10;
            retained.keep(&brief(&format!("{number}"), now), None, now);
            assert!(
                retained.len() <= LOOK_MIN + 1,
                "{} at {number}",
                retained.len()
            );
        }
    }
}
