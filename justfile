# Thin names over cargo: each recipe is one or two commands that can be typed as well.

# List the recipes.
default:
    @just --list

# The quick plan, end to end: measure, judge, write the report.
bench-all *ARGS:
    cargo bench-all {{ARGS}}

# All tests.
test:
    cargo test --workspace

# Format, lints and docs; changes nothing.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo clippy --package ringside --no-default-features --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --document-private-items

# Format and mend what the lints can mend.
fix:
    cargo fmt --all
    cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged

# One short block of every implementation and scenario, under a minute.
smoke:
    cargo bench-all --plan smoke

# Whether the gate sees slowdowns that are planted, and none where there is none (`just selftest --quick`: a few triples).
selftest *ARGS: selftest-builds
    target/selftest/plain gate selftest --null target/selftest/function --null target/selftest/order {{ARGS}}

# The builds of the self-test: one, one with a function that nobody calls, one linked in another order (by lld, which
# rustc brings along).
selftest-builds:
    mkdir -p target/selftest
    cargo build --release --locked --package ringside --features plant
    cp target/release/ringside target/selftest/plain
    cargo build --release --locked --package ringside --features plant-null
    cp target/release/ringside target/selftest/function
    cargo rustc --release --locked --package ringside --bin ringside --features plant -- \
        -C link-arg=-fuse-ld=lld -C link-arg=-Wl,--shuffle-sections=.text*=7
    cp target/release/ringside target/selftest/order

# What criterion and tango-bench say of the self-test's builds, beside what the gate said of them.
yardsticks *ARGS:
    cargo build --release --locked --manifest-path yardsticks/Cargo.toml
    yardsticks/target/release/yardsticks --base target/selftest/plain \
        --null target/selftest/function --null target/selftest/order --selftest reports/selftest {{ARGS}}

# What operations of one thread cost, by criterion; ARGS name a part, such as `hash/throughput/64`.
bench-ops *ARGS:
    cargo bench --package ringside-operations --bench operations -- {{ARGS}}

# Ten minutes of messages through a broker: fails when its memory grows.
soak:
    cargo bench-all --plan soak

# Try the wake-ups, the registry and the lock-free map in every order of the threads' steps, with at most so many preemptions.
loom PREEMPTIONS="3":
    LOOM_MAX_PREEMPTIONS={{PREEMPTIONS}} RUSTFLAGS="--cfg ringside_loom" \
        cargo test --locked --target-dir target/loom --package ringside-engine --package ringside-mqtt \
        --package ringside-operations --lib models

# Feed a parser random input, `http_request`, `log_entry` or `mqtt_packet` (needs `cargo install cargo-fuzz` and a nightly toolchain).
fuzz TARGET="http_request" SECONDS="60":
    mkdir -p fuzz/corpus/{{TARGET}}
    cargo +nightly fuzz run {{TARGET}} fuzz/corpus/{{TARGET}} datasets/corpora/{{TARGET}} -- -max_total_time={{SECONDS}}

# The programs of `build/...`: the same loops, built in ten ways, or in those of NAMES.
build-matrix *NAMES:
    harness/worker/build-matrix {{NAMES}}
