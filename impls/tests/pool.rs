//! The conformance cases of pools, over every implementation, and over some that are wrong.
#![expect(
    clippy::unwrap_used,
    reason = "in tests a failed unwrap is the failure message"
)]

use std::sync::Mutex;

use ringside_conform::Case;
use ringside_conform::pool::{cases, run};
use ringside_contract::Settings;
use ringside_contract::operations::Tested;
use ringside_contract::operations::pool::{
    BUFFERS, BufferHandle, CONNECTIONS, Connection, ConnectionHandle, TestedBuffers,
    TestedConnections, TestedPool,
};

fn of(kind: &'static str) -> impl Iterator<Item = &'static Case> {
    cases().iter().filter(move |case| case.needs == [kind])
}

#[test]
fn every_implementation_passes_every_case_of_its_kind() {
    let all = ringside_operations::all();
    let pools = all.iter().filter(|one| one.meta().id.starts_with("pool/"));
    let mut tried = (0, 0);
    for operation in pools {
        let id = operation.meta().id;
        let Tested::Pool(pool) = operation.tested(&Settings::default()).unwrap() else {
            panic!("{id} is no pool");
        };
        let is = |kind| !operation.cannot().contains(&kind);
        assert_eq!(is(CONNECTIONS), pool.connections.is_some(), "{id}");
        assert_eq!(is(BUFFERS), pool.buffers.is_some(), "{id}");
        for case in [CONNECTIONS, BUFFERS]
            .into_iter()
            .filter(|kind| is(kind))
            .flat_map(of)
        {
            assert_eq!(run(case.name, &pool), Ok(()), "{id}: {}", case.name);
        }
        tried.0 += usize::from(is(CONNECTIONS));
        tried.1 += usize::from(is(BUFFERS));
    }
    assert_eq!(tried, (6, 4));
}

/// Stacks that do one thing wrong; which one depends on the function that makes them.
struct Stack {
    connections: Mutex<Vec<Connection>>,
    most: usize,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Two threads get the same connection.
    Copies,
    /// One more than there are.
    LendsMore,
    /// What panics keeps it.
    Forgets,
}

impl TestedConnections for Stack {
    fn with(&self, act: &mut dyn FnMut(&mut Connection)) -> bool {
        let mut stack = self.connections.lock().unwrap();
        let Some(taken) = stack.pop() else {
            let more = self.fault == Fault::LendsMore;
            drop(stack);
            if more {
                act(&mut Connection::stand_in(99));
            }
            return more;
        };
        let mut used = Connection {
            uses: taken.uses,
            ..Connection::stand_in(taken.number)
        };
        let kept = (self.fault == Fault::Copies).then(|| stack.push(taken));
        drop(stack);
        let thrown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| act(&mut used)));
        if kept.is_none() && (thrown.is_ok() || self.fault != Fault::Forgets) {
            self.connections.lock().unwrap().push(used);
        }
        if let Err(thrown) = thrown {
            std::panic::resume_unwind(thrown);
        }
        true
    }

    fn with_handle(&self, act: &mut dyn FnMut(&mut dyn ConnectionHandle)) {
        act(&mut Hand(self));
    }

    fn most(&self) -> usize {
        self.most
    }
}

struct Hand<'a>(&'a Stack);

impl ConnectionHandle for Hand<'_> {
    fn take(&mut self) -> Option<Connection> {
        let mut stack = self.0.connections.lock().unwrap();
        let Some(taken) = stack.pop() else {
            return (self.0.fault == Fault::LendsMore).then(|| Connection::stand_in(99));
        };
        if self.0.fault == Fault::Copies {
            stack.push(Connection::stand_in(taken.number));
        }
        Some(taken)
    }

    fn put(&mut self, connection: Connection) {
        if self.0.fault != Fault::Copies {
            self.0.connections.lock().unwrap().push(connection);
        }
    }
}

fn stack(most: u32, fault: Fault) -> Box<dyn TestedConnections> {
    Box::new(Stack {
        connections: Mutex::new((0..most).map(Connection::stand_in).collect()),
        most: most as usize,
        fault,
    })
}

#[test]
fn a_pool_of_connections_that_is_wrong_fails_the_case_that_asks_for_it() {
    let failing = |make: fn(u32) -> Box<dyn TestedConnections>| -> Vec<&str> {
        let pool = TestedPool {
            connections: Some(make),
            buffers: None,
        };
        let names = of(CONNECTIONS).map(|case| case.name);
        names.filter(|name| run(name, &pool).is_err()).collect()
    };
    assert_eq!(failing(|most| stack(most, Fault::None)), Vec::<&str>::new());
    let copies = failing(|most| stack(most, Fault::Copies));
    assert!(copies.contains(&"lends_a_connection_to_one"), "{copies:?}");
    let more = failing(|most| stack(most, Fault::LendsMore));
    assert!(more.contains(&"lends_no_more_than_there_are"), "{more:?}");
    let forgets = failing(|most| stack(most, Fault::Forgets));
    assert_eq!(forgets, ["takes_back_after_a_panic"]);
}

/// Buffers on a stack that all share.
struct Buffers {
    stack: Mutex<Vec<Vec<u8>>>,
    flaw: Flaw,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Flaw {
    None,
    /// Buffers stay as small as they are.
    IsTight,
    /// A buffer comes with what was in it.
    Shows,
    /// All are kept.
    Keeps,
    /// Whoever gives one back writes into one that somebody else has; here it fills it with its own bytes.
    Scribbles,
}

struct Handle<'a>(&'a Buffers);

impl BufferHandle for Handle<'_> {
    fn take(&mut self, size: usize) -> (Vec<u8>, bool) {
        let found = self.0.stack.lock().unwrap().pop();
        let was_there = found.is_some();
        let mut buffer = found.unwrap_or_default();
        if !(was_there && self.0.flaw == Flaw::IsTight) {
            buffer.reserve(size);
        }
        (buffer, was_there)
    }

    fn put(&mut self, mut buffer: Vec<u8>) {
        if self.0.flaw != Flaw::Shows && self.0.flaw != Flaw::Scribbles {
            buffer.clear();
        }
        let mut stack = self.0.stack.lock().unwrap();
        if stack.len() < 100 || self.0.flaw == Flaw::Keeps {
            stack.push(buffer);
        }
    }
}

impl TestedBuffers for Buffers {
    fn with_handle(&self, act: &mut dyn FnMut(&mut dyn BufferHandle)) {
        act(&mut Handle(self));
    }
}

fn buffers(flaw: Flaw) -> Box<dyn TestedBuffers> {
    Box::new(Buffers {
        stack: Mutex::default(),
        flaw,
    })
}

#[test]
fn a_pool_of_buffers_that_is_wrong_fails_the_case_that_asks_for_it() {
    let failing = |make: fn() -> Box<dyn TestedBuffers>| -> Vec<&str> {
        let pool = TestedPool {
            connections: None,
            buffers: Some(make),
        };
        let names = of(BUFFERS).map(|case| case.name);
        names.filter(|name| run(name, &pool).is_err()).collect()
    };
    assert_eq!(failing(|| buffers(Flaw::None)), Vec::<&str>::new());
    let tight = failing(|| buffers(Flaw::IsTight));
    assert!(tight.contains(&"gives_room"), "{tight:?}");
    let shows = failing(|| buffers(Flaw::Shows));
    assert!(shows.contains(&"shows_no_old_bytes"), "{shows:?}");
    assert_eq!(
        failing(|| buffers(Flaw::Keeps)),
        ["keeps_no_more_than_its_share"]
    );
    let scribbles = failing(|| buffers(Flaw::Scribbles));
    assert!(
        scribbles.contains(&"lends_a_buffer_to_one"),
        "{scribbles:?}"
    );
}
