//! Parameters that the scenarios of messages share, and what follows from them.

use ringside_contract::{Parameter, ParameterKind, Params};
use ringside_wire::mqtt::{QualityOfService, Version};

use super::client::Client;
use super::message::{Payloads, payload_size};

/// Quality of service.
pub(crate) const QOS: Parameter = Parameter {
    name: "qos",
    kind: ParameterKind::Choice(&["0", "1", "2"]),
    default: "0",
    smoke: None,
    about: "Quality of service of both sides.",
};

/// Size of a payload.
pub(crate) const SIZE: Parameter = Parameter {
    name: "size",
    kind: ParameterKind::Size,
    default: "64B",
    smoke: None,
    about: "Bytes of a payload, at least 32 B.",
};

/// Version of the protocol.
pub(crate) const VERSION: Parameter = Parameter {
    name: "version",
    kind: ParameterKind::Choice(&["3.1.1", "5"]),
    default: "3.1.1",
    smoke: None,
    about: "Version of the protocol.",
};

/// Messages under way, by default so many.
pub(crate) const fn window(default: &'static str) -> Parameter {
    Parameter {
        name: "window",
        kind: ParameterKind::Count,
        default,
        smoke: None,
        about: "Messages under way from one publisher.",
    }
}

/// What a session needs to know.
pub(crate) struct Setting {
    pub(crate) client: Client,
    pub(crate) quality: QualityOfService,
    pub(crate) payloads: Payloads,
}

impl Setting {
    /// For connection number `connection`, of parameters that a scenario's `load` accepted.
    pub(crate) fn new(params: &Params, seed: u64, connection: u32) -> Self {
        let quality = match params.text(QOS.name) {
            "2" => QualityOfService::ExactlyOnce,
            "1" => QualityOfService::AtLeastOnce,
            _ => QualityOfService::AtMostOnce,
        };
        Self::of_quality(params, seed, connection, quality)
    }

    /// The same for a scenario of one quality.
    pub(crate) fn of_quality(
        params: &Params,
        seed: u64,
        connection: u32,
        quality: QualityOfService,
    ) -> Self {
        let size = payload_size(params).expect("`load` has refused other sizes");
        Self {
            client: client(params, format!("ringside-{connection}")),
            quality,
            payloads: Payloads::new(seed, size),
        }
    }
}

/// A client of the version that is asked for.
pub(crate) fn client(params: &Params, name: String) -> Client {
    let version = match params.text(VERSION.name) {
        "5" => Version::V5,
        _ => Version::V311,
    };
    Client::new(name, version)
}
