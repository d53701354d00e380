//! The bill of materials of the module, in [CycloneDX](https://cyclonedx.org/docs/1.6/json/) 1.6: the crates that are
//! compiled for its target, and the standard library. Macros and what only tests or builds use are not in the module.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Identity;
use crate::root;

const ROOT: &str = "byok-filter";

/// A crate: its name and version, and its license.
type Crates = BTreeMap<(String, String), String>;
/// The crates that one crate uses.
type Edges = BTreeMap<(String, String), BTreeSet<(String, String)>>;

pub(super) fn sbom(identity: &Identity) -> Result<String> {
    let (crates, edges) = read(&tree()?)?;
    let checksums = checksums()?;
    let standard = output("rustc", &["--version"])?;
    let standard = standard.split(' ').nth(1).context("rustc --version")?;

    let component = |(name, version): &(String, String), license: &str| {
        let mut component = json!({
            "type": "library", "bom-ref": reference(name, version), "name": name, "version": version,
            "purl": reference(name, version), "licenses": [{ "expression": license.replace('/', " OR ") }],
        });
        if let (Some(checksum), Value::Object(fields)) =
            (checksums.get(&(name.clone(), version.clone())), &mut component)
        {
            fields.insert("hashes".to_owned(), json!([{ "alg": "SHA-256", "content": checksum }]));
        }
        component
    };
    let mut components: Vec<Value> =
        crates.iter().filter(|((name, _), _)| name != ROOT).map(|(key, license)| component(key, license)).collect();
    let std_reference = format!("pkg:generic/rust-std@{standard}");
    components.push(json!({
        "type": "library", "bom-ref": std_reference, "name": "rust-std", "version": standard, "purl": std_reference,
        "licenses": [{ "expression": "MIT OR Apache-2.0" }],
    }));
    let dependencies = crates.keys().map(|(name, version)| {
        let of = edges.get(&(name.clone(), version.clone())).into_iter().flatten();
        let mut on: Vec<String> = of.map(|(name, version)| reference(name, version)).collect();
        on.extend((name == ROOT).then(|| std_reference.clone()));
        json!({ "ref": reference(name, version), "dependsOn": on })
    });
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": identity.revision.timestamp()?,
            "component": {
                "type": "application", "bom-ref": reference(ROOT, &identity.version), "name": "byok_filter.wasm",
                "version": identity.version, "purl": reference(ROOT, &identity.version),
                "hashes": [{ "alg": "SHA-256", "content": identity.module_sha256 }],
                "licenses": [{ "expression": "Apache-2.0" }],
                "properties": [
                    { "name": "byok-filter:revision", "value": identity.revision.name },
                    { "name": "byok-filter:module-digest", "value": identity.module_digest },
                ],
            },
        },
        "components": components,
        "dependencies": dependencies.collect::<Vec<_>>(),
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn reference(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

/// Lists what cargo compiles into the module: a line for each crate under each that uses it.
fn tree() -> Result<String> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = ["tree", "--locked", "--package", ROOT, "--target", "wasm32-wasip1"];
    let form = ["--edges", "normal,no-proc-macro", "--no-dedupe", "--prefix", "depth", "--format", " {p}\t{l}"];
    output(&cargo, &[&arguments[..], &form].concat())
}

/// Reads lines such as `2 serde v1.0.229<TAB>MIT OR Apache-2.0`.
fn read(tree: &str) -> Result<(Crates, Edges)> {
    let (mut crates, mut edges) = (Crates::new(), Edges::new());
    let mut users: Vec<(String, String)> = Vec::new();
    for line in tree.lines() {
        let read = || {
            let (depth, rest) = line.split_once(' ')?;
            let (package, license) = rest.split_once('\t')?;
            let mut words = package.split(' ');
            let key = (words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned());
            Some((depth.parse::<usize>().ok()?, key, license))
        };
        let (depth, key, license) = read().with_context(|| format!("cargo tree: {line:?}"))?;
        ensure!(!license.is_empty(), "{} {} names no license", key.0, key.1);
        users.truncate(depth);
        if let Some(user) = users.last() {
            edges.entry(user.clone()).or_default().insert(key.clone());
        }
        users.push(key.clone());
        crates.insert(key, license.to_owned());
    }
    Ok((crates, edges))
}

/// Returns the checksums of Cargo.lock: the SHA-256 of the archive that the registry has of a crate.
fn checksums() -> Result<BTreeMap<(String, String), String>> {
    let lock: toml::Table = fs::read_to_string(root().join("Cargo.lock"))?.parse()?;
    let packages = lock.get("package").and_then(toml::Value::as_array).context("Cargo.lock: expected packages")?;
    let text = |package: &toml::Value, field| package.get(field).and_then(toml::Value::as_str).map(str::to_owned);
    let entries = packages
        .iter()
        .filter_map(|package| Some(((text(package, "name")?, text(package, "version")?), text(package, "checksum")?)));
    Ok(entries.collect())
}

fn output(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).current_dir(root()).output()?;
    ensure!(output.status.success(), "{program} failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_as_a_graph() {
        let tree = "0 a v1.0.0 (/path)\tApache-2.0\n1 b v2.0.0\tMIT\n2 c v3.0.0+x\tMIT\n1 c v3.0.0+x\tMIT\n";
        let (crates, edges) = read(tree).unwrap();
        let key = |name: &str, version: &str| (name.to_owned(), version.to_owned());
        assert_eq!(crates.len(), 3);
        assert_eq!(edges[&key("a", "1.0.0")], [key("b", "2.0.0"), key("c", "3.0.0+x")].into());
        assert_eq!(edges[&key("b", "2.0.0")], [key("c", "3.0.0+x")].into());
        assert_eq!(reference("c", "3.0.0+x"), "pkg:cargo/c@3.0.0%2Bx");
        assert!(read("0 a v1.0.0\t\n").is_err());
    }
}
