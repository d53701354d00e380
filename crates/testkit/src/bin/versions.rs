//! `make test-versions`.

use std::process::ExitCode;

use anyhow::bail;
use byok_testkit::versions::{self, Extent};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [] => versions::test(Extent::Full),
        ["--quick"] => versions::test(Extent::Quick),
        _ => (|| bail!("usage: versions [--quick]"))(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.chain().skip(1).for_each(|cause| eprintln!("  {cause}"));
            ExitCode::FAILURE
        }
    }
}
