//! The command-line face of the `xtask` library; `make help` lists what it is for.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use xtask::revision::Revision;
use xtask::{build, dist, module_path, native_module_path, root};

/// What make needs beyond one line.
#[derive(Parser)]
#[command(name = "xtask")]
enum Task {
    /// Builds dist/byok_filter.wasm and prints its size.
    Build,
    /// Builds dist/libbyok_filter.so and prints its size.
    BuildNative,
    /// Builds the module, and dist/byok_filter-oci.tar with it, an OCI image in the image layout.
    Image,
    /// Installs a target of Rust, unless it is there.
    Target { name: String },
    /// Makes what a release carries, in dist/release, and prints its digests.
    Dist {
        /// Leaves out what is for aarch64.
        #[arg(long)]
        quick: bool,
    },
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
    let (bytes, module) = match task {
        Task::Build => (build::build(&Revision::read()?)?.size, module_path()),
        Task::BuildNative => (build::build_native()?, native_module_path()),
        Task::Image => dist::image()?,
        Task::Target { name } => return build::ensure_target(&name),
        Task::Dist { quick } => {
            print!("{}", dist::dist(quick)?);
            return Ok(());
        }
    };
    println!("{}: {bytes} bytes", module.strip_prefix(root()).unwrap_or(&module).display());
    Ok(())
}
