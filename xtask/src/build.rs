//! Compiling the filter and writing the deployable module.

use std::env;
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::revision::Revision;
use crate::{module_path, native_module_path, package, root, stamp};

const TARGET: &str = "wasm32-wasip1";

/// The deployable module that was built.
pub struct Built {
    /// In bytes.
    pub size: usize,
    /// The module digest, which the module logs: see [`crate::stamp`].
    pub digest: String,
}

/// Builds the filter, packages it, stamps it with the revision, and writes it to `dist/byok_filter.wasm`.
///
/// # Errors
/// The wasm target can't be installed, the filter does not compile, or the module is not one that Envoy takes.
pub fn build(revision: &Revision) -> Result<Built> {
    let built = compile("byok-filter")?;
    let mut module = package::package(&fs::read(&built)?)?;
    let digest = stamp::stamp(&mut module, &revision.name)?;
    write(&module_path(), &module)?;
    Ok(Built { size: module.len(), digest })
}

/// Builds the native module and writes it to `dist/libbyok_filter.so`; returns its size in bytes.
///
/// # Errors
/// The module does not compile, or it exports or needs what Envoy does not know.
pub fn build_native() -> Result<usize> {
    let module = fs::read(compile_native(&[])?)?;
    write(&native_module_path(), &module)?;
    Ok(module.len())
}

/// Compiles the native module with further arguments of cargo; returns the file that cargo made.
pub(crate) fn compile_native(further: &[&str]) -> Result<PathBuf> {
    let flags = format!(
        // With `-z now` all callbacks are looked up when the module is loaded: an Envoy that lacks one says so then.
        "build.rustflags = [{}, '-Clink-arg=-Wl,-z,now']",
        remap_cargo_home()
    );
    let arguments = ["--package", "byok-native", "--lib", "--profile", "native", "--config", &flags];
    cargo_build(&[&arguments, further].concat(), "libbyok_native.so")
}

/// Installs a target of the pinned Rust, unless it is there.
///
/// # Errors
/// There is no `rustc` or no `rustup`, or the target can't be fetched.
pub fn ensure_target(target: &str) -> Result<()> {
    let output =
        Command::new("rustc").args(["--print", "target-libdir", "--target", target]).current_dir(root()).output();
    let output = output.context("there is no rustc on PATH: install Rust by rustup")?;
    if Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir() {
        return Ok(());
    }
    eprintln!("installing the target {target} …");
    let status = Command::new("rustup").args(["target", "add", target]).current_dir(root()).status();
    let status = status.with_context(|| format!("this Rust lacks the target {target}: install Rust by rustup"))?;
    ensure!(status.success(), "rustup could not add the target {target}: is there a network?");
    Ok(())
}

/// Compiles the library of a workspace member for Envoy; returns the file that cargo made.
///
/// # Errors
/// The wasm target can't be installed, or the library does not compile.
pub fn compile(package: &str) -> Result<PathBuf> {
    ensure_target(TARGET)?;
    let arguments = ["--package", package, "--lib", "--release", "--target", TARGET, "--config", &rustflags()];
    cargo_build(&arguments, &format!("{}.wasm", package.replace('-', "_")))
}

/// Compiles the program of a workspace member for this machine, optimised; returns the file that cargo made.
///
/// # Errors
/// The program does not compile.
pub fn compile_program(package: &str) -> Result<PathBuf> {
    cargo_build(&["--package", package, "--bin", package, "--release"], package)
}

/// Runs `cargo build`; returns the file of that name that it made.
fn cargo_build(arguments: &[&str], file: &str) -> Result<PathBuf> {
    cargo_build_with(arguments, &[], file)
}

/// As [`cargo_build`], with variables that are compiled in.
pub(crate) fn cargo_build_with(arguments: &[&str], variables: &[(&str, &str)], file: &str) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = Command::new(cargo)
        .arg("build")
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
        .envs(variables.iter().copied())
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "{file} does not compile");
    let messages = String::from_utf8_lossy(&output.stdout);
    messages.lines().rev().find_map(|message| module_of(message, file)).context("cargo built no module")
}

/// Keeps the builder's paths out of the module's panic messages, so that all machines build the same bytes, and
/// takes the SHA-256 that is a loop: a request finds the unrolled one cold, and it is 7 kB larger.
fn rustflags() -> String {
    format!("target.{TARGET}.rustflags = [{}, '--cfg=sha2_backend_soft=\"compact\"']", remap_cargo_home())
}

pub(crate) fn remap_cargo_home() -> String {
    let home = |name| env::var_os(name).map(PathBuf::from);
    let cargo_home = home("CARGO_HOME").or_else(|| home("HOME").map(|home| home.join(".cargo"))).unwrap_or_default();
    format!("'--remap-path-prefix={}=cargo'", cargo_home.display())
}

fn module_of(message: &str, name: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let files = message.pointer("/filenames")?.as_array()?;
    files
        .iter()
        .filter_map(Value::as_str)
        .map(PathBuf::from)
        .find(|file| file.file_name().is_some_and(|own| own == name))
}

/// Replaces the file as a whole: an Envoy that starts meanwhile reads the old module or the new one.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let directory = path.parent().context("the module's path has no directory")?;
    fs::create_dir_all(directory)?;
    let readable = Permissions::from_mode(0o644);
    let mut file = tempfile::Builder::new().permissions(readable).tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}
