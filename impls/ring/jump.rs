//! Jumps from node to node: no table at all. From Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm",
//! 2014 (<https://arxiv.org/abs/1406.2294>).

use ringside_contract::operations::hash::HashFunction;
use ringside_contract::operations::ring::NodeTable;
use ringside_contract::{ImplementationMeta, Settings};

use super::work::{HASH, NamedRing, Take};

/// `ring/jump`.
pub(crate) struct Jump;

static META: ImplementationMeta = ImplementationMeta {
    id: "ring/jump",
    about: "Jump consistent hash: a key jumps on until it would leave the nodes. It needs no memory, and only the last node can go.",
    axes: &[HASH],
    ranked: true,
};

impl NamedRing for Jump {
    const META: &'static ImplementationMeta = &META;

    fn build<H: HashFunction + Copy + 'static, T: Take>(
        _: &Settings,
        function: H,
        nodes: u32,
        taker: T,
    ) -> T::Taken {
        taker.take(Table { function, nodes })
    }
}

struct Table<H> {
    function: H,
    nodes: u32,
}

impl<H: HashFunction> NodeTable for Table<H> {
    #[inline]
    fn node(&self, key: &[u8]) -> u32 {
        jump(self.function.hash(key), self.nodes)
    }
}

/// The paper's loop: `next` is the first count of nodes at which the key goes to the newest one.
#[inline]
fn jump(mut state: u64, nodes: u32) -> u32 {
    let (mut node, mut next) = (0, 0);
    while next < u64::from(nodes) {
        node = next;
        state = state
            .wrapping_mul(2_862_933_555_777_941_757)
            .wrapping_add(1);
        let chance = ((state >> 33) + 1) as f64 / (1_u64 << 31) as f64;
        next = ((node + 1) as f64 / chance) as u64;
    }
    node as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_nodes_that_others_found() {
        // From the tests of Go's port (<https://github.com/dgryski/go-jump>).
        for (key, nodes, node) in [
            (1, 1, 0),
            (42, 57, 43),
            (0xdead_10cc, 1, 0),
            (0xdead_10cc, 666, 361),
            (256, 1024, 520),
        ] {
            assert_eq!(jump(key, nodes), node, "{key} of {nodes}");
        }
    }

    #[test]
    fn a_key_stays_or_goes_to_the_newest_node() {
        for key in 0..200_u64 {
            let key = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for nodes in 1..200 {
                let [before, after] = [nodes, nodes + 1].map(|nodes| jump(key, nodes));
                assert!(after == before || after == nodes, "{key} of {nodes}");
            }
        }
    }
}
