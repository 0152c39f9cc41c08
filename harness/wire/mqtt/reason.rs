//! Reason codes (MQTT 5.0, 2.4) and the return codes of 3.1.1's CONNACK (3.1.1, 3.2.2.3).

use super::Version;
use super::header::Kind;

/// A reason code: 128 and above are failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reason(pub u8);

macro_rules! reasons {
    ($($name:ident = $code:literal, $text:literal;)*) => {
        impl Reason {
            $(#[doc = $text] pub const $name: Self = Self($code);)*

            /// Its name as the standard has it.
            pub fn name(self) -> &'static str {
                match self.0 {
                    $($code => $text,)*
                    _ => "unknown reason",
                }
            }
        }
    };
}

reasons! {
    SUCCESS = 0x00, "Success";
    GRANTED_1 = 0x01, "Granted QoS 1";
    GRANTED_2 = 0x02, "Granted QoS 2";
    DISCONNECT_WITH_WILL = 0x04, "Disconnect with Will Message";
    NO_MATCHING_SUBSCRIBERS = 0x10, "No matching subscribers";
    NO_SUBSCRIPTION_EXISTED = 0x11, "No subscription existed";
    UNSPECIFIED_ERROR = 0x80, "Unspecified error";
    MALFORMED_PACKET = 0x81, "Malformed Packet";
    PROTOCOL_ERROR = 0x82, "Protocol Error";
    IMPLEMENTATION_SPECIFIC = 0x83, "Implementation specific error";
    UNSUPPORTED_VERSION = 0x84, "Unsupported Protocol Version";
    CLIENT_IDENTIFIER_NOT_VALID = 0x85, "Client Identifier not valid";
    BAD_USER_NAME_OR_PASSWORD = 0x86, "Bad User Name or Password";
    NOT_AUTHORIZED = 0x87, "Not authorized";
    SERVER_UNAVAILABLE = 0x88, "Server unavailable";
    SERVER_BUSY = 0x89, "Server busy";
    SERVER_SHUTTING_DOWN = 0x8B, "Server shutting down";
    BAD_AUTHENTICATION_METHOD = 0x8C, "Bad authentication method";
    KEEP_ALIVE_TIMEOUT = 0x8D, "Keep Alive timeout";
    SESSION_TAKEN_OVER = 0x8E, "Session taken over";
    TOPIC_FILTER_INVALID = 0x8F, "Topic Filter invalid";
    TOPIC_NAME_INVALID = 0x90, "Topic Name invalid";
    PACKET_IDENTIFIER_IN_USE = 0x91, "Packet Identifier in use";
    PACKET_IDENTIFIER_NOT_FOUND = 0x92, "Packet Identifier not found";
    RECEIVE_MAXIMUM_EXCEEDED = 0x93, "Receive Maximum exceeded";
    TOPIC_ALIAS_INVALID = 0x94, "Topic Alias invalid";
    PACKET_TOO_LARGE = 0x95, "Packet too large";
    QUOTA_EXCEEDED = 0x97, "Quota exceeded";
    PAYLOAD_FORMAT_INVALID = 0x99, "Payload format invalid";
}

impl Reason {
    /// True for 128 and above.
    pub fn is_failure(self) -> bool {
        self.0 >= 0x80
    }

    /// The return code of a CONNACK of 3.1.1 that comes nearest; `None` where 3.1.1 closes without one.
    pub fn connect_return_code(self) -> Option<u8> {
        match self {
            Self::SUCCESS => Some(0),
            Self::UNSUPPORTED_VERSION => Some(1),
            Self::CLIENT_IDENTIFIER_NOT_VALID => Some(2),
            Self::SERVER_UNAVAILABLE | Self::SERVER_BUSY | Self::SERVER_SHUTTING_DOWN => Some(3),
            Self::BAD_USER_NAME_OR_PASSWORD => Some(4),
            Self::NOT_AUTHORIZED => Some(5),
            _ => None,
        }
    }

    /// Whether a packet of this kind may say it. PUBLISH and others that say none are right with any.
    pub(super) fn is_said_by(self, kind: Kind, version: Version) -> bool {
        let code = self.0;
        match (kind, version) {
            (Kind::ConnAck, Version::V311) => code <= 5,
            (Kind::ConnAck, Version::V5) => {
                matches!(code, 0 | 0x80..=0x8A | 0x8C | 0x90 | 0x95 | 0x97 | 0x99..=0x9D | 0x9F)
            }
            (Kind::SubAck, Version::V311) => matches!(code, 0..=2 | 0x80),
            (Kind::SubAck, Version::V5) => {
                matches!(
                    code,
                    0..=2 | 0x80 | 0x83 | 0x87 | 0x8F | 0x91 | 0x97 | 0x9E | 0xA1 | 0xA2
                )
            }
            (Kind::UnsubAck, _) => {
                matches!(code, 0 | 0x11 | 0x80 | 0x83 | 0x87 | 0x8F | 0x91)
            }
            (Kind::PubAck | Kind::PubRec, _) => {
                matches!(
                    code,
                    0 | 0x10 | 0x80 | 0x83 | 0x87 | 0x90 | 0x91 | 0x97 | 0x99
                )
            }
            (Kind::PubRel | Kind::PubComp, _) => matches!(code, 0 | 0x92),
            (Kind::Disconnect, _) => {
                matches!(code, 0 | 4 | 0x80..=0x83 | 0x87 | 0x89 | 0x8B | 0x8D..=0x90 | 0x93..=0xA2)
            }
            (Kind::Auth, _) => matches!(code, 0 | 0x18 | 0x19),
            _ => true,
        }
    }
}
