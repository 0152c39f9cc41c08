//! How the C library's allocator has its memory.

/// Memory of the allocator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeapUsage {
    /// Bytes that it has from the kernel: its heaps, and single large pieces.
    pub bytes: u64,
    /// Of these, free ones, between and behind those in use.
    pub free_bytes: u64,
}

impl HeapUsage {
    /// The part, from 0 to 1, that is not among so many bytes of use: free, or kept for later.
    pub fn idle_share(self, used_bytes: u64) -> f64 {
        let idle = self.bytes.saturating_sub(used_bytes);
        idle as f64 / self.bytes.max(1) as f64
    }
}

/// That of this process, over all its threads; `None` where the C library does not tell.
pub fn usage() -> Option<HeapUsage> {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: the call takes nothing and gives numbers; the library locks what it reads.
        let info = unsafe { libc::mallinfo2() };
        Some(HeapUsage {
            bytes: (info.arena + info.hblkhd) as u64,
            free_bytes: info.fordblks as u64,
        })
    }
    #[cfg(not(target_env = "gnu"))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_env = "gnu")]
    fn what_is_freed_between_others_shows() {
        let mut pieces: Vec<Option<Box<[u8; 2048]>>> =
            (0..4000).map(|_| Some(Box::new([1; 2048]))).collect();
        let full = usage().unwrap();
        for piece in pieces.iter_mut().step_by(2) {
            *piece = None;
        }
        let holes = usage().unwrap();
        assert!(
            holes.free_bytes > full.free_bytes + (1 << 20),
            "{full:?} {holes:?}"
        );
        let used = 2000 * 2048;
        assert!(holes.idle_share(used) > full.idle_share(2 * used));
        assert_eq!(full.idle_share(u64::MAX), 0.0);
        assert!(pieces[1].is_some());
    }
}
