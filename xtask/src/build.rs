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

use crate::{module_path, native_module_path, package, root};

const TARGET: &str = "wasm32-wasip1";

/// Builds the filter, packages it, and writes it to `dist/byok_filter.wasm`; returns its size in bytes.
///
/// # Errors
/// The wasm target can't be installed, the filter does not compile, or the module is not one that Envoy takes.
pub fn build() -> Result<usize> {
    let built = compile("byok-filter")?;
    let module = package::package(&fs::read(&built)?)?;
    write(&module_path(), &module)?;
    Ok(module.len())
}

/// Builds the native module and writes it to `dist/libbyok_filter.so`; returns its size in bytes.
///
/// # Errors
/// The module does not compile, or it exports or needs what Envoy does not know.
pub fn build_native() -> Result<usize> {
    let flags = format!(
        // With `-z now` all callbacks are looked up when the module is loaded: an Envoy that lacks one says so then.
        "build.rustflags = [{}, '-Clink-arg=-Wl,-z,now']",
        remap_cargo_home()
    );
    let arguments = ["--package", "byok-native", "--lib", "--profile", "native", "--config", &flags];
    let module = fs::read(cargo_build(&arguments, "libbyok_native.so")?)?;
    write(&native_module_path(), &module)?;
    Ok(module.len())
}

fn ensure_target() -> Result<()> {
    let output =
        Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).current_dir(root()).output();
    let output = output.context("there is no rustc on PATH: install Rust by rustup")?;
    if Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir() {
        return Ok(());
    }
    eprintln!("installing the target {TARGET} …");
    let status = Command::new("rustup").args(["target", "add", TARGET]).current_dir(root()).status();
    let status = status.with_context(|| format!("this Rust lacks the target {TARGET}: install Rust by rustup"))?;
    ensure!(status.success(), "rustup could not add the target {TARGET}: is there a network?");
    Ok(())
}

/// Compiles the library of a workspace member for Envoy; returns the file that cargo made.
///
/// # Errors
/// The wasm target can't be installed, or the library does not compile.
pub fn compile(package: &str) -> Result<PathBuf> {
    ensure_target()?;
    let arguments = ["--package", package, "--lib", "--release", "--target", TARGET, "--config", &rustflags()];
    cargo_build(&arguments, &format!("{}.wasm", package.replace('-', "_")))
}

/// Runs `cargo build`; returns the file of that name that it made.
fn cargo_build(arguments: &[&str], file: &str) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = Command::new(cargo)
        .arg("build")
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
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

fn remap_cargo_home() -> String {
    let home = |name| env::var_os(name).map(PathBuf::from);
    let cargo_home = home("CARGO_HOME").or_else(|| home("HOME").map(|home| home.join(".cargo"))).unwrap_or_default();
    format!("'--remap-path-prefix={}=cargo'", cargo_home.display())
}

fn module_of(message: &str, name: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let files = message.pointer("/filenames")?.as_array()?;
    files.iter().filter_map(Value::as_str).find(|file| file.ends_with(name)).map(PathBuf::from)
}

/// Replaces the file as a whole: an Envoy that starts meanwhile reads the old module or the new one.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let directory = path.parent().context("the module's path has no directory")?;
    fs::create_dir_all(directory)?;
    let readable = Permissions::from_mode(0o644);
    let mut file = tempfile::Builder::new().permissions(readable).tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}
