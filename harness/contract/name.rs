//! Names: an id is a path, what varies is written behind it.
//!
//! `http/epoll[body=sendfile]` is an implementation with one axis set;
//! `http/small{connections=400}` is a scenario with one parameter set. Settings are sorted by key, so
//! one cell has one name.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a name could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// There is no `family/name` in front.
    #[error("`{text}` is not of the form family/name, such as http/epoll")]
    Shape {
        /// What was given.
        text: String,
    },
    /// The settings behind the id are not `key=value` pairs in the right brackets.
    #[error("`{text}`: expected settings as {open}key=value,key=value{close} behind the id")]
    Settings {
        /// What was given.
        text: String,
        /// The bracket that opens settings of this kind.
        open: char,
        /// The bracket that closes settings of this kind.
        close: char,
    },
    /// One key is given twice.
    #[error("`{text}`: `{key}` is set twice")]
    Repeated {
        /// What was given.
        text: String,
        /// The key that stands twice.
        key: String,
    },
}

/// `family/name`: the path of a file under `impls/` or `scenarios/`, without its ending.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// The family, such as `http`.
    pub family: String,
    /// The engine or the scenario, such as `epoll` or `small`.
    pub name: String,
}

impl FromStr for Id {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let shape = || NameError::Shape {
            text: text.to_owned(),
        };
        let (family, name) = text.split_once('/').ok_or_else(shape)?;
        if [family, name].into_iter().all(is_word) {
            Ok(Self {
                family: family.to_owned(),
                name: name.to_owned(),
            })
        } else {
            Err(shape())
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.family, self.name)
    }
}

/// Sorted `key=value` pairs: the axes of an implementation or the parameters of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(pub BTreeMap<String, String>);

impl Settings {
    /// The value of `key`, if it is set.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Sets `key` to `value`, replacing what was there.
    pub fn set(&mut self, key: &str, value: &str) {
        self.0.insert(key.to_owned(), value.to_owned());
    }

    /// True when nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pairs, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Reads `key=value` pairs with `separator` between them; an empty text has none.
    ///
    /// # Errors
    /// The offending part, when a pair has no `=`, a side of it is empty, or a key stands twice.
    pub fn parse(text: &str, separator: char) -> Result<Self, String> {
        let mut settings = Self::default();
        for pair in text
            .split(separator)
            .map(str::trim)
            .filter(|pair| !pair.is_empty())
        {
            let (key, value) = pair
                .split_once('=')
                .map(|(key, value)| (key.trim(), value.trim()))
                .filter(|(key, value)| is_word(key) && !value.is_empty())
                .ok_or_else(|| format!("`{pair}` is not key=value"))?;
            if settings.value(key).is_some() {
                return Err(format!("`{key}` is set twice"));
            }
            settings.set(key, value);
        }
        Ok(settings)
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (key, value)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{key}={value}")?;
        }
        Ok(())
    }
}

/// An implementation with the axes that differ from their defaults: `http/epoll[body=sendfile]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImplementationSpec {
    /// `family/engine`.
    pub id: Id,
    /// Axis values; in canonical form, defaults are left out.
    pub axes: Settings,
}

/// A scenario with the parameters that differ from their defaults: `http/small{connections=400}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScenarioSpec {
    /// `family/name`.
    pub id: Id,
    /// Parameter values; in canonical form, defaults are left out.
    pub params: Settings,
}

fn is_word(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn parse_spec(text: &str, open: char, close: char) -> Result<(Id, Settings), NameError> {
    let Some((id, rest)) = text.split_once(open) else {
        return Ok((text.parse()?, Settings::default()));
    };
    let settings = || NameError::Settings {
        text: text.to_owned(),
        open,
        close,
    };
    let inner = rest.strip_suffix(close).ok_or_else(settings)?;
    let id = id.parse()?;
    match Settings::parse(inner, ',') {
        Ok(parsed) => Ok((id, parsed)),
        Err(reason) => match reason.strip_suffix("` is set twice") {
            Some(key) => Err(NameError::Repeated {
                text: text.to_owned(),
                key: key.trim_start_matches('`').to_owned(),
            }),
            None => Err(settings()),
        },
    }
}

macro_rules! text_form {
    ($name:ident, $field:ident, $open:literal, $close:literal) => {
        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let (id, $field) = parse_spec(text, $open, $close)?;
                Ok(Self { id, $field })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.id)?;
                if !self.$field.is_empty() {
                    write!(f, "{}{}{}", $open, self.$field, $close)?;
                }
                Ok(())
            }
        }

        serde_as_text!($name);
    };
}

macro_rules! serde_as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

text_form!(ImplementationSpec, axes, '[', ']');
text_form!(ScenarioSpec, params, '{', '}');
serde_as_text!(Id);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_as_written() {
        for text in [
            "http/epoll",
            "http/epoll[body=sendfile]",
            "proxy/epoll[buffer=8k,copy=splice]",
        ] {
            let spec: ImplementationSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
        }
        let spec: ScenarioSpec = "http/small{size=1KiB,connections=400}".parse().unwrap();
        assert_eq!(spec.to_string(), "http/small{connections=400,size=1KiB}");
    }

    #[test]
    fn broken_names_say_what_was_expected() {
        for text in [
            "",
            "http",
            "http/",
            "/epoll",
            "HTTP/epoll",
            "http/epoll[body=x",
            "http/epoll[body]",
        ] {
            assert!(text.parse::<ImplementationSpec>().is_err(), "{text}");
        }
        let repeated = "http/epoll[body=a,body=b]".parse::<ImplementationSpec>();
        assert!(matches!(repeated, Err(NameError::Repeated { key, .. }) if key == "body"));
    }
}
