//! The probe of the machine: fills in [`Host`] by reading what the kernel tells and by trying.
//!
//! Whatever cannot be found out is left empty or `unknown`; a probe never fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ringside_contract::Host;
use rustix::process::{Resource, getrlimit};
use rustix::thread::CpuSet;

use crate::counters::CallCounter;
use crate::{counter_probe, uring_probe};

/// Kernel settings that move results or explain a refusal.
const SYSCTLS: &[&str] = &[
    "fs.nr_open",
    "kernel.io_uring_disabled",
    "kernel.perf_event_paranoid",
    "kernel.pid_max",
    "kernel.sched_autogroup_enabled",
    "kernel.threads-max",
    "net.core.default_qdisc",
    "net.core.rmem_max",
    "net.core.somaxconn",
    "net.core.wmem_max",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_available_congestion_control",
    "net.ipv4.tcp_congestion_control",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_tw_reuse",
    "net.ipv4.tcp_wmem",
    "vm.max_map_count",
    "vm.overcommit_memory",
];

/// Instruction sets that some implementation could use.
const CPU_FEATURES: &[&str] = &[
    "aes",
    "asimd",
    "avx",
    "avx2",
    "avx512bw",
    "avx512f",
    "avx512vl",
    "bmi1",
    "bmi2",
    "crc32",
    "erms",
    "fsrm",
    "neon",
    "pclmulqdq",
    "popcnt",
    "sha_ni",
    "sse4_1",
    "sse4_2",
    "ssse3",
    "sve",
    "vaes",
];

/// Describes this machine as this process sees it.
pub fn probe() -> Host {
    let uname = rustix::system::uname();
    let cpu_info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    Host {
        os: std::env::consts::OS.to_owned(),
        arch: std::env::consts::ARCH.to_owned(),
        kernel: uname.release().to_string_lossy().into_owned(),
        processor: cpu_info_field(&cpu_info, &["model name", "Model", "Hardware"])
            .unwrap_or("unknown")
            .to_owned(),
        cpus: allowed_cpus(),
        numa_nodes: crate::numa::nodes().len(),
        memory_bytes: memory_bytes(),
        cpu_features: cpu_features(&cpu_info),
        hardware_counters: counter_probe::hardware_counters(),
        open_files_max: getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX),
        root: rustix::process::geteuid().is_root(),
        uring: uring_probe::probe(),
        syscall_counting_refused: syscall_counting_refused(),
        sysctls: sysctls(),
        virtualisation: virtualisation(&cpu_info),
    }
}

/// Why system calls cannot be counted; `None` when they can.
fn syscall_counting_refused() -> Option<String> {
    let thread = rustix::thread::gettid()
        .as_raw_nonzero()
        .get()
        .unsigned_abs();
    CallCounter::system_calls(&[thread])
        .err()
        .map(|error| error.to_string())
}

/// Logical processors that the calling thread may use, in order.
pub fn allowed_cpus() -> Vec<usize> {
    match rustix::thread::sched_getaffinity(None) {
        Ok(set) => (0..CpuSet::MAX_CPU)
            .filter(|&cpu| set.is_set(cpu))
            .collect(),
        // Machines with more than 1,024 processors refuse the small set: any number will do there.
        Err(_) => (0..std::thread::available_parallelism().map_or(1, usize::from)).collect(),
    }
}

fn cpu_info_field<'a>(cpu_info: &'a str, names: &[&str]) -> Option<&'a str> {
    let fields = cpu_info.lines().filter_map(|line| line.split_once(':'));
    fields
        .map(|(name, value)| (name.trim(), value.trim()))
        .find_map(|(name, value)| {
            names
                .contains(&name)
                .then_some(value)
                .filter(|value| !value.is_empty())
        })
}

fn cpu_features(cpu_info: &str) -> Vec<String> {
    let flags = cpu_info_field(cpu_info, &["flags", "Features"]).unwrap_or_default();
    let present = |feature: &&&str| flags.split_whitespace().any(|flag| flag == **feature);
    CPU_FEATURES
        .iter()
        .filter(present)
        .map(|&feature| feature.to_owned())
        .collect()
}

fn memory_bytes() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = cpu_info_field(&text, &["MemTotal"]).and_then(|value| value.split(' ').next());
    total
        .and_then(|kib| kib.parse::<u64>().ok())
        .map_or(0, |kib| kib * 1024)
}

fn sysctls() -> BTreeMap<String, String> {
    let read = |name: &str| {
        let path = Path::new("/proc/sys").join(name.replace('.', "/"));
        let value = fs::read_to_string(path).ok()?;
        Some((
            name.to_owned(),
            value.split_whitespace().collect::<Vec<_>>().join(" "),
        ))
    };
    SYSCTLS.iter().filter_map(|name| read(name)).collect()
}

fn virtualisation(cpu_info: &str) -> String {
    let container = Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists();
    let suffix = if container { ", in a container" } else { "" };
    let flags = cpu_info_field(cpu_info, &["flags"]).unwrap_or_default();
    if !flags.split_whitespace().any(|flag| flag == "hypervisor") {
        return format!("physical, as far as can be seen{suffix}");
    }
    format!("virtual ({}){suffix}", hypervisor())
}

#[cfg(target_arch = "x86_64")]
fn hypervisor() -> String {
    // The leaf that hypervisors answer with their name in three registers.
    let leaf = core::arch::x86_64::__cpuid(0x4000_0000);
    let bytes: Vec<u8> = [leaf.ebx, leaf.ecx, leaf.edx]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    let name: String = bytes
        .iter()
        .map(|&byte| char::from(byte))
        .filter(char::is_ascii_graphic)
        .collect();
    match name.as_str() {
        "KVMKVMKVM" => "KVM".to_owned(),
        "MicrosoftHv" => "Hyper-V".to_owned(),
        "VMwareVMware" => "VMware".to_owned(),
        "XenVMMXenVMM" => "Xen".to_owned(),
        "" => "unknown".to_owned(),
        _ => name,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn hypervisor() -> String {
    "unknown".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_described() {
        let host = probe();
        assert!(!host.cpus.is_empty());
        assert!(host.memory_bytes > 0);
        assert!(host.open_files_max > 0);
        assert!(host.kernel.contains('.'));
        assert!(host.numa_nodes >= 1);
    }

    #[test]
    fn fields_of_cpu_info_are_found_by_any_of_their_names() {
        let text = "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: sse4_2 avx2 hypervisor\n";
        assert_eq!(
            cpu_info_field(text, &["Model", "model name"]),
            Some("Some CPU")
        );
        assert_eq!(cpu_features(text), ["avx2", "sse4_2"]);
        assert!(virtualisation(text).starts_with("virtual ("));
    }
}
