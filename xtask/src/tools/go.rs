//! What comes as Go modules, through the machine's own Go.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{existing, find_on_path, install_once, run};

/// The func-e that `make test-func-e` runs.
pub const FUNC_E_VERSION: &str = "1.6.0";

/// The kubeconform that `make test-istio` runs.
pub const KUBECONFORM_VERSION: &str = "0.8.0";

/// Returns the pinned func-e, built by Go into the cache.
///
/// # Errors
/// There is no Go, or Go can't fetch the module.
pub fn func_e_binary() -> Result<PathBuf> {
    built("func-e", "github.com/tetratelabs/func-e/cmd/func-e", FUNC_E_VERSION)
}

/// Returns the pinned kubeconform, built by Go into the cache.
///
/// # Errors
/// There is no Go, or Go can't fetch the module.
pub fn kubeconform_binary() -> Result<PathBuf> {
    built("kubeconform", "github.com/yannh/kubeconform/cmd/kubeconform", KUBECONFORM_VERSION)
}

/// Returns the directory of a Go module's files, for one `istio.io/api@v1.31.1`, in Go's own cache.
///
/// # Errors
/// There is no Go, or Go can't fetch the module.
pub fn go_module(module: &str) -> Result<PathBuf> {
    let go = go(module)?;
    let output = run(Command::new(go).args(["mod", "download", "-json", module]))
        .with_context(|| format!("go could not fetch {module}: is there a network?"))?;
    let answer: Value = serde_json::from_slice(&output.stdout).context("go's answer is not JSON")?;
    let directory = answer.pointer("/Dir").and_then(Value::as_str);
    directory.map(PathBuf::from).with_context(|| format!("go does not say where {module} is"))
}

fn built(name: &str, package: &str, version: &str) -> Result<PathBuf> {
    let go = go(name)?;
    install_once(
        &format!("{name}-{version}"),
        |dir| existing(dir.join(name)),
        |dir| {
            run(Command::new(&go).args(["install", &format!("{package}@v{version}")]).env("GOBIN", dir))
                .with_context(|| format!("go could not install {name}: is there a network?"))
        },
    )
}

fn go(wanted: &str) -> Result<PathBuf> {
    let Some(go) = find_on_path("go") else {
        bail!("{wanted} comes by Go, and there is no `go` on PATH: install Go (https://go.dev/dl) and try again");
    };
    Ok(go)
}
