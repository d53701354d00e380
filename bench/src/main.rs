//! `make bench`.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match byok_bench::run(&byok_bench::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
