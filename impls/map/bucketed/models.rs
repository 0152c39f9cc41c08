//! The map while threads read it, write to it and make it grow: tried by loom in every order (`just loom`). Each bug of
//! order that can be planted into its pointers is found by one of the models.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use loom::thread::{self, JoinHandle};

use super::map::Map;
use super::sync::pin;
use super::sync::stand_in::{Bug, plant};

/// Left alone when a model fails: what is half done cannot be dropped.
type Shared = Arc<ManuallyDrop<Map>>;

/// A map of one bucket.
fn map() -> Shared {
    Arc::new(ManuallyDrop::new(Map::with_buckets(1)))
}

fn beside<R: 'static>(map: &Shared, work: impl FnOnce(&Map) -> R + 'static) -> JoinHandle<R> {
    let map = Arc::clone(map);
    thread::spawn(move || work(&map))
}

/// Frees it, where nothing may be left or freed twice.
fn end(map: Shared) {
    let map = Arc::try_unwrap(map).unwrap_or_else(|_| panic!("all threads have ended"));
    drop(ManuallyDrop::into_inner(map));
}

fn grow(map: &Map) {
    let guard = pin();
    map.grow(&guard, map.root(&guard));
}

/// A reader beside a writer.
fn read_and_write() {
    let map = map();
    map.insert(1, 10);
    let writing = beside(&map, |map| {
        assert_eq!(map.insert(1, 11), Some(10));
        assert_eq!(map.remove(1), Some(11));
    });
    // No value, and then one, would be a step back.
    let found = [map.get(1), map.get(1)].map(|value| value.unwrap_or(12));
    assert!(found.is_sorted() && found[0] >= 10, "{found:?}");
    writing.join().unwrap();
    assert_eq!(map.get(1), None);
    end(map);
}

/// Two writers of one key: each value is given back once.
fn write_and_write() {
    let map = map();
    let writing = beside(&map, |map| map.insert(1, 10));
    let before = map.insert(1, 11);
    let other = writing.join().unwrap();
    let last = map.get(1);
    let chain = [(None, Some(10), Some(11)), (Some(11), None, Some(10))];
    assert!(
        chain.contains(&(other, before, last)),
        "{other:?} {before:?} {last:?}"
    );
    end(map);
}

/// A reader beside one that grows.
fn read_and_grow() {
    let map = map();
    map.insert(1, 10);
    map.insert(2, 20);
    let growing = beside(&map, grow);
    assert_eq!(map.get(1), Some(10));
    assert_eq!((map.get(2), map.get(3)), (Some(20), None));
    growing.join().unwrap();
    assert_eq!((map.get(1), map.get(2)), (Some(10), Some(20)));
    end(map);
}

/// A writer beside one that grows: nothing that was written is lost, and nothing that was removed comes back.
fn write_and_grow() {
    let map = map();
    map.insert(1, 10);
    map.insert(2, 20);
    let growing = beside(&map, grow);
    assert_eq!(map.insert(1, 11), Some(10));
    assert_eq!(map.remove(2), Some(20));
    let found = |map: &Map| (map.get(1), map.get(2));
    assert_eq!(found(&map), (Some(11), None));
    growing.join().unwrap();
    assert_eq!(found(&map), (Some(11), None));
    end(map);
}

/// Two that grow, and one of them writes in between.
fn grow_and_grow() {
    let map = map();
    map.insert(1, 10);
    let growing = beside(&map, grow);
    grow(&map);
    assert_eq!(map.remove(1), Some(10));
    growing.join().unwrap();
    assert_eq!(map.get(1), None);
    end(map);
}

/// A writer beside one that removes: the value is given to the one who removes it, or is there at the end.
fn write_and_remove() {
    let map = map();
    let removing = beside(&map, |map| map.remove(1));
    assert_eq!(map.insert(1, 10), None);
    let removed = removing.join().unwrap();
    assert_eq!(removed.is_some(), map.get(1).is_none());
    end(map);
}

const MODELS: [(&str, fn()); 6] = [
    ("read_and_write", read_and_write),
    ("write_and_write", write_and_write),
    ("write_and_remove", write_and_remove),
    ("read_and_grow", read_and_grow),
    ("write_and_grow", write_and_grow),
    ("grow_and_grow", grow_and_grow),
];

#[test]
fn a_reader_beside_a_writer_finds_what_was_there_and_never_goes_back() {
    loom::model(read_and_write);
}

#[test]
fn of_two_writers_each_value_is_given_back_once() {
    loom::model(write_and_write);
}

#[test]
fn a_value_is_removed_or_there() {
    loom::model(write_and_remove);
}

#[test]
fn a_reader_finds_all_entries_while_the_map_grows() {
    loom::model(read_and_grow);
}

/// Seen to fail when a bucket is copied before it is frozen, and when an empty one is left null.
#[test]
fn a_write_is_not_lost_while_the_map_grows() {
    loom::model(write_and_grow);
}

#[test]
fn two_threads_let_it_grow_once_each_or_together() {
    loom::model(grow_and_grow);
}

/// Loom finds the bug in these models, and in no other one.
fn check_found(bug: Bug, models: &[&str]) {
    plant(bug);
    let fails = |model: fn()| catch_unwind(AssertUnwindSafe(|| loom::model(model))).is_err();
    let found = MODELS.iter().filter(|(_, model)| fails(*model));
    let found: Vec<&str> = found.map(|(name, _)| *name).collect();
    assert_eq!(found, models, "{bug:?}");
}

fn all() -> [&'static str; 6] {
    MODELS.map(|(name, _)| name)
}

const GROWING: [&str; 3] = ["read_and_grow", "write_and_grow", "grow_and_grow"];

#[test]
fn entries_that_are_not_released_are_found_by_models() {
    check_found(Bug::EntriesNotReleased, &all());
}

#[test]
fn entries_that_are_not_acquired_are_found_by_models() {
    check_found(Bug::EntriesNotAcquired, &all());
}

#[test]
fn tables_that_are_not_released_are_found_by_models() {
    check_found(Bug::TableNotReleased, &GROWING);
}

#[test]
fn tables_that_are_not_acquired_are_found_by_models() {
    check_found(Bug::TableNotAcquired, &GROWING);
}

#[test]
fn what_is_freed_too_early_is_found_by_models() {
    // Where two write and nobody reads, nothing is read that was replaced.
    check_found(
        Bug::FreedAtOnce,
        &[
            "read_and_write",
            "read_and_grow",
            "write_and_grow",
            "grow_and_grow",
        ],
    );
}
