//! Names of frames, as they stand in folded stacks.

/// The name of a frame from what `perf script` shows of it: address, symbol and object.
///
/// Kernel frames end with `_[k]`, by which a flame graph colours them. A frame without a symbol is named after its
/// object: all of them together then stand beside what has names.
pub(crate) fn name(address: u64, symbol: &str, object: &str) -> String {
    let kernel = is_kernel(address);
    let mut name = match symbol {
        "" | UNKNOWN if kernel => UNKNOWN_KERNEL.to_owned(),
        "" | UNKNOWN => format!("[{}]", file_name(object)),
        symbol => without_hash(symbol).replace(';', ":"),
    };
    if kernel {
        name.push_str(KERNEL_MARK);
    }
    name
}

/// Whether an address is the kernel's: it has the upper half of the address space, on all 64-bit systems.
const fn is_kernel(address: u64) -> bool {
    address >> 63 == 1
}

/// The function without the hash that rustc puts behind its name, which differs from build to build.
fn without_hash(symbol: &str) -> &str {
    let is_hash =
        |hash: &str| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    match symbol.rsplit_once("::h") {
        Some((name, hash)) if is_hash(hash) => name,
        _ => symbol,
    }
}

fn file_name(object: &str) -> &str {
    let name = object.rsplit('/').next().unwrap_or_default();
    if name.is_empty() || name == UNKNOWN {
        "unknown"
    } else {
        name.trim_matches(['[', ']'])
    }
}

/// What `perf` writes where it knows no symbol.
const UNKNOWN: &str = "[unknown]";
/// The name of a kernel frame without a symbol, before its mark.
pub(crate) const UNKNOWN_KERNEL: &str = "[kernel]";
/// Behind the name of each kernel frame, as the tools of flame graphs have it.
pub(crate) const KERNEL_MARK: &str = "_[k]";

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: u64, symbol: &str, object: &str, expected: &str) {
        assert_eq!(name(address, symbol, object), expected);
    }

    #[test]
    fn names_say_whose_they_are() {
        check(0x1145, "hot", "/tmp/spin", "hot");
        check(
            0xffff_ffff_8226_6833,
            "schedule",
            "[kernel.kallsyms]",
            "schedule_[k]",
        );
        check(0xffff_ffff_8226_6833, UNKNOWN, UNKNOWN, "[kernel]_[k]");
        check(
            0x7f00_0000_0000,
            UNKNOWN,
            "/usr/lib/libc.so.6",
            "[libc.so.6]",
        );
        check(0x7f00_0000_0000, UNKNOWN, "[vdso]", "[vdso]");
        check(0x7f00_0000_0000, UNKNOWN, UNKNOWN, "[unknown]");
    }

    #[test]
    fn what_would_break_a_line_or_differ_from_build_to_build_is_taken_out() {
        check(
            1,
            "core::ptr::drop_in_place<[u8; 4]>",
            "a",
            "core::ptr::drop_in_place<[u8: 4]>",
        );
        check(1, "a::b::h0123456789abcdef", "a", "a::b");
        check(1, "a::hash", "a", "a::hash");
        check(1, "a::h0123456789abcdeg", "a", "a::h0123456789abcdeg");
    }
}
