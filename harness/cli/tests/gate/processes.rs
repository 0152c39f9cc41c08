//! Processes that a command started, and that end with it.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// As a terminal does it.
pub(crate) fn interrupt(child: &Child) {
    let kill = format!("kill -INT {}", child.id());
    let sent = Command::new("sh").args(["-c", &kill]).status();
    assert!(sent.unwrap().success());
}

/// Those that are still there after a while: the guard ends once it has seen that what it guards is gone.
pub(crate) fn processes_left(folder: &Path) -> Vec<String> {
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        let left = processes_of(folder);
        if left.is_empty() || Instant::now() > patience {
            return left;
        }
        std::thread::yield_now();
    }
}

/// Processes whose command line or environment names a file below `folder`, by their command lines.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    let entries = std::fs::read_dir("/proc").unwrap();
    let of_process = entries.filter_map(|entry| {
        // A process may end between the listing and this; then it is not left behind.
        let of_process = entry.ok()?.path();
        let read = |name| {
            let bytes = std::fs::read(of_process.join(name)).ok()?;
            Some(String::from_utf8_lossy(&bytes).replace('\0', " "))
        };
        let (command, environment) = (read("cmdline")?, read("environ").unwrap_or_default());
        (command.contains(folder) || environment.contains(folder)).then_some(command)
    });
    of_process.collect()
}
