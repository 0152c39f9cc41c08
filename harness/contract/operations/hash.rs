//! Hash functions of 64 bits.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// The longest key, in bytes.
pub const LENGTH_MAX: u32 = 64 << 10;

/// What is done with a function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashTask {
    /// Keys are hashed, one after the other.
    Keys {
        /// Bytes of a key, from 1 to [`LENGTH_MAX`].
        length: u32,
        /// Keys are of any length up to that, so that none can be foreseen.
        mixed: bool,
        /// The next key is known only when the one before was hashed. Otherwise a processor has several under way.
        chained: bool,
    },
    /// Keys are looked up in a hash table, all of which are there.
    Table {
        /// How many there are.
        entries: u32,
        /// What they look like.
        keys: KeyForm,
    },
}

/// What keys look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyForm {
    /// `user:000001`.
    User,
    /// Web addresses of 76 bytes, which differ at their ends.
    Url,
    /// Identifiers of the form of RFC 9562 that count up, as text.
    Uuid,
    /// 1 KiB of text that differs within its first 32 bytes.
    Document,
}

impl KeyForm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::User, Self::Url, Self::Uuid, Self::Document];

    /// Appends key `number` to `key`.
    pub fn write(self, number: u32, key: &mut String) {
        // A string takes whatever is written.
        let _ = match self {
            Self::User => write!(key, "user:{number:06}"),
            Self::Url => write!(
                key,
                "https://www.example.com/catalogue/section/of/article/and/orders/item-{number:07}"
            ),
            Self::Uuid => write!(key, "0193a0f0-7c1e-7000-8000-{number:012x}"),
            Self::Document => {
                let begin = key.len();
                let written = write!(key, "{{\"order\":{number:09},\"text\":\"");
                while key.len() < begin + DOCUMENT {
                    key.push_str("all that follows is the same in each of them, ");
                }
                key.truncate(begin + DOCUMENT);
                written
            }
        };
    }
}

/// Bytes of a document.
const DOCUMENT: usize = 1024;

/// A hash function.
pub trait HashFunction: Send + Sync {
    /// The hash of these bytes.
    fn hash(&self, key: &[u8]) -> u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_forms() {
        let written = KeyForm::ALL.map(|form| {
            let mut key = String::new();
            form.write(255, &mut key);
            key
        });
        assert_eq!(written[0], "user:000255");
        assert_eq!(written[1].len(), 76, "{}", written[1]);
        assert!(written[1].ends_with("/item-0000255"));
        assert_eq!(written[2], "0193a0f0-7c1e-7000-8000-0000000000ff");
        assert!(written[3].starts_with("{\"order\":000000255,\"text\":\"all"));
        assert_eq!(written[3].len(), DOCUMENT);
    }
}
