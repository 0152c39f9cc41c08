//! Pools: what is lent must be nobody else's.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use ringside_contract::operations::pool::{
    BUFFERS, CONNECTIONS, ConnectionHandle, TestedBuffers, TestedConnections, TestedPool,
};

use crate::case::{Case, Failure, ensure};
use crate::in_process::{THREADS, ask, together};

/// Every case of the family, asked for over a worker's connection.
pub fn cases() -> &'static [Case] {
    CASES
}

/// Runs a case in this process.
///
/// # Errors
/// What a pool did wrong, that it is none of what the case asks for, or that there is no such case.
pub fn run(name: &str, pool: &TestedPool) -> Result<(), Failure> {
    let connections = |most| {
        let made = pool.connections.map(|make| make(most));
        made.ok_or_else(|| Failure::new("it is no pool of connections"))
    };
    let buffers = || {
        let made = pool.buffers.map(|make| make());
        made.ok_or_else(|| Failure::new("it is no pool of buffers"))
    };
    match name {
        "lends_a_connection_to_one" => lends_a_connection_to_one(connections(3)?.as_ref()),
        "lends_no_more_than_there_are" => lends_no_more_than_there_are(connections(3)?.as_ref()),
        "takes_back_after_a_panic" => takes_back_after_a_panic(connections(1)?.as_ref()),
        "gives_room" => gives_room(buffers()?.as_ref()),
        "lends_a_buffer_to_one" => lends_a_buffer_to_one(buffers()?.as_ref()),
        "shows_no_old_bytes" => shows_no_old_bytes(buffers()?.as_ref()),
        "keeps_no_more_than_its_share" => keeps_no_more_than_its_share(buffers()?.as_ref()),
        _ => Err(Failure::new(format!("there is no case `{name}`"))),
    }
}

/// A case that only pools of one kind can be asked.
macro_rules! of {
    ($kind:expr, $name:literal, $about:literal) => {
        Case {
            name: $name,
            about: $about,
            needs: &[$kind],
            run: |target| ask(target, $name),
        }
    };
}

const CASES: &[Case] = &[
    of!(
        CONNECTIONS,
        "lends_a_connection_to_one",
        "Threads that lend and give back three connections never have one that another thread has, and lose no use of one."
    ),
    of!(
        CONNECTIONS,
        "lends_no_more_than_there_are",
        "With all connections lent there is none to be had, and one again when one was given back."
    ),
    of!(
        CONNECTIONS,
        "takes_back_after_a_panic",
        "A connection whose user panics comes back."
    ),
    of!(
        BUFFERS,
        "gives_room",
        "A buffer has room for what was asked for, from 1 byte to 2 MiB, first and later."
    ),
    of!(
        BUFFERS,
        "lends_a_buffer_to_one",
        "Bytes that a thread writes into its buffers are there until it gives them back, whatever others do."
    ),
    of!(
        BUFFERS,
        "shows_no_old_bytes",
        "A buffer is empty, whatever was in it before."
    ),
    of!(
        BUFFERS,
        "keeps_no_more_than_its_share",
        "Of 20,000 buffers that are given back at once, those that come again are no more than a pool may keep."
    ),
];

fn lends_a_connection_to_one(pool: &dyn TestedConnections) -> Result<(), Failure> {
    const TURNS: u64 = 20_000;
    let lent: Vec<AtomicBool> = (0..pool.most()).map(|_| AtomicBool::new(false)).collect();
    let take_turns = |handle: &mut dyn ConnectionHandle| -> Result<(), String> {
        let mut turns = 0;
        while turns < TURNS {
            let Some(mut connection) = handle.take() else {
                std::thread::yield_now();
                continue;
            };
            turns += 1;
            let number = connection.number as usize;
            let mark = lent.get(number);
            let mark =
                mark.ok_or_else(|| format!("connection {number} is none of {}", lent.len()))?;
            if mark.swap(true, Ordering::AcqRel) {
                return Err(format!("connection {number} was lent to two threads"));
            }
            connection.uses += 1;
            mark.store(false, Ordering::Release);
            handle.put(connection);
        }
        Ok(())
    };
    // Each with a handle for all its turns, as threads have them: what a handle keeps is a part of the technique.
    let outcomes = together(|_| {
        let mut outcome = Ok(());
        pool.with_handle(&mut |handle| outcome = take_turns(handle));
        outcome.map_err(Failure::new)
    })?;
    outcomes.into_iter().collect::<Result<(), Failure>>()?;
    let uses = uses(pool, pool.most());
    ensure(uses == TURNS * THREADS, || {
        format!("of {} uses {uses} are left", TURNS * THREADS)
    })
}

/// Has so many connections at once, and adds up how often they were used.
fn uses(pool: &dyn TestedConnections, count: usize) -> u64 {
    let mut sum = 0;
    if count > 0 {
        pool.with(&mut |connection| sum = connection.uses + uses(pool, count - 1));
    }
    sum
}

/// How many can be had at once.
fn depth(pool: &dyn TestedConnections, seen: &mut HashSet<u32>, most: usize) -> usize {
    let mut depth_within = 0;
    if most == 0 {
        return 0;
    }
    let had = pool.with(&mut |connection| {
        if seen.insert(connection.number) {
            depth_within = depth(pool, seen, most - 1);
        }
    });
    usize::from(had) + depth_within
}

fn lends_no_more_than_there_are(pool: &dyn TestedConnections) -> Result<(), Failure> {
    for round in 0..3 {
        let found = depth(pool, &mut HashSet::new(), 2 * pool.most());
        ensure(found == pool.most(), || {
            format!(
                "in round {round} {found} of {} connections were to be had at once",
                pool.most()
            )
        })?;
    }
    Ok(())
}

fn takes_back_after_a_panic(pool: &dyn TestedConnections) -> Result<(), Failure> {
    for round in 0..3 {
        let thrown = catch_unwind(AssertUnwindSafe(|| {
            // Not `panic!`, which would write a message that nobody can place.
            pool.with(&mut |_| std::panic::resume_unwind(Box::new(())))
        }));
        ensure(thrown.is_err(), || {
            format!("in round {round} there was no connection")
        })?;
    }
    Ok(())
}

fn gives_room(pool: &dyn TestedBuffers) -> Result<(), Failure> {
    let sizes = [
        1,
        1000,
        1024,
        1025,
        4096,
        8193,
        65_536,
        65_537,
        1 << 20,
        2 << 20,
    ];
    let mut outcome = Ok(());
    pool.with_handle(&mut |handle| {
        outcome = sizes
            .iter()
            .chain(sizes.iter().rev())
            .try_for_each(|&size| {
                let (buffer, _) = handle.take(size);
                let capacity = buffer.capacity();
                handle.put(buffer);
                ensure(capacity >= size, || {
                    format!("a buffer for {size} bytes has room for {capacity}")
                })
            });
    });
    outcome
}

fn lends_a_buffer_to_one(pool: &dyn TestedBuffers) -> Result<(), Failure> {
    let outcomes = together(|thread| {
        let mut outcome = Ok(());
        pool.with_handle(&mut |handle| {
            outcome = (0..3000_usize).try_for_each(|round| {
                let mut buffers = Vec::new();
                for place in 0..4 {
                    let (mut buffer, _) = handle.take(100 << (3 * place));
                    buffer.resize(100, thread as u8);
                    buffers.push(buffer);
                }
                for buffer in buffers {
                    let strange = buffer.iter().find(|&&byte| byte != thread as u8);
                    ensure(strange.is_none(), || {
                        format!("in round {round} thread {thread} found {strange:?} in its buffer")
                    })?;
                    handle.put(buffer);
                }
                Ok(())
            });
        });
        outcome
    })?;
    outcomes.into_iter().collect()
}

fn shows_no_old_bytes(pool: &dyn TestedBuffers) -> Result<(), Failure> {
    let mut outcome = Ok(());
    pool.with_handle(&mut |handle| {
        outcome = (0..5000).try_for_each(|round| {
            let (mut buffer, _) = handle.take(1000);
            let length = buffer.len();
            buffer.extend_from_slice(b"what somebody else may not see");
            handle.put(buffer);
            ensure(length == 0, || {
                format!("in round {round} a buffer had {length} bytes of an earlier user")
            })
        });
    });
    outcome
}

fn keeps_no_more_than_its_share(pool: &dyn TestedBuffers) -> Result<(), Failure> {
    const COUNT: usize = 20_000;
    /// Of the smallest; the pool of document 001 has most of them.
    const KEPT_MAX: usize = 10_000;
    let mut kept = 0;
    pool.with_handle(&mut |handle| {
        let taken: Vec<_> = (0..COUNT).map(|_| handle.take(1000).0).collect();
        taken.into_iter().for_each(|buffer| handle.put(buffer));
        let again: Vec<_> = (0..COUNT).map(|_| handle.take(1000)).collect();
        kept = again.iter().filter(|(_, was_there)| *was_there).count();
    });
    ensure(kept <= KEPT_MAX, || {
        format!("of {COUNT} buffers that were given back at once {kept} were there again")
    })
}
