//! A pool that opens connections as they are asked for, more at a time the smaller it is: twice as many, then one and a
//! half times, 1.2 times, 1.1 times, as document 001 has it. It replaces what has died, and closes what nobody needs.

use std::io;

use parking_lot::Mutex;
use ringside_contract::operations::pool::{BUFFERS, Connection, ConnectionHandle, TestedPool};
use ringside_contract::operations::{InProcess, Prepared, Tested, Workload};
use ringside_contract::{Axis, ImplementationMeta, Settings, StartError};
use ringside_metal::{coarse_millis, monotonic_ns, widen_table};

use super::connections::{self, ConnectionPool};
use super::progressive_backend::{Backend, is_healthy};

/// `pool/progressive`.
pub(crate) struct Progressive;

static META: ImplementationMeta = ImplementationMeta {
    id: "pool/progressive",
    about: "A stack of connections behind one parking_lot::Mutex that grows, shrinks, and replaces those that have died, as the \
            document describes.",
    axes: &[GROWTH],
    ranked: true,
};

const GROWTH: Axis = Axis {
    name: "growth",
    values: &["progressive", "doubling"],
    default: "progressive",
    about: "How many times as many connections there are after each growth: 2, 1.5, 1.2 and then 1.1, or always 2.",
};

/// The document's factors, of which the last one stays.
const FACTORS: [f64; 4] = [2.0, 1.5, 1.2, 1.1];

impl InProcess for Progressive {
    fn meta(&self) -> &'static ImplementationMeta {
        &META
    }

    fn cannot(&self) -> &'static [&'static str] {
        &[BUFFERS]
    }

    fn prepare(
        &self,
        axes: &Settings,
        workload: &Workload,
    ) -> Result<Box<dyn Prepared>, StartError> {
        let factors: &[f64] = match GROWTH.choose(axes)? {
            "doubling" => &FACTORS[..1],
            _ => &FACTORS,
        };
        let expand_ms = longest_growth(factors).map_err(refused)? as f64 / 1e6;
        connections::prepare(
            workload,
            |most| Pool::open(most, factors).map_err(refused),
            || vec![("expand_time".to_owned(), expand_ms)],
        )
    }

    fn tested(&self, _: &Settings) -> Result<Tested, StartError> {
        Ok(Tested::Pool(TestedPool {
            connections: Some(connections::tested::<Pool>),
            buffers: None,
        }))
    }
}

fn refused(source: io::Error) -> StartError {
    StartError::Io {
        step: "open connections to a listener of this process".to_owned(),
        source,
    }
}

/// The longest that somebody waited for a connection while a pool grew to [`GROWN`], in nanoseconds.
fn longest_growth(factors: &'static [f64]) -> io::Result<u64> {
    // Where it is refused, too few connections can be opened, which is told below.
    let _ = widen_table(2 * GROWN + 256);
    let pool = Pool::open(GROWN, factors)?;
    let (mut handle, mut lent, mut longest) = (&pool, Vec::new(), 0);
    loop {
        let began = monotonic_ns();
        let Some(connection) = handle.take() else {
            // All are lent, or the system has no more.
            let all = lent.len() == GROWN as usize;
            return all.then_some(longest).ok_or_else(|| {
                let (lent, both) = (lent.len(), 2 * GROWN);
                io::Error::other(format!(
                    "only {lent} of {GROWN} connections could be opened; allow {both} more open files (`ulimit -n`)"
                ))
            });
        };
        longest = longest.max(monotonic_ns() - began);
        lent.push(connection);
    }
}

/// As many connections as a pool of one service has that is not a small one; both ends are in this process.
const GROWN: u32 = 400;

/// Connections to begin with.
const FIRST: usize = 8;

/// A pool shrinks when less than this part of it was in use each time for so many operations.
const SHRINK_BELOW: f64 = 0.25;
const SHRINK_AFTER: u32 = 10_000;

/// A connection that was back for so long is looked at before it is lent again.
const LOOK_AFTER_MS: u64 = 500;

/// The pool.
pub(crate) struct Pool {
    stack: Mutex<Stack>,
    backend: Backend,
    factors: &'static [f64],
    most: usize,
}

struct Stack {
    idle: Vec<Connection>,
    /// Those that are open, lent ones included.
    open: usize,
    /// How often it has grown.
    growths: usize,
    /// Operations since as many were in use as keep it as large as it is.
    quiet: u32,
    /// The number of the next connection.
    next: u32,
}

impl Pool {
    fn open(most: u32, factors: &'static [f64]) -> io::Result<Self> {
        let pool = Self {
            stack: Mutex::new(Stack {
                idle: Vec::new(),
                open: 0,
                growths: 0,
                quiet: 0,
                next: 0,
            }),
            backend: Backend::start()?,
            factors,
            most: most.max(1) as usize,
        };
        let first = FIRST.min(pool.most);
        pool.connect(&mut pool.stack.lock(), first)?;
        Ok(pool)
    }

    fn connect(&self, stack: &mut Stack, count: usize) -> io::Result<()> {
        for _ in 0..count {
            let connection = Connection {
                stream: Some(self.backend.connect()?),
                idle_since_ms: coarse_millis(),
                ..Connection::stand_in(stack.next)
            };
            stack.idle.push(connection);
            stack.open += 1;
            stack.next += 1;
        }
        Ok(())
    }

    /// Opens as many as the next factor says. Where the system refuses, those that it did open are there.
    #[cold]
    fn grow(&self, stack: &mut Stack) {
        let factor = self.factors[stack.growths.min(self.factors.len() - 1)];
        let target = (stack.open as f64 * factor).ceil() as usize;
        let target = target.clamp(stack.open + 1, self.most.max(stack.open + 1));
        let more = target.min(self.most).saturating_sub(stack.open);
        if more > 0 {
            stack.growths += 1;
            let _ = self.connect(stack, more);
        }
    }

    /// Closes those that are back, down to twice as many as are in use and never to fewer than to begin with.
    #[cold]
    fn shrink(stack: &mut Stack) {
        let in_use = stack.open - stack.idle.len();
        let target = (2 * in_use).max(FIRST);
        let fewer = stack.open.saturating_sub(target).min(stack.idle.len());
        // The bottom of the stack: those that were back longest.
        stack.idle.drain(..fewer);
        stack.open -= fewer;
        stack.growths = 0;
    }
}

impl ConnectionPool for Pool {
    type Handle<'a> = &'a Self;

    fn new(most: u32) -> Result<Self, StartError> {
        Self::open(most, &FACTORS).map_err(refused)
    }

    fn handle(&self) -> &Self {
        self
    }
}

impl ConnectionHandle for &Pool {
    #[inline]
    fn take(&mut self) -> Option<Connection> {
        let mut stack = self.stack.lock();
        loop {
            if stack.idle.is_empty() {
                self.grow(&mut stack);
            }
            let connection = stack.idle.pop()?;
            let waited_ms = coarse_millis().saturating_sub(connection.idle_since_ms);
            let healthy =
                |connection: &Connection| connection.stream.as_ref().is_some_and(is_healthy);
            if waited_ms < LOOK_AFTER_MS || healthy(&connection) {
                return Some(connection);
            }
            // It is dropped, and another one takes its place.
            stack.open -= 1;
            let _ = self.connect(&mut stack, 1);
        }
    }

    #[inline]
    fn put(&mut self, mut connection: Connection) {
        connection.idle_since_ms = coarse_millis();
        let mut stack = self.stack.lock();
        let in_use = (stack.open - stack.idle.len()) as f64;
        stack.idle.push(connection);
        let is_quiet = stack.open > FIRST && in_use < SHRINK_BELOW * stack.open as f64;
        stack.quiet = if is_quiet { stack.quiet + 1 } else { 0 };
        if stack.quiet >= SHRINK_AFTER {
            stack.quiet = 0;
            Pool::shrink(&mut stack);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(pool: &Pool) -> usize {
        pool.stack.lock().open
    }

    fn lend(pool: &Pool, count: usize) -> Vec<Connection> {
        let mut handle = pool;
        (0..count).map_while(|_| handle.take()).collect()
    }

    fn give_back(pool: &Pool, lent: Vec<Connection>) {
        let mut handle = pool;
        lent.into_iter()
            .for_each(|connection| handle.put(connection));
    }

    #[test]
    fn it_grows_by_the_factors_and_stops_at_its_most() {
        let pool = Pool::new(40).unwrap();
        let mut sizes = vec![open(&pool)];
        let mut lent = Vec::new();
        let mut handle = &pool;
        while let Some(connection) = handle.take() {
            lent.push(connection);
            if open(&pool) != sizes[sizes.len() - 1] {
                sizes.push(open(&pool));
            }
        }
        assert_eq!(sizes, [8, 16, 24, 29, 32, 36, 40]);
        assert_eq!(lent.len(), 40);
        let mut numbers: Vec<_> = lent.iter().map(|connection| connection.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn it_shrinks_once_it_was_quiet_long_enough() {
        let pool = Pool::new(40).unwrap();
        let lent = lend(&pool, 40);
        give_back(&pool, lent);
        assert_eq!(open(&pool), 40);
        for _ in 0..SHRINK_AFTER + 40 {
            let lent = lend(&pool, 1);
            give_back(&pool, lent);
        }
        assert_eq!(open(&pool), FIRST);
        assert_eq!(lend(&pool, 41).len(), 40, "and grows again");
    }

    #[test]
    fn what_has_died_is_replaced() {
        let pool = Pool::new(8).unwrap();
        pool.backend.hang_up(FIRST);
        for connection in &mut pool.stack.lock().idle {
            connection.idle_since_ms = 0;
        }
        let lent = lend(&pool, 8);
        assert_eq!((lent.len(), open(&pool)), (8, 8));
        let healthy = |connection: &Connection| is_healthy(connection.stream.as_ref().unwrap());
        assert!(lent.iter().all(healthy));
        assert!(lent.iter().all(|connection| connection.number >= 8));
    }
}
