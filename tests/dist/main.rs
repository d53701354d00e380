//! What `make dist` made: it is whole, says the same of itself everywhere, and a registry gives back what it was given.
//!
//! `make test-dist` makes it, installs the tools, and names them in the environment.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops where it fails")]

mod registry;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use byok_core::KeyDigest;
use byok_testkit::envoy::{Envoy, Options};
use byok_testkit::gateway::{Site, listener};
use byok_testkit::{root, tools};
use serde_json::{Value, json};

use registry::Registry;

fn release(name: &str) -> PathBuf {
    root().join("dist/release").join(name)
}

fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}: run `make test-dist`", path.display()))
}

fn sha256(bytes: &[u8]) -> String {
    KeyDigest::of(bytes).to_hex()
}

fn module() -> Vec<u8> {
    bytes(&release("byok_filter.wasm"))
}

/// Returns the module digest as `docs/verifying-a-release.md` computes it: the digits in the module are zeros.
fn module_digest() -> String {
    let mut module = module();
    let at = module.windows(9).position(|part| part == b"revision=").expect("a stamp");
    let digits = module[at..].windows(7).position(|part| part == b"module=").expect("a digest") + at + 7;
    let stamped = String::from_utf8(module[digits..digits + 64].to_vec()).expect("digits");
    module[digits..digits + 64].fill(b'0');
    assert_eq!(sha256(&module), stamped);
    stamped
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("a process");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn tool(variable: &str) -> Command {
    Command::new(std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} is not set: run `make test-dist`")))
}

#[test]
#[ignore = "needs a release: make test-dist"]
fn the_sums_are_those_of_all_files() {
    let sums = String::from_utf8(bytes(&release("SHA256SUMS"))).expect("UTF-8");
    let mut listed: Vec<&str> = Vec::new();
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").expect("a digest and a name");
        assert_eq!(sum, sha256(&bytes(&release(name))), "{name}");
        listed.push(name);
    }
    let mut expected = vec!["byok-linux-x86_64", "byok.schema.json", "byok_filter-oci.tar", "byok_filter.cdx.json"];
    expected.extend(["byok_filter.wasm", "libbyok_filter.so"]);
    assert!(expected.iter().all(|name| listed.contains(name)), "{listed:?}");
}

#[test]
#[ignore = "needs a release: make test-dist"]
fn module_tool_image_and_log_name_the_same_revision_and_digest() {
    let digest = module_digest();
    let said = output(Command::new(release("byok-linux-x86_64")).arg("--version"));
    let of_tool = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name}: {said}")).trim().to_owned()
    };
    let revision = of_tool("revision");
    assert_eq!(of_tool("module digest"), digest);
    assert_eq!(of_tool("module sha256"), sha256(&module()));

    let line = format!("byok-filter {}, revision {revision}, module digest {digest}", env!("CARGO_PKG_VERSION"));
    let log = log_of_start();
    assert_eq!(log.matches("byok-filter ").count(), 1, "{log}");
    assert!(log.contains(&line), "expected {line}: {log}");
}

/// Starts an Envoy of two workers with two listeners; returns what the module logged.
fn log_of_start() -> String {
    let site = |name| {
        let configuration =
            r#"{ "consumers": [ { "name": "a", "keys": [ { "id": "1", "value": "proxy-EXAMPLE-a" } ] } ] }"#;
        let mut listener =
            listener(&Site { name, configuration, environment: &Default::default(), cluster: Some("upstream") });
        // That is for listeners of an update.
        listener.as_object_mut().expect("a listener").remove("@type");
        use_module(&mut listener, &release("byok_filter.wasm"));
        listener
    };
    let endpoint = json!({ "address": { "socket_address": { "address": "127.0.0.1", "port_value": 9 } } });
    let endpoints = json!([{ "lb_endpoints": [{ "endpoint": endpoint }] }]);
    let cluster = json!({
        "name": "upstream", "type": "STATIC", "connect_timeout": "1s",
        "load_assignment": { "cluster_name": "upstream", "endpoints": endpoints } });
    let bootstrap = json!({
        "admin": { "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } } },
        "static_resources": { "listeners": [site("one"), site("two")], "clusters": [cluster] } });
    let options = Options { concurrency: 2, ..Options::default() };
    let envoy = Envoy::start(&tools::envoy_binary().expect("an Envoy"), &bootstrap.to_string(), &options);
    let mut envoy = envoy.expect("a serving Envoy");
    envoy.terminate().expect("an end");
    envoy.log().lines().filter(|line| line.contains("wasm log")).map(|line| format!("{line}\n")).collect()
}

/// Replaces each `filename` of a module by the path.
fn use_module(value: &mut Value, module: &Path) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = fields.get_mut("filename") {
                *name = json!(module);
            }
            fields.values_mut().for_each(|value| use_module(value, module));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| use_module(value, module)),
        _ => {}
    }
}

#[test]
#[ignore = "needs a release and crane: make test-dist"]
fn a_registry_gives_back_the_image_with_the_module_and_its_labels() {
    let work = tempfile::tempdir().expect("a directory");
    let layout = work.path().join("layout");
    fs::create_dir(&layout).expect("a directory");
    output(Command::new("tar").arg("-xf").arg(release("byok_filter-oci.tar")).arg("-C").arg(&layout));
    let index: Value = serde_json::from_slice(&bytes(&layout.join("index.json"))).expect("JSON");
    let digest = index["manifests"][0]["digest"].as_str().expect("a digest");

    let registry = Registry::start();
    let image = format!("{}/byok-filter:test", registry.address());
    output(tool("CRANE").arg("push").arg(&layout).arg(&image));
    assert_eq!(output(tool("CRANE").arg("digest").arg(&image)).trim(), digest);

    let manifest: Value = serde_json::from_str(&output(tool("CRANE").arg("manifest").arg(&image))).expect("JSON");
    let layers = manifest["layers"].as_array().expect("layers");
    assert_eq!(layers.len(), 1, "Istio takes the last layer, others the only one");
    assert_eq!(layers[0]["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
    let pulled = work.path().join("layer.tar.gz");
    let blob = format!("{}/byok-filter@{}", registry.address(), layers[0]["digest"].as_str().expect("a digest"));
    fs::write(&pulled, tool("CRANE").args(["blob", &blob]).output().expect("a process").stdout).expect("a file");
    let names = output(Command::new("tar").arg("-tzf").arg(&pulled));
    assert_eq!(names, "plugin.wasm\n");
    output(Command::new("tar").arg("-xzf").arg(&pulled).arg("-C").arg(work.path()));
    assert_eq!(sha256(&bytes(&work.path().join("plugin.wasm"))), sha256(&module()));

    let config: Value = serde_json::from_str(&output(tool("CRANE").arg("config").arg(&image))).expect("JSON");
    let labels = &config["config"]["Labels"];
    assert_eq!(labels["byok-filter.module-digest"], module_digest());
    assert_eq!(labels["byok-filter.module-sha256"], sha256(&module()));
    assert_eq!(labels["org.opencontainers.image.version"], env!("CARGO_PKG_VERSION"));
    println!("{image} has the digest {digest}");
}

#[test]
#[ignore = "needs a release and the schema of CycloneDX: make test-dist"]
fn the_bill_of_materials_is_valid_and_of_this_module() {
    const VALIDATE: &str = "
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
print(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()))
";
    let path = release("byok_filter.cdx.json");
    let validate = |path: &Path| output(tool("CYCLONEDX_PYTHON").args(["-c", VALIDATE]).arg(path));
    assert_eq!(validate(&path).trim(), "None");
    let text = String::from_utf8(bytes(&path)).expect("UTF-8");
    let wrong = tempfile::NamedTempFile::new().expect("a file");
    fs::write(&wrong, text.replace("\"library\"", "\"librarian\"")).expect("a file");
    assert_ne!(validate(wrong.path()).trim(), "None", "a mistake is found");

    let document: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["metadata"]["component"]["hashes"][0]["content"], sha256(&module()));
    let components = document["components"].as_array().expect("components");
    let names: Vec<&str> = components.iter().filter_map(|component| component["name"].as_str()).collect();
    for name in ["byok-core", "proxy-wasm", "serde_json", "sha2", "rust-std"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    for name in ["byok-testkit", "schemars", "serde_derive", "syn", "wasmi"] {
        assert!(!names.contains(&name), "{name} is not in the module");
    }
    println!("{} components", names.len());
}
