//! A filter on system calls that refuses io_uring to this process, as containers do: what a server
//! does on such a machine can be tried on any machine.

use std::io;

use rustix::thread::set_no_new_privs;

/// Number of `io_uring_setup`. New system calls have the same number on every architecture since 403
/// (but x32 and alpha, which Ringside does not know), so the filter need not ask which one it is.
const IO_URING_SETUP: u32 = libc::SYS_io_uring_setup as u32;

/// Lets every later `io_uring_setup` of this process fail with `EPERM`, in all its threads and all
/// processes that it starts. It cannot be undone.
///
/// # Errors
/// The system's answer: `EINVAL` from a kernel without filters, `EACCES` where they are forbidden,
/// `ESRCH` when another thread has a filter of its own.
pub fn refuse_io_uring() -> io::Result<()> {
    // Asked for by the kernel of whoever is not privileged: a filter must not confuse programs that
    // gain rights later.
    set_no_new_privs(true)?;
    let mut program = program();
    let filter = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: `filter` points to `program`, an array of that length; both live through the call, and
    // the kernel copies them. It checks the program itself.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_TSYNC,
            &raw const filter,
        )
    };
    match answer {
        0 => Ok(()),
        // With TSYNC a positive answer names the thread that could not take the filter.
        1.. => Err(io::Error::from_raw_os_error(libc::ESRCH)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// If the call's number, the first word that a filter sees, is `io_uring_setup`: `EPERM`; else allow.
fn program() -> [libc::sock_filter; 4] {
    let refuse = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
    [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        statement(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            IO_URING_SETUP,
            0,
            1,
        ),
        statement(libc::BPF_RET | libc::BPF_K, refuse, 0, 0),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
    ]
}

/// `yes` and `no` are how many statements a comparison skips.
const fn statement(code: u32, operand: u32, yes: u8, no: u8) -> libc::sock_filter {
    libc::sock_filter {
        code: code as u16,
        jt: yes,
        jf: no,
        k: operand,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Set in the process that takes the filter: it cannot be taken off, so it is another process.
    const CHILD: &str = "RINGSIDE_SECCOMP_CHILD";

    #[test]
    fn a_filtered_process_gets_no_ring_and_all_else() {
        if std::env::var_os(CHILD).is_some() {
            refuse_io_uring().unwrap();
            let error = io_uring::IoUring::new(8).map(drop).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EPERM));
            // A thread that comes later has the filter too, and may do all else.
            let later = std::thread::spawn(|| io_uring::IoUring::new(8).map(drop));
            assert!(later.join().unwrap().is_err());
            return;
        }
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "seccomp::tests::a_filtered_process_gets_no_ring_and_all_else",
            ])
            .env(CHILD, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        assert!(
            child.status.success() && said.contains("1 passed"),
            "{said}"
        );
    }
}
