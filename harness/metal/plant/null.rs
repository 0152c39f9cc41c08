//! A function that nobody calls: a build with it does the same as one without, from other places of memory.

/// Keeps the function in the binary, where a linker would leave it out.
#[used]
static KEPT: fn(&mut [u64]) = never_called;

/// Some hundred bytes of machine code.
fn never_called(numbers: &mut [u64]) {
    numbers.sort_unstable();
    for pair in numbers.chunks_exact_mut(2) {
        pair.reverse();
    }
}
