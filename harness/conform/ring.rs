//! Consistent hashing: what every way to share keys out has to do, and ([`quality`]) what a good one does.

use ringside_contract::operations::hash::KeyForm;
use ringside_contract::operations::ring::{NodeTable, TestedRing};

use crate::case::{Case, Failure, ensure};
use crate::in_process::{asked, together};

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// What is asked of a good one. What fails it is timed all the same, and not to be chosen.
pub fn quality() -> &'static [Case] {
    QUALITY
}

/// Runs a case of either kind in this process.
///
/// # Errors
/// What went to a wrong node, or that there is no such case.
pub fn run(name: &str, ring: &dyn TestedRing) -> Result<(), Failure> {
    match name {
        "gives_a_key_the_same_node_again" => gives_a_key_the_same_node_again(ring),
        "gives_threads_the_same_node" => gives_threads_the_same_node(ring),
        "a_new_node_takes_keys_and_no_other_does" => a_new_node_takes_keys_and_no_other_does(ring),
        "nodes_have_even_shares" => nodes_have_even_shares(ring),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

const CASES: &[Case] = &[
    asked!(
        "gives_a_key_the_same_node_again",
        "A key has one node, which is one of those that there are, also in another table of as many."
    ),
    asked!(
        "gives_threads_the_same_node",
        "Threads that ask for the same keys at the same time get the same nodes."
    ),
    asked!(
        "a_new_node_takes_keys_and_no_other_does",
        "When a node comes, keys stay where they were or go to the new one, but for as many as the technique owns up to."
    ),
];

const QUALITY: &[Case] = &[asked!(
    "nodes_have_even_shares",
    "Of names, addresses and identifiers no node out of 100 has 1.5 times its share or more, and none has nothing."
)];

/// Counts of nodes: the fewest, small ones, and one of each way that a table may have.
const COUNTS: [u32; 7] = [1, 2, 3, 16, 100, 655, 3000];

/// As many keys of each form, by their numbers.
fn each_key(count: u32, mut act: impl FnMut(KeyForm, &str)) {
    let mut key = String::new();
    for form in FORMS {
        for number in 0..count {
            key.clear();
            form.write(number, &mut key);
            act(form, &key);
        }
    }
}

fn nodes_of(table: &dyn NodeTable, count: u32) -> Vec<u32> {
    let mut nodes = Vec::new();
    each_key(count, |_, key| nodes.push(table.node(key.as_bytes())));
    nodes
}

fn gives_a_key_the_same_node_again(ring: &dyn TestedRing) -> Result<(), Failure> {
    for count in COUNTS {
        let (table, other) = (ring.of(count), ring.of(count));
        let mut outcome = Ok(());
        each_key(1000, |_, key| {
            let [first, second] = [&table, &other].map(|table| table.node(key.as_bytes()));
            if outcome.is_ok() {
                outcome = ensure(first == second && first < count, || {
                    format!("{key} has the nodes {first} and {second} of {count}")
                });
            }
        });
        outcome?;
        for key in [&b""[..], &[0; 100], &[0xff; 100]] {
            let node = table.node(key);
            ensure(node < count, || {
                format!(
                    "a key of {} bytes has the node {node} of {count}",
                    key.len()
                )
            })?;
        }
    }
    Ok(())
}

fn gives_threads_the_same_node(ring: &dyn TestedRing) -> Result<(), Failure> {
    let table = ring.of(100);
    let expected = nodes_of(table.as_ref(), 1000);
    let agreed = together(|_| (0..5).all(|_| nodes_of(table.as_ref(), 1000) == expected))?;
    ensure(agreed.iter().all(|agreed| *agreed), || {
        "a thread got another node for a key than the one before it".to_owned()
    })
}

fn a_new_node_takes_keys_and_no_other_does(ring: &dyn TestedRing) -> Result<(), Failure> {
    for count in COUNTS {
        let [before, after] =
            [count, count + 1].map(|count| nodes_of(ring.of(count).as_ref(), KEYS));
        let changed = || {
            before
                .iter()
                .zip(&after)
                .filter(|(before, after)| before != after)
        };
        let elsewhere = changed().filter(|(_, after)| **after != count).count();
        let share = elsewhere as f64 / before.len() as f64;
        let allowed = ring.moved_without_need(count);
        ensure(share <= allowed, || {
            format!(
                "of {} keys {elsewhere} went from one of {count} nodes to another of them when one more came, and {:.1} % may",
                before.len(),
                allowed * 100.0
            )
        })?;
    }
    Ok(())
}

fn nodes_have_even_shares(ring: &dyn TestedRing) -> Result<(), Failure> {
    let table = ring.of(NODES);
    for form in FORMS {
        let mut keys = vec![Vec::new(); NODES as usize];
        let mut key = String::new();
        for number in 0..NODES * SHARE {
            key.clear();
            form.write(number, &mut key);
            if let Some(keys) = keys.get_mut(table.node(key.as_bytes()) as usize) {
                keys.push(number);
            }
        }
        let least = keys.iter().map(Vec::len).min().unwrap_or(0);
        let most = keys.iter().enumerate().max_by_key(|(_, keys)| keys.len());
        let (fullest, its_keys) = most.map_or((0, &[][..]), |(node, keys)| (node, keys));
        let is_even = least > 0 && its_keys.len() < SHARE as usize * 3 / 2;
        ensure(is_even, || {
            let shown = its_keys.iter().take(2).map(|&number| {
                let mut key = String::new();
                form.write(number, &mut key);
                format!("`{key}`")
            });
            format!(
                "of {} keys node {fullest} has {}, such as {}, and another one {least}, where {SHARE} are its share",
                NODES * SHARE,
                its_keys.len(),
                shown.collect::<Vec<_>>().join(" and ")
            )
        })?;
    }
    Ok(())
}

const FORMS: [KeyForm; 3] = [KeyForm::User, KeyForm::Url, KeyForm::Uuid];

/// Keys of each form by which moves are counted.
const KEYS: u32 = 10_000;

/// Nodes that share keys, and keys for each. With 160 points a node has its share but for 8 %, and 3 % more by chance: a good
/// ring has 1.5 times as many for one of 100 nodes once in a million.
const NODES: u32 = 100;
const SHARE: u32 = 1000;
