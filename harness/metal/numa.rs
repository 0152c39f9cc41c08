//! NUMA: which processors and memory belong together, and memory that lies where it is told to. By the system calls
//! themselves (set_mempolicy(2), mbind(2), move_pages(2)), as the C library has none for them.

use std::fs;
use std::io;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicU64;

/// Processors and the memory next to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The system's number.
    pub id: usize,
    /// Its processors, ascending.
    pub cpus: Vec<usize>,
}

/// Every node that has processors and memory, by number; one with all processors where the system knows none.
pub fn nodes() -> Vec<Node> {
    nodes_below(Path::new("/sys/devices/system/node"))
}

fn nodes_below(folder: &Path) -> Vec<Node> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let node = |entry: fs::DirEntry| {
        let id = entry
            .file_name()
            .to_str()?
            .strip_prefix("node")?
            .parse()
            .ok()?;
        let cpus = list(&fs::read_to_string(entry.path().join("cpulist")).ok()?);
        (!cpus.is_empty()).then_some(Node { id, cpus })
    };
    let mut nodes: Vec<_> = entries.filter_map(node).collect();
    nodes.sort_unstable_by_key(|node| node.id);
    if nodes.is_empty() {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        nodes.push(Node {
            id: 0,
            cpus: (0..count).collect(),
        });
    }
    nodes
}

/// Numbers as the kernel writes them, such as `0-3,8`.
fn list(text: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse::<usize>().ok()?..=last.parse().ok()?)
    };
    text.trim().split(',').filter_map(range).flatten().collect()
}

/// The processor that the calling thread is on at this moment.
pub fn own_cpu() -> usize {
    rustix::thread::sched_getcpu()
}

/// Has the calling thread take new memory from this node while it has some; `None`: from wherever the system thinks best,
/// which is what it did before.
///
/// # Errors
/// The system's answer, such as `EINVAL` for a node that does not exist.
pub fn prefer(node: Option<usize>) -> io::Result<()> {
    let mask = mask(node)?;
    let mode = node.map_or(MPOL_DEFAULT, |_| libc::MPOL_PREFERRED);
    let (words, bits) = node.map_or((ptr::null(), 0), |_| (mask.as_ptr(), MASK_BITS));
    // SAFETY: the kernel reads `bits` bits at `words`, which are there, and keeps nothing of them.
    let answer = unsafe { libc::syscall(libc::SYS_set_mempolicy, mode, words, bits) };
    answered(answer)
}

/// Zeroed memory of the kernel's, whole pages of it, which nobody has touched yet.
#[derive(Debug)]
pub struct Pages {
    start: NonNull<AtomicU64>,
    bytes: usize,
}

// SAFETY: the memory belongs to this value alone, and what can be reached of it is atomic.
unsafe impl Send for Pages {}
// SAFETY: as above.
unsafe impl Sync for Pages {}

impl Pages {
    /// At least so many bytes, at most [`Pages::BYTES_MAX`]. They come from `node` when they are touched, and from no other
    /// one; with `None` from wherever the system thinks best.
    ///
    /// # Errors
    /// The system's answer: there is no such node, or not so much memory.
    pub fn new(bytes: usize, node: Option<usize>) -> io::Result<Self> {
        if bytes > Self::BYTES_MAX {
            let message = format!("{bytes} bytes are asked for, at most {}", Self::BYTES_MAX);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let bytes = bytes.max(1).next_multiple_of(page_size());
        let (reach, kind) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        );
        // SAFETY: without an address nothing that exists is replaced; anonymous memory has no descriptor.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, reach, kind, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        let pages = Self { start, bytes };
        if node.is_some() {
            pages.bind(node)?;
        }
        Ok(pages)
    }

    /// The most of one piece.
    pub const BYTES_MAX: usize = 1 << 40;

    fn bind(&self, node: Option<usize>) -> io::Result<()> {
        let mask = mask(node)?;
        let (start, bytes) = (self.start.as_ptr(), self.bytes);
        // SAFETY: the range is this value's own, and the kernel reads `MASK_BITS` bits at `mask`, which are there.
        let answer = unsafe {
            libc::syscall(
                libc::SYS_mbind,
                start,
                bytes,
                libc::MPOL_BIND,
                mask.as_ptr(),
                MASK_BITS,
                0,
            )
        };
        answered(answer)
    }

    /// All of it, as words.
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: the range is mapped until `self` is dropped, zeroed or written to as such words only, and aligned to a page.
        unsafe {
            std::slice::from_raw_parts(self.start.as_ptr(), self.bytes / size_of::<AtomicU64>())
        }
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the range is this value's own, and nobody borrows from it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}

/// The node of each page of these words; `None` for one that nobody has touched.
///
/// # Errors
/// The system's answer.
pub fn nodes_of(words: &[AtomicU64]) -> io::Result<Vec<Option<usize>>> {
    let page = page_size();
    let begin = words.as_ptr() as usize & !(page - 1);
    let end = words.as_ptr_range().end as usize;
    let pages: Vec<*const u8> = (begin..end)
        .step_by(page)
        .map(|at| at as *const u8)
        .collect();
    let mut found = vec![0_i32; pages.len()];
    // SAFETY: without new nodes nothing is moved: the kernel looks at addresses, and writes one number for each.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_move_pages,
            0,
            pages.len(),
            pages.as_ptr(),
            ptr::null::<i32>(),
            found.as_mut_ptr(),
            0,
        )
    };
    answered(answer)?;
    Ok(found
        .into_iter()
        .map(|node| usize::try_from(node).ok())
        .collect())
}

const MPOL_DEFAULT: i32 = 0;
/// Nodes that a mask has room for. The kernel looks at one bit less.
const MASK_BITS: usize = 1025;
const MASK_WORDS: usize = MASK_BITS.div_ceil(64);

fn mask(node: Option<usize>) -> io::Result<[u64; MASK_WORDS]> {
    let mut mask = [0; MASK_WORDS];
    match node {
        None => {}
        Some(node) if node < MASK_BITS - 1 => mask[node / 64] |= 1 << (node % 64),
        Some(node) => {
            let message = format!("node {node} is beyond the last possible one");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
    }
    Ok(mask)
}

fn page_size() -> usize {
    rustix::param::page_size()
}

fn answered(answer: libc::c_long) -> io::Result<()> {
    if answer < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn lists_are_read_as_the_kernel_writes_them() {
        assert_eq!(list("0-3,8\n"), [0, 1, 2, 3, 8]);
        assert_eq!(list("7"), [7]);
        assert_eq!(list("\n"), Vec::<usize>::new());
    }

    #[test]
    fn nodes_are_those_of_the_folder_that_have_processors() {
        let folder = tempfile::tempdir().unwrap();
        for (name, cpus) in [("node1", "2-3"), ("node0", "0,1"), ("node2", "")] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("cpulist"), cpus).unwrap();
        }
        fs::write(folder.path().join("online"), "0-2").unwrap();
        let node = |id, cpus: &[usize]| Node {
            id,
            cpus: cpus.to_vec(),
        };
        assert_eq!(
            nodes_below(folder.path()),
            [node(0, &[0, 1]), node(1, &[2, 3])]
        );
        assert_eq!(nodes_below(&folder.path().join("none")).len(), 1);
    }

    #[test]
    fn memory_lies_on_the_node_that_it_is_bound_to_once_it_is_touched() {
        for node in nodes() {
            let pages = Pages::new(3 * page_size(), Some(node.id)).unwrap();
            assert_eq!(nodes_of(pages.words()).unwrap(), [None; 3]);
            pages.words()[0].store(1, Ordering::Relaxed);
            pages.words().last().unwrap().store(2, Ordering::Relaxed);
            assert_eq!(
                nodes_of(pages.words()).unwrap(),
                [Some(node.id), None, Some(node.id)]
            );
        }
    }

    #[test]
    fn memory_of_a_thread_that_prefers_a_node_comes_from_there() {
        let own = nodes()[0].id;
        // A thread of its own: the test runner's thread keeps its policy.
        let found = std::thread::spawn(move || {
            prefer(Some(own)).unwrap();
            let words: Vec<AtomicU64> = (0..1 << 16).map(AtomicU64::new).collect();
            let found = nodes_of(&words).unwrap();
            prefer(None).unwrap();
            found
        });
        let found = found.join().unwrap();
        assert!(found.iter().all(|&node| node == Some(own)), "{found:?}");
    }

    #[test]
    fn nodes_that_are_not_there_are_refused() {
        for node in [1023, 1024, usize::MAX] {
            assert!(Pages::new(1, Some(node)).is_err(), "{node}");
            assert!(prefer(Some(node)).is_err(), "{node}");
        }
        assert!(Pages::new(usize::MAX, None).is_err());
    }
}
