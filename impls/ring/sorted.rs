//! A ring of points: each node has many, and a key belongs to the node of the next point. From Karger and others,
//! "Consistent Hashing and Random Trees", 1997.

use ringside_contract::operations::hash::HashFunction;
use ringside_contract::operations::ring::NodeTable;
use ringside_contract::{Axis, ImplementationMeta, Settings};

use super::work::{HASH, NamedRing, Take};

/// `ring/sorted`.
pub(crate) struct Sorted;

static META: ImplementationMeta = ImplementationMeta {
    id: "ring/sorted",
    about: "160 points for each node in a sorted row: a key belongs to the node of the first point at its hash or behind it.",
    axes: &[
        HASH,
        Axis {
            name: "search",
            values: &["binary", "index"],
            default: "index",
            about: "binary: half of what is left of the row falls away in each step; index: the upper bits of the hash \
                    say where in the row to begin, which is a step or two away.",
        },
    ],
    ranked: true,
};

impl NamedRing for Sorted {
    const META: &'static ImplementationMeta = &META;

    fn build<H: HashFunction + Copy + 'static, T: Take>(
        axes: &Settings,
        function: H,
        nodes: u32,
        taker: T,
    ) -> T::Taken {
        let row = Row::new(&function, nodes);
        if axes.value("search") == Some("binary") {
            taker.take(Binary { function, row })
        } else {
            taker.take(Indexed::new(function, row))
        }
    }
}

/// Points of a node, as libketama has them (<https://github.com/RJ/ketama>): the most loaded of 100 nodes has about a
/// quarter more than its share then.
const POINTS: u32 = 160;

/// Has `each` take the points of all nodes: the node, and which one of its points.
pub(super) fn points(nodes: u32, mut each: impl FnMut(u32, u32)) {
    for node in 0..nodes {
        (0..POINTS).for_each(|point| each(node, point));
    }
}

/// What a point is called, whose hash is its place.
pub(super) fn name(node: u32, point: u32) -> String {
    format!("backend-{node}#{point}")
}

/// Where points lie, in order, and whose they are.
struct Row {
    places: Box<[u64]>,
    nodes: Box<[u16]>,
}

impl Row {
    fn new(function: &impl HashFunction, nodes: u32) -> Self {
        let mut all = Vec::with_capacity((nodes * POINTS) as usize);
        points(nodes, |node, point| {
            all.push((function.hash(name(node, point).as_bytes()), node as u16));
        });
        all.sort_unstable();
        // Of points in one place the first node's counts, so that a node that comes later takes no key from it.
        all.dedup_by_key(|(place, _)| *place);
        Self {
            places: all.iter().map(|(place, _)| *place).collect(),
            nodes: all.iter().map(|(_, node)| *node).collect(),
        }
    }

    /// The node of the point with this number; behind the last one comes the first.
    #[inline(always)]
    fn node(&self, point: usize) -> u32 {
        let node = self.nodes.get(point).or_else(|| self.nodes.first());
        node.map_or(0, |node| u32::from(*node))
    }
}

/// `search=binary`.
struct Binary<H> {
    function: H,
    row: Row,
}

impl<H: HashFunction> NodeTable for Binary<H> {
    #[inline]
    fn node(&self, key: &[u8]) -> u32 {
        let hash = self.function.hash(key);
        let point = self.row.places.partition_point(|place| *place < hash);
        self.row.node(point)
    }
}

/// `search=index`: hashes that are spread evenly lie where their upper bits say, as the names in a telephone book do.
struct Indexed<H> {
    function: H,
    row: Row,
    /// For each value of the upper bits the first point that has it or more, and one more behind the last.
    starts: Box<[u32]>,
    shift: u32,
}

impl<H: HashFunction> Indexed<H> {
    fn new(function: H, row: Row) -> Self {
        // About two for a point: most look-ups end with the first comparison.
        let bits = (row.places.len() * 2).next_power_of_two().ilog2().max(1);
        let shift = 64 - bits;
        let first = |upper: u64| row.places.partition_point(|place| place >> shift < upper);
        let starts = (0..=1_u64 << bits).map(|upper| first(upper) as u32);
        Self {
            starts: starts.collect(),
            shift,
            function,
            row,
        }
    }
}

impl<H: HashFunction> NodeTable for Indexed<H> {
    #[inline]
    fn node(&self, key: &[u8]) -> u32 {
        let hash = self.function.hash(key);
        let upper = (hash >> self.shift) as usize;
        let (begin, end) = (self.starts[upper] as usize, self.starts[upper + 1] as usize);
        // One point or none, where hashes are spread evenly; of others there may be thousands.
        let places = &self.row.places[begin..end];
        let before = if places.len() <= 8 {
            places.iter().map(|place| usize::from(*place < hash)).sum()
        } else {
            places.partition_point(|place| *place < hash)
        };
        self.row.node(begin + before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hash that is easy to foresee: the first eight bytes.
    #[derive(Clone, Copy)]
    struct Prefix;

    impl HashFunction for Prefix {
        fn hash(&self, key: &[u8]) -> u64 {
            let mut bytes = [0; 8];
            let length = key.len().min(8);
            bytes[..length].copy_from_slice(&key[..length]);
            u64::from_be_bytes(bytes)
        }
    }

    /// Good enough for a ring.
    #[derive(Clone, Copy)]
    struct Mixed;

    impl HashFunction for Mixed {
        fn hash(&self, key: &[u8]) -> u64 {
            let step = |hash: u64, &byte: &u8| {
                let hash = (hash ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                hash ^ (hash >> 29)
            };
            key.iter().fold(1, step).wrapping_mul(0xbf58_476d_1ce4_e5b9)
        }
    }

    /// The next point, looked for among all.
    fn by_definition(function: &impl HashFunction, nodes: u32, key: &[u8]) -> u32 {
        let hash = function.hash(key);
        let mut best: Option<(u64, u32)> = None;
        points(nodes, |node, point| {
            // How far it is from the key to the point, once round.
            let way = function
                .hash(name(node, point).as_bytes())
                .wrapping_sub(hash);
            if best.is_none_or(|(least, _)| way < least) {
                best = Some((way, node));
            }
        });
        best.unwrap().1
    }

    fn agree(function: impl HashFunction + Copy, nodes: u32) {
        let binary = Binary {
            function,
            row: Row::new(&function, nodes),
        };
        let indexed = Indexed::new(function, Row::new(&function, nodes));
        let keys = (0..300).map(|number| format!("{number} is a key"));
        let ends = ["", "\u{0}", "backend-0#0", "~~~~~~~~~~"].map(str::to_owned);
        for key in keys.chain(ends) {
            let key = key.as_bytes();
            let expected = by_definition(&function, nodes, key);
            assert_eq!(binary.node(key), expected, "binary, {nodes}: {key:?}");
            assert_eq!(indexed.node(key), expected, "index, {nodes}: {key:?}");
        }
    }

    #[test]
    fn both_searches_find_the_next_point() {
        for nodes in [1, 2, 7, 40] {
            agree(Mixed, nodes);
            // Of these all points lie in a few places.
            agree(Prefix, nodes);
        }
    }
}
