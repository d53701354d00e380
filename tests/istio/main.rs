//! `envoy/istio` against the schemas that a cluster's API server would hold it against; of its rules beyond a schema
//! (`x-kubernetes-validations`) nothing is checked here.

mod schemas;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::{root, tools};

const RESOURCES: &str = "envoy/istio";

/// One slip each; a validation that lets one pass is none.
const SLIPS: [(&str, &str, &str); 3] = [
    ("wasmplugin.yaml", "failStrategy: FAIL_RELOAD", "failStrategy: FAIL_RETRY"),
    ("trafficextension.yaml", "  wasm:\n    url:", "  wasm:\n    uri:"),
    ("environment.yaml", "secretKeyRef", "secretKeyReference"),
];

/// Validates every resource of `envoy/istio`, and checks that slips would be seen.
///
/// # Errors
/// A resource does not match the schema of its kind, a slip passes, or there is no Go to fetch schemas and validator.
pub fn test() -> Result<()> {
    let kubeconform = tools::kubeconform_binary()?;
    let schemas = tempfile::tempdir()?;
    schemas::write(schemas.path())?;

    println!("kubeconform -strict {RESOURCES}  # {}", schemas::SOURCES.join(", "));
    let (valid, said) = validate(&kubeconform, schemas.path(), Input::Files)?;
    print!("{said}");
    ensure!(valid, "{RESOURCES} does not match the schemas");
    for (file, right, wrong) in SLIPS {
        let path = root().join(RESOURCES).join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
        ensure!(text.contains(right), "{file} no longer says `{right}`: the check for a slip there needs another one");
        let (_, said) = validate(&kubeconform, schemas.path(), Input::Text(&text.replacen(right, wrong, 1)))?;
        ensure!(said.contains(" is invalid: "), "`{wrong}` in {file} should be invalid, but kubeconform said:\n{said}");
    }
    println!("{} slips are refused.", SLIPS.len());
    Ok(())
}

enum Input<'a> {
    Files,
    Text(&'a str),
}

fn validate(kubeconform: &Path, schemas: &Path, input: Input<'_>) -> Result<(bool, String)> {
    let location = format!("{}/{}", schemas.display(), schemas::FILE_TEMPLATE);
    let mut command = Command::new(kubeconform);
    command.args(["-strict", "-summary", "-verbose", "-schema-location", &location]).current_dir(root());
    let (argument, text) = match input {
        Input::Files => (RESOURCES, ""),
        Input::Text(text) => ("-", text),
    };
    let mut process =
        command.arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // Dropped at once, so that kubeconform sees the end; small enough for the pipe.
    process.stdin.take().context("kubeconform has no standard input")?.write_all(text.as_bytes())?;
    let output = process.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Ok((output.status.success(), said))
}
