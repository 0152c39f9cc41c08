//! A ring of points, from a library.

use std::hash::{BuildHasher, Hash, Hasher};

use ringside_contract::operations::hash::HashFunction;
use ringside_contract::operations::ring::NodeTable;
use ringside_contract::{ImplementationMeta, Settings};

use super::sorted::{name, points};
use super::work::{HASH, NamedRing, Take};

/// `ring/hashring`.
pub(crate) struct HashRing;

static META: ImplementationMeta = ImplementationMeta {
    id: "ring/hashring",
    about: "The crate of this name with 160 points for each node: a sorted row and a binary search.",
    axes: &[HASH],
    ranked: true,
};

impl NamedRing for HashRing {
    const META: &'static ImplementationMeta = &META;

    fn build<H: HashFunction + Copy + 'static, T: Take>(
        _: &Settings,
        function: H,
        nodes: u32,
        taker: T,
    ) -> T::Taken {
        let mut all = Vec::new();
        points(nodes, |node, point| {
            all.push(Point {
                node: node as u16,
                point: point as u16,
            });
        });
        let mut ring = hashring::HashRing::with_hasher(Builder(function));
        ring.batch_add(all);
        taker.take(Table(ring))
    }
}

struct Table<H>(hashring::HashRing<Point, Builder<H>>);

impl<H: HashFunction + Copy> NodeTable for Table<H> {
    #[inline]
    fn node(&self, key: &[u8]) -> u32 {
        self.0.get(&Bytes(key)).map_or(0, |point| point.node.into())
    }
}

/// As small as it can be: what a search walks over counts.
struct Point {
    node: u16,
    point: u16,
}

impl Hash for Point {
    fn hash<S: Hasher>(&self, state: &mut S) {
        state.write(name(self.node.into(), self.point.into()).as_bytes());
    }
}

/// Bytes without their length, as the other implementations hash them.
struct Bytes<'a>(&'a [u8]);

impl Hash for Bytes<'_> {
    #[inline]
    fn hash<S: Hasher>(&self, state: &mut S) {
        state.write(self.0);
    }
}

/// The function as the standard library wants it.
struct Builder<H>(H);

impl<H: HashFunction + Copy> BuildHasher for Builder<H> {
    type Hasher = Once<H>;

    #[inline]
    fn build_hasher(&self) -> Once<H> {
        Once {
            function: self.0,
            hash: 0,
        }
    }
}

/// The hash of what is written, all at once.
struct Once<H> {
    function: H,
    hash: u64,
}

impl<H: HashFunction> Hasher for Once<H> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.hash = self.function.hash(bytes);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.hash
    }
}
