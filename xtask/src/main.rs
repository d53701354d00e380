//! The command-line face of the `xtask` library; `make help` lists what it is for.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use xtask::{bench, build, demo, func_e, istio, module_path, root, web};

/// What make needs beyond one line.
#[derive(Parser)]
#[command(name = "xtask")]
enum Task {
    /// Builds dist/byok_filter.wasm and prints its size.
    Build,
    /// Runs envoy/envoy.yaml, shows five answers, and serves until Ctrl-C.
    Run,
    /// Does the same as run, and ends; fails if an answer is wrong.
    Demo,
    /// Measures what the filter costs in Envoy, beside what else could stand in its place.
    Bench(bench::Arguments),
    /// Runs envoy/envoy.yaml under a real func-e, and checks the five answers.
    TestFuncE,
    /// Validates envoy/istio against the schemas of Istio and Kubernetes.
    TestIstio,
    /// Runs the corpus through the core on wasm32-unknown-unknown, in Node.
    TestWeb,
}

fn main() -> ExitCode {
    match perform(Task::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.chain().skip(1).for_each(|cause| eprintln!("  {cause}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    match task {
        Task::Build => {
            let bytes = build::build()?;
            let module = module_path();
            println!("{}: {bytes} bytes", module.strip_prefix(root()).unwrap_or(&module).display());
            Ok(())
        }
        Task::Run => demo::run(),
        Task::Demo => demo::demo(),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::TestFuncE => func_e::test(),
        Task::TestIstio => istio::test(),
        Task::TestWeb => web::test(),
    }
}
