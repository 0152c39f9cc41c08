//! Buffers for the parts of a file that is copied: kept by each thread, so that a body costs no
//! fresh pages. (A new 256 KiB buffer costs 64 page faults.)

use std::cell::RefCell;

/// Buffers that a thread keeps; more are in use only while more bodies are in transit at once.
const KEPT: usize = 16;

thread_local! {
    static KEPT_BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of `size` bytes, whatever they are: an engine has one size.
pub(crate) fn take(size: usize) -> Vec<u8> {
    KEPT_BUFFERS
        .with_borrow_mut(|kept| {
            let place = kept.iter().position(|buffer| buffer.len() == size)?;
            Some(kept.swap_remove(place))
        })
        .unwrap_or_else(|| vec![0; size])
}

/// Gives a buffer back.
pub(crate) fn give_back(buffer: Vec<u8>) {
    KEPT_BUFFERS.with_borrow_mut(|kept| {
        if kept.len() < KEPT {
            kept.push(buffer);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffer_that_was_given_back_is_used_again() {
        let buffer = take(4096);
        let address = buffer.as_ptr();
        give_back(buffer);
        let again = take(4096);
        assert_eq!((again.as_ptr(), again.len()), (address, 4096));
        assert_eq!(take(8192).len(), 8192);
    }
}
