//! Threads that take a buffer, fill it, read it, and give it back.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ringside_contract::operations::{Prepared, Work};
use ringside_metal::numa::Node;

use super::place::Lender;
use super::touch::LINE;

/// Of which the elapsed time of documents is: a million.
const COUNTED: f64 = 1e6;

/// Buffers for threads that are spread over nodes.
pub(super) struct Buffers {
    nodes: Vec<Node>,
    lender: Box<dyn Lender>,
    /// Words that were not as they were filled.
    foreign: AtomicU64,
    /// What the system refused.
    wrong: Mutex<Option<String>>,
}

impl Buffers {
    pub(super) fn new(nodes: Vec<Node>, lender: Box<dyn Lender>) -> Self {
        Self {
            nodes,
            lender,
            foreign: AtomicU64::new(0),
            wrong: Mutex::default(),
        }
    }

    /// Words that were not as they were filled.
    pub(super) fn foreign(&self) -> u64 {
        self.foreign.load(Ordering::Relaxed)
    }

    fn refused(&self, error: &io::Error) {
        *self.wrong.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
    }
}

impl Prepared for Buffers {
    fn work(&self, thread: u32) -> Box<dyn Work + '_> {
        let place = thread as usize % self.nodes.len();
        if let Err(error) = self.lender.enter(&self.nodes[place]) {
            self.refused(&error);
        }
        Box::new(Thread {
            buffers: self,
            place,
            stamp: u64::from(thread) << 48,
        })
    }

    fn check(&self) -> Result<(), String> {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wrong) = wrong.clone() {
            return Err(wrong);
        }
        match self.foreign() {
            0 => Ok(()),
            foreign => Err(format!("{foreign} words were not as they were filled")),
        }
    }

    fn figures(&self) -> Vec<(String, f64)> {
        vec![("elapsed_operations".to_owned(), COUNTED)]
    }
}

struct Thread<'a> {
    buffers: &'a Buffers,
    place: usize,
    stamp: u64,
}

impl Thread<'_> {
    /// One buffer, a word of each line of it: how many were not as they were filled.
    fn turn(&self, number: u64) -> io::Result<u64> {
        let buffer = self.buffers.lender.take(self.place)?;
        let stamp = self.stamp | number;
        for line in buffer.words().chunks(LINE) {
            line[0].store(stamp, Ordering::Relaxed);
        }
        let lines = buffer.words().chunks(LINE);
        let is_foreign = |line: &&[AtomicU64]| line[0].load(Ordering::Relaxed) != stamp;
        let foreign = lines.filter(is_foreign).count();
        self.buffers.lender.give(self.place, buffer);
        Ok(foreign as u64)
    }
}

impl Work for Thread<'_> {
    fn run(&mut self, first: u64, count: u32) -> u64 {
        let mut foreign = 0;
        for number in first..first + u64::from(count) {
            match self.turn(number) {
                Ok(found) => foreign += found,
                Err(error) => {
                    self.buffers.refused(&error);
                    break;
                }
            }
        }
        self.buffers.foreign.fetch_add(foreign, Ordering::Relaxed);
        foreign
    }
}
