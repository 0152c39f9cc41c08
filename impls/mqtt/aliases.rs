//! Topic aliases (MQTT 5.0, 3.3.2.3.4): numbers that stand for topics on one connection, each way its own.

use std::collections::HashMap;

/// Topics that a client may give a number.
pub(crate) const ALIASES_MAX: usize = 32;

/// Numbers that a client is given for topics.
const GIVEN_MAX: u16 = 1024;

/// What a client set.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    /// The topic of each alias; apart, since hardly anybody has any.
    topics: Option<Box<[Option<Box<str>>; ALIASES_MAX]>>,
}

impl Incoming {
    /// The topic of an alias, set by a topic that comes with it. `None` for one that is out of range or not
    /// set.
    pub(crate) fn topic(&mut self, topic: &str, alias: u32) -> Option<Box<str>> {
        let at = usize::try_from(alias).ok()?.checked_sub(1)?;
        if at >= ALIASES_MAX {
            return None;
        }
        if topic.is_empty() {
            return self.topics.as_ref()?[at].clone();
        }
        self.topics.get_or_insert_default()[at] = Some(topic.into());
        Some(topic.into())
    }
}

/// What a client is told. The first topics of a connection have a number until its end: which ones are worth
/// it nobody knows beforehand, and another number for each message would save nothing.
#[derive(Debug)]
pub(crate) struct Outgoing {
    max: u16,
    numbers: HashMap<Box<str>, u16>,
}

impl Outgoing {
    /// For a client that takes numbers up to `max`.
    pub(crate) fn new(max: u16) -> Self {
        Self {
            max: max.min(GIVEN_MAX),
            numbers: HashMap::new(),
        }
    }

    /// The number of a topic, and whether the client knows it already; `None` when there is none left.
    pub(crate) fn number(&self, topic: &str) -> Option<(u16, bool)> {
        if let Some(&number) = self.numbers.get(topic) {
            return Some((number, true));
        }
        let next = self.numbers.len() as u16 + 1;
        (next <= self.max).then_some((next, false))
    }

    /// The client was told the number of a topic.
    pub(crate) fn told(&mut self, topic: &str, number: u16) {
        self.numbers.insert(topic.into(), number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_what_it_was_set_to_last() {
        let mut incoming = Incoming::default();
        assert_eq!(incoming.topic("", 1), None);
        for (topic, alias, expected) in [
            ("a", 1, Some("a")),
            ("", 1, Some("a")),
            ("b", 1, Some("b")),
            ("", 1, Some("b")),
            ("c", 0, None),
            ("c", ALIASES_MAX as u32, Some("c")),
            ("c", ALIASES_MAX as u32 + 1, None),
        ] {
            assert_eq!(incoming.topic(topic, alias).as_deref(), expected);
        }
    }

    #[test]
    fn the_first_topics_have_a_number_once_they_were_told() {
        let mut outgoing = Outgoing::new(2);
        assert_eq!(outgoing.number("a"), Some((1, false)));
        outgoing.told("a", 1);
        assert_eq!(outgoing.number("b"), Some((2, false)));
        // Its message was too long and is not sent.
        assert_eq!(outgoing.number("c"), Some((2, false)));
        outgoing.told("c", 2);
        assert_eq!(
            ["a", "b", "c"].map(|topic| outgoing.number(topic)),
            [Some((1, true)), None, Some((2, true))]
        );
    }
}
