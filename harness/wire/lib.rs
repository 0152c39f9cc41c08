//! Encoders and decoders of the protocols that servers and load generators speak: pure functions
//! over bytes, without sockets, clocks or allocation on the hot paths.

pub mod http;
pub mod mqtt;
