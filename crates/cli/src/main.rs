//! The command-line tool `byok`: what the filter would say, before anything is deployed.

#[cfg(not(target_family = "wasm"))]
fn main() -> std::process::ExitCode {
    byok_filter::cli::main()
}

/// Cargo builds all binaries for a test in a browser's engine; this one has no use there.
#[cfg(target_family = "wasm")]
fn main() {}
