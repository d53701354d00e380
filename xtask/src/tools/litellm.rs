use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use super::{existing, find_on_path, install_once, run};

/// The LiteLLM that the project is tested with; never 1.82.7 or 1.82.8, which were published with malware in them.
pub const LITELLM_VERSION: &str = "1.109.1";

/// Every package with its version, so that the day of the installation changes nothing.
///
/// Made by `uv pip compile --universal --python-version 3.10 --no-annotate` of `litellm[proxy]==1.109.1` and
/// `prisma==0.15.0`, with `--override` for certifi and litellm-proxy-extras: LiteLLM names releases of those
/// two that not every index has.
const REQUIREMENTS: &str = include_str!("litellm-requirements.txt");

const COPY: &str = "requirements.txt";

/// Returns the Python that has LiteLLM and its proxy among its packages, installed into the cache.
///
/// # Errors
/// There is no python3, or pip can't fetch the packages.
pub fn litellm_python() -> Result<PathBuf> {
    install_once(&format!("litellm-{LITELLM_VERSION}"), installed, install)
}

/// A cached LiteLLM counts if it was made of the same list.
fn installed(venv: &Path) -> Option<PathBuf> {
    let same = fs::read_to_string(venv.join(COPY)).is_ok_and(|list| list == REQUIREMENTS);
    // The scripts beside it name the directory that pip worked in, which has got another name since.
    same.then(|| existing(venv.join("bin").join("python")))?
}

fn install(venv: &Path) -> Result<Output> {
    let Some(python) = find_on_path("python3") else {
        bail!("LiteLLM is installed by python3 (3.10 or newer), which is not on PATH: install it");
    };
    run(Command::new(python).args(["-m", "venv"]).arg(venv))
        .context("python3 could not make a virtual environment (on Debian and Ubuntu: apt install python3-venv)")?;
    let list = venv.join(COPY);
    fs::write(&list, REQUIREMENTS)?;
    run(Command::new(venv.join("bin").join("python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"])
        .arg("-r")
        .arg(&list))
    .with_context(|| format!("pip could not install LiteLLM {LITELLM_VERSION}: is there a network?"))
}
