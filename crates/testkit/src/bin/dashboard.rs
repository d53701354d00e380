//! `make dashboard`.

use std::process::ExitCode;

use byok_testkit::dashboard;

fn main() -> ExitCode {
    match dashboard::draw() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.chain().skip(1).for_each(|cause| eprintln!("  {cause}"));
            ExitCode::FAILURE
        }
    }
}
