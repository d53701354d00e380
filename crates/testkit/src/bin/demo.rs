//! `make demo`, `make run`, `make serve`, `make certificates` and `make test-func-e`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use byok_testkit::{certificates, demo};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["demo"] => demo::demo(),
        ["run"] => demo::run(),
        ["serve", config] => demo::serve(config),
        ["certificates", directory] => certificates::write_example(Path::new(directory)),
        ["func-e", binary] => demo::func_e::test(Path::new(binary)),
        _ => (|| {
            bail!("usage: demo demo | demo run | demo serve CONFIG | demo certificates DIRECTORY | demo func-e BINARY")
        })(),
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
