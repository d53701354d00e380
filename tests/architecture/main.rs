//! Checks the layers of ARCHITECTURE.md against the sources: which module and which crate may use which, and what may be
//! in one place only.
//!
//! `cargo test --package byok-core --test architecture -- --nocapture` prints the tables of what is used.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

mod examples;
mod rules;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rules::{
    Edge, crate_violations, dependencies, edges, host_violations, is_provider, purity_violations, vendor_names,
    vendor_violations,
};
use source::{Source, sources};

/// Which module of the core may use which.
const MODULES: [(&str, &[&str]); 9] = [
    ("http", &[]),
    ("secret", &[]),
    ("time", &[]),
    ("model", &["http", "secret", "time"]),
    ("providers", &["model"]),
    ("config", &["model", "providers", "http", "secret", "time"]),
    ("decide", &["model", "http", "secret", "time"]),
    ("reply", &["model", "decide", "http"]),
    ("lookup", &["model", "secret", "time"]),
];

/// Which crate of the workspace may depend on which; dependencies of tests are free.
const CRATES: [(&str, &[&str]); 8] = [
    (".", &["byok-core"]),
    ("crates/core", &[]),
    ("crates/explain", &["byok-core"]),
    ("crates/cli", &["byok-core", "byok-explain"]),
    ("crates/native", &["byok-core"]),
    ("crates/testkit", &[]),
    ("xtask", &[]),
    ("bench", &["byok-core", "byok-testkit", "xtask"]),
];

/// The files of the carriers that call the host with pointers.
const UNSAFE_FILES: [&str; 7] = [
    "src/host.rs",
    "src/export.rs",
    "crates/native/src/abi.rs",
    "crates/native/src/host.rs",
    "crates/native/src/host/config.rs",
    "crates/native/src/host/stream.rs",
    "crates/native/src/hooks.rs",
];

/// Names in `providers/` that are no vendor's: those of RFC 9110 and RFC 6750, and the words of the configuration for
/// profiles and dialects.
const STANDARD_NAMES: [&str; 9] = [
    "authorization",
    "proxy-authorization",
    "Bearer",
    "access_token",
    "anthropic",
    "openai",
    "openai_compatible",
    "google",
    "litellm",
];

/// Parts of names that are refused in longer texts too.
const VENDOR_NAMES: [&str; 8] = [
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-litellm-api-key",
    "anthropic-beta",
    "sk-ant",
    "oauth-2025",
    "openai-insecure",
];

/// What the core must not reach: the host, the clock, the process.
const IMPURE_PATHS: [&str; 9] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "SystemTime::now",
    "log",
];
const IMPURE_MACROS: [&str; 5] = ["dbg", "eprint", "eprintln", "print", "println"];

pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn modules_of_the_core_use_only_those_below_them() {
    let sources = sources("crates/core/src");
    assert!(sources.len() > 40, "{} files", sources.len());
    let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let edges: Vec<Edge> = sources.iter().flat_map(edges).collect();
    for edge in &edges {
        used.entry(&edge.from).or_default().insert(&edge.to);
    }
    println!("{:<10} uses", "module");
    for (module, _) in MODULES {
        let uses = used.get(module).map(|uses| uses.iter().copied().collect::<Vec<_>>().join(", "));
        println!("{module:<10} {}", uses.unwrap_or_else(|| "-".to_owned()));
    }
    let known = MODULES
        .iter()
        .all(|(module, _)| sources.iter().any(|source| source.module.first().is_some_and(|first| first == module)));
    assert!(known, "a module of the table has no file");
    assert_eq!(edges.iter().filter_map(Edge::violation).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn crates_depend_only_on_those_below_them() {
    let mut violations = Vec::new();
    println!("{:<16} depends on", "crate");
    for (folder, allowed) in CRATES {
        let Ok(manifest) = std::fs::read_to_string(root().join(folder).join("Cargo.toml")) else {
            assert!(["bench", "xtask"].contains(&folder), "{folder}/Cargo.toml is not there");
            continue;
        };
        let dependencies = dependencies(&manifest);
        println!("{folder:<16} {}", dependencies.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "));
        violations.extend(crate_violations(folder, allowed, &dependencies));
    }
    assert_eq!(violations, [""; 0]);
}

#[test]
fn every_member_of_the_workspace_is_in_the_table() {
    let manifest: toml::Table = std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    let unknown = members.iter().map(|member| member.as_str().unwrap()).filter(|member| {
        // What the benchmark compares with: a filter that does nothing, and an authorization service.
        !member.starts_with("bench/") && CRATES.iter().all(|(folder, _)| folder != member)
    });
    assert_eq!(unknown.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_rust_version_is_that_of_the_toolchain() {
    let read = |file: &str| -> toml::Table { std::fs::read_to_string(root().join(file)).unwrap().parse().unwrap() };
    let version = read("Cargo.toml")["workspace"]["package"]["rust-version"].as_str().unwrap().to_owned();
    let channel = read("rust-toolchain.toml")["toolchain"]["channel"].as_str().unwrap().to_owned();
    assert_eq!(channel, format!("{version}.0"));
}

#[test]
fn vendors_names_are_in_providers_alone() {
    let sources = sources("crates/core/src");
    let mut names = vendor_names(&sources);
    for name in VENDOR_NAMES {
        assert!(names.iter().any(|known| known.contains(name)), "{name} is not in providers/");
    }
    names.extend(VENDOR_NAMES);
    let outside = sources.iter().filter(|source| !is_provider(source));
    assert_eq!(outside.flat_map(|source| vendor_violations(source, &names)).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn only_the_carriers_call_the_host_and_only_their_host_files_are_unsafe() {
    let sources = ["src", "crates", "xtask", "bench", "tests"].map(sources);
    let sources: Vec<&Source> = sources.iter().flatten().collect();
    for file in UNSAFE_FILES {
        let source = sources.iter().find(|source| source.path == file).expect(file);
        assert!(source.tokens.iter().any(|token| token.text == "unsafe"), "{file} is not unsafe: leave it out here");
    }
    assert_eq!(sources.into_iter().flat_map(host_violations).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_core_has_no_host_clock_or_log() {
    let sources = sources("crates/core/src");
    assert_eq!(sources.iter().flat_map(purity_violations).collect::<Vec<_>>(), [""; 0]);
}
