//! `make dist`: everything that a release carries, in `dist/release`, the same bytes from the same commit.

mod archive;
mod image;
mod native;
mod sbom;
mod sign;
mod tool;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::build::{self, write};
use crate::revision::Revision;
use crate::{digest, module_path, root};

/// What the artifacts say of themselves.
struct Identity {
    version: String,
    revision: Revision,
    /// The module digest, which the module logs.
    module_digest: String,
    /// The SHA-256 of the file `byok_filter.wasm`.
    module_sha256: String,
}

/// The file of the module as an OCI image, in the image layout.
const IMAGE: &str = "byok_filter-oci.tar";

/// Builds the module and writes it as an OCI image; returns the size of the file in bytes, and its path.
///
/// # Errors
/// The module does not compile, or a file can't be written.
pub fn image() -> Result<(usize, PathBuf)> {
    let (identity, module) = build()?;
    let image = image::image(&identity, &module)?;
    let path = root().join("dist").join(IMAGE);
    write(&path, &image)?;
    Ok((image.len(), path))
}

/// Makes the artifacts and `SHA256SUMS`; returns the text of the latter. A quick one leaves out what is for aarch64.
///
/// # Errors
/// Something does not compile, or a file can't be written.
pub fn dist(quick: bool) -> Result<String> {
    let (identity, module) = build()?;
    let release = directory();
    if release.exists() {
        fs::remove_dir_all(&release)?;
    }
    write(&release.join("byok_filter.wasm"), &module)?;
    write(&release.join(IMAGE), &image::image(&identity, &module)?)?;
    write(&release.join("byok_filter.cdx.json"), sbom::sbom(&identity)?.as_bytes())?;
    write(&release.join("byok.schema.json"), &fs::read(root().join("envoy/byok.schema.json"))?)?;
    native::build_into(&release, quick)?;
    tool::build_into(&release, &identity, quick)?;

    let sums = sums(&release)?;
    write(&release.join("SHA256SUMS"), sums.as_bytes())?;
    sign::sign(&release)?;
    Ok(sums)
}

/// Builds the module; returns what it and the artifacts with it say of themselves, and its bytes.
fn build() -> Result<(Identity, Vec<u8>)> {
    let revision = Revision::read()?;
    if !revision.is_exact() {
        eprintln!("warning: the sources are not those of a commit: {}", revision.name);
    }
    let built = build::build(&revision)?;
    let module = fs::read(module_path())?;
    let version = version()?;
    Ok((Identity { version, revision, module_digest: built.digest, module_sha256: digest(&module) }, module))
}

/// Returns the directory of the artifacts.
fn directory() -> PathBuf {
    root().join("dist/release")
}

/// Returns the text of `SHA256SUMS`, in the form that `sha256sum --check` reads.
fn sums(release: &Path) -> Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(release)? {
        names.push(entry?.file_name().into_string().ok().context("a file name is not UTF-8")?);
    }
    names.sort();
    names.iter().map(|name| Ok(format!("{}  {name}\n", digest(&fs::read(release.join(name))?)))).collect()
}

/// Returns the version of the workspace, which is that of this crate's siblings and of the module.
fn version() -> Result<String> {
    let manifest: toml::Table = fs::read_to_string(root().join("Cargo.toml"))?.parse()?;
    let package = manifest.get("workspace").and_then(|workspace| workspace.get("package"));
    let version = package.and_then(|package| package.get("version")).and_then(toml::Value::as_str);
    Ok(version.context("Cargo.toml: expected workspace.package.version")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_name_each_file_in_order() {
        let release = tempfile::tempdir().unwrap();
        for name in ["b", "a"] {
            fs::write(release.path().join(name), name).unwrap();
        }
        let lines = sums(release.path()).unwrap();
        let expected = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a\n\
                        3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  b\n";
        assert_eq!(lines, expected);
    }
}
