//! HTTP/1.1 on the wire: request heads (servers), response heads (load generators), chunked bodies,
//! and the pieces of header values that a file server has to understand (RFC 9110, RFC 9112).

pub mod chunked;
pub mod condition;
pub mod head;
pub mod path;
pub mod range;
pub mod request;
pub mod response;
mod scan;
