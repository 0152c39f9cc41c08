//! Which node is responsible for a key: consistent hashing, by which few keys move when there is a node more.

use serde::{Deserialize, Serialize};

use super::hash::KeyForm;

/// Keys whose nodes are looked up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RingTask {
    /// Nodes among which keys are shared out, from 1 to [`NODES_MAX`].
    pub nodes: u32,
    /// What keys look like.
    pub keys: KeyForm,
}

/// The most nodes.
pub const NODES_MAX: u32 = 10_000;

/// Nodes with what is needed to find the one of a key.
pub trait NodeTable: Send + Sync {
    /// The number of the node of a key, less than the count of nodes.
    fn node(&self, key: &[u8]) -> u32;
}

/// One way to share keys out, for conformance cases.
pub trait TestedRing: Send + Sync {
    /// Shares keys out among so many nodes, at least 1.
    fn of(&self, nodes: u32) -> Box<dyn NodeTable>;

    /// When one comes to so many nodes, at most this part of the keys goes from one that was there to another one.
    fn moved_without_need(&self, nodes: u32) -> f64;
}
