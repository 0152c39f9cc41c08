//! A table that nodes fill in turns. From Eisenbud and others, "Maglev: A Fast and Reliable Software Network Load Balancer",
//! 2016, section 3.4.

use ringside_contract::operations::hash::HashFunction;
use ringside_contract::operations::ring::NodeTable;
use ringside_contract::{ImplementationMeta, Settings};

use super::work::{HASH, NamedRing, Take};

/// `ring/maglev`.
pub(crate) struct Maglev;

static META: ImplementationMeta = ImplementationMeta {
    id: "ring/maglev",
    about: "Maglev's table: nodes take its places in turns, each in an order of its own, so that all have as many. A look-up is \
            one load; when a node comes, a few keys more than need be go elsewhere, and nearly all of them where the table has to \
            become larger, behind 655 nodes.",
    axes: &[HASH],
    ranked: true,
};

impl NamedRing for Maglev {
    const META: &'static ImplementationMeta = &META;

    fn build<H: HashFunction + Copy + 'static, T: Take>(
        _: &Settings,
        function: H,
        nodes: u32,
        taker: T,
    ) -> T::Taken {
        let places = populate(&function, nodes);
        taker.take(Table { function, places })
    }

    fn moved_without_need(nodes: u32) -> f64 {
        if size(nodes) == size(nodes + 1) {
            0.05
        } else {
            // A table of another size has little in common with the one before.
            1.0
        }
    }
}

struct Table<H> {
    function: H,
    places: Box<[u16]>,
}

impl<H: HashFunction> NodeTable for Table<H> {
    #[inline]
    fn node(&self, key: &[u8]) -> u32 {
        // The upper half of the product is as good as a remainder, and needs no division.
        let product = u128::from(self.function.hash(key)) * self.places.len() as u128;
        u32::from(self.places[(product >> 64) as usize])
    }
}

/// The paper's listing: each node in turn takes the next place of its own order that is free.
fn populate(function: &impl HashFunction, nodes: u32) -> Box<[u16]> {
    let size = size(nodes);
    let orders = (0..nodes).map(|node| Order::new(function, node, size));
    fill(orders.collect(), size)
}

fn fill(mut orders: Vec<Order>, size: u64) -> Box<[u16]> {
    let mut places = vec![FREE; size as usize];
    let mut left = places.len();
    while left > 0 {
        for (node, order) in orders.iter_mut().enumerate().take(left) {
            let free = order.by_ref().find(|&place| places[place] == FREE);
            places[free.expect("an order has every place")] = node as u16;
            left -= 1;
        }
    }
    places.into()
}

/// The order in which a node likes places: from an offset on in steps of `skip`, round and round. The size is a prime, so
/// that it comes by each of them.
struct Order {
    next: u64,
    skip: u64,
    size: u64,
}

impl Order {
    fn new(function: &impl HashFunction, node: u32, size: u64) -> Self {
        let hash = |purpose: &str| function.hash(format!("backend-{node} {purpose}").as_bytes());
        Self {
            next: hash("offset") % size,
            skip: hash("skip") % (size - 1) + 1,
            size,
        }
    }
}

impl Iterator for Order {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let place = self.next;
        self.next = (place + self.skip) % self.size;
        Some(place as usize)
    }
}

/// The paper's small and large size. From 100 places a node on their shares differ by 1 % at most.
const fn size(nodes: u32) -> u64 {
    if nodes <= 655 { 65_537 } else { 655_373 }
}

const FREE: u16 = u16::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    struct Mixed;

    impl HashFunction for Mixed {
        fn hash(&self, key: &[u8]) -> u64 {
            key.iter().fold(7, |hash: u64, &byte| {
                let hash = (hash ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                hash ^ (hash >> 31)
            })
        }
    }

    #[test]
    fn every_node_has_as_many_places_but_for_one() {
        for nodes in [1, 2, 3, 100, 655, 656] {
            let places = populate(&Mixed, nodes);
            let mut counts = vec![0_u64; nodes as usize];
            places
                .iter()
                .for_each(|&node| counts[usize::from(node)] += 1);
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            assert!(most - least <= 1, "{nodes}: {least} to {most}");
        }
    }

    /// By the paper's example: table 1 has the orders, table 2 the outcome.
    #[test]
    fn the_example_of_the_paper_comes_out() {
        let orders = || {
            [(3, 4), (0, 2), (3, 1)].map(|(next, skip)| Order {
                next,
                skip,
                size: 7,
            })
        };
        assert_eq!(*fill(orders().into(), 7), [1, 0, 1, 0, 2, 2, 0]);
        let preferred = orders().map(|order| order.take(7).collect::<Vec<_>>());
        assert_eq!(
            preferred,
            [
                [3, 0, 4, 1, 5, 2, 6],
                [0, 2, 4, 6, 1, 3, 5],
                [3, 4, 5, 6, 0, 1, 2]
            ]
        );
    }
}
