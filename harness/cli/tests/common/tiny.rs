//! A plan that takes a second.

/// Two engines of echo and of http, one block each.
pub(crate) const TINY: &str = r#"schema = 1
name = "tiny"
about = "Two engines of each family, once."
rounds = 1
rounds_min = 1
smoke_sizes = true
timing = { warmup = "10ms", measure = "50ms", count = "0ms" }

[[group]]
scenario = "echo/small"
cells = ["echo/epoll", "echo/blocking"]

[[group]]
scenario = "http/small"
cells = ["http/epoll", "http/blocking"]
"#;
