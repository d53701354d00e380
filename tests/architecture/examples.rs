//! Each rule finds what breaks it, however it is written, and nothing else.

use std::collections::BTreeSet;

use crate::rules::{
    Edge, crate_violations, dependencies, edges, host_violations, purity_violations, vendor_names, vendor_violations,
};
use crate::source::{Source, read};

/// Reads a text as that file of the core.
fn example(path: &str, text: &str) -> Source {
    read(format!("crates/core/src/{path}"), text, &mut BTreeSet::new())
}

#[test]
fn a_use_of_a_module_above_is_found_however_it_is_written() {
    for (path, text) in [
        ("http/path.rs", "use crate::secret::KeyDigest;"),
        ("http/mod.rs", "use super::secret;"),
        ("http/path.rs", "use super::super::{model::Policy};"),
        ("model/key.rs", "\nfn f() -> crate::config::Loaded { todo() }"),
        ("providers/openai.rs", "use crate::{model::Dialect, decide::{Effect, self}};"),
        ("decide/mod.rs", "macro_rules! m { () => { $crate::reply::Reply } }"),
        ("lookup/cache.rs", "use crate::RequestHeaders;"),
        ("stray.rs", "use crate::http;"),
    ] {
        let violations: Vec<_> = edges(&example(path, text)).iter().filter_map(Edge::violation).collect();
        assert!(violations.first().is_some_and(|first| first.starts_with("crates/core/src/")), "{path}: {text}");
    }
    for (path, text) in [
        ("http/path.rs", "use super::name; use super::super::http::name; use self::name::X; use std::fmt;"),
        ("http/path.rs", "/// See [`crate::decide()`].\nfn f() {} // crate::decide::x"),
        ("http/path.rs", "#[cfg(test)] mod tests { use crate::model::Policy; }"),
        ("decide/mod.rs", "use crate::{http::{self, path}, model::*}; pub(crate) fn f() {}"),
        ("lib.rs", "pub use decide::decide; use crate::config::Loaded;"),
    ] {
        let violations: Vec<_> = edges(&example(path, text)).iter().filter_map(Edge::violation).collect();
        assert_eq!(violations, [""; 0], "{path}: {text}");
    }
}

#[test]
fn a_dependency_on_a_crate_above_is_found() {
    let manifest = "[dependencies]\nserde = \"1\"\nbyok-cli.workspace = true\n[target.'cfg(unix)'.dependencies]\nproxy-wasm = \"0.2\"\n[dev-dependencies]\nbyok-testkit.workspace = true\n";
    assert_eq!(
        crate_violations("crates/explain", &["byok-core"], &dependencies(manifest)),
        [
            "crates/explain/Cargo.toml:3: a dependency on byok-cli is not in the table",
            "crates/explain/Cargo.toml:5: a dependency on proxy-wasm is not in the table",
        ]
    );
}

#[test]
fn a_vendors_name_elsewhere_is_found() {
    let providers = [example("providers/mod.rs", "const A: &str = \"x-vendor\"; const B: &[u8] = b\"vend_\";")];
    let mut names = vendor_names(&providers);
    names.extend(crate::VENDOR_NAMES);
    for text in [
        "\"x-vendor\"",
        "b\"x-vendor\"",
        "r#\"its x-vendor header\"#",
        "\"vend_\"",
        "\"sk-ant-api03\"",
        "f(\"api-key\")",
    ] {
        assert_eq!(
            vendor_violations(&example("reply.rs", &format!("const A: X = {text};")), &names).len(),
            1,
            "{text}"
        );
    }
    for text in ["\"authorization\"", "\"revend_\"", "\"missing_api_key\"", "A /* x-vendor */"] {
        assert_eq!(
            vendor_violations(&example("reply.rs", &format!("const A: X = {text};")), &names),
            [""; 0],
            "{text}"
        );
    }
}

#[test]
fn a_host_call_unsafe_code_and_a_clock_are_found() {
    for text in ["use proxy_wasm::types::Action;", "fn f() { unsafe { g() } }"] {
        assert_eq!(host_violations(&example("reply.rs", text)).len(), 1, "{text}");
    }
    for text in [
        "use std::{fmt, env};",
        "fn f() { std::env::var(\"A\"); }",
        "fn f() { SystemTime::now() }",
        "fn f() { std::time::SystemTime::now() }",
        "fn f() { log::info!(\"\") }",
        "fn f() { println!(\"\") }",
        "use std::time::{Duration, Instant};",
    ] {
        assert_eq!(purity_violations(&example("reply.rs", text)).len(), 1, "{text}");
    }
    assert_eq!(purity_violations(&example("time.rs", "use std::time::{Duration, SystemTime};")), [""; 0]);
}
