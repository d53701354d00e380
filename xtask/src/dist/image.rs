//! The module as an OCI image, which Istio and Envoy Gateway pull: one layer, with `plugin.wasm` in its root.
//!
//! The archive is an [image layout](https://github.com/opencontainers/image-spec/blob/main/image-layout.md). The form is
//! the "compat" variant of <https://github.com/solo-io/wasm/tree/master/spec>, of ordinary media types, which registries
//! that refuse artifacts take too.

use std::io::Write as _;

use anyhow::Result;
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};

use super::{Identity, archive};
use crate::digest;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Returns the image as an archive of its layout.
pub(super) fn image(identity: &Identity, module: &[u8]) -> Result<Vec<u8>> {
    let time = identity.revision.time;
    let content = archive::tar(&[("plugin.wasm", module)], time)?;
    let layer = gzip(&content)?;
    let labels = labels(identity)?;
    let config = json!({
        "created": identity.revision.timestamp()?,
        "architecture": "wasm",
        "os": "wasip1",
        "config": { "Labels": labels },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", digest(&content))] },
        "history": [{ "created": identity.revision.timestamp()?, "created_by": "make dist" }],
    });
    let config = serde_json::to_vec(&config)?;
    let manifest = serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, &config),
        "layers": [descriptor(LAYER, &layer)],
        "annotations": labels,
    }))?;
    let mut entry = descriptor(MANIFEST, &manifest);
    if let Value::Object(entry) = &mut entry {
        entry.insert("annotations".to_owned(), json!({ "org.opencontainers.image.ref.name": identity.version }));
    }
    let index = serde_json::to_vec(&json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] }))?;
    let layout = serde_json::to_vec(&json!({ "imageLayoutVersion": "1.0.0" }))?;

    let mut blobs: Vec<(String, &[u8])> =
        [&config, &manifest, &layer].map(|blob| (format!("blobs/sha256/{}", digest(blob)), blob.as_slice())).into();
    blobs.sort();
    let files = [("oci-layout", layout.as_slice()), ("index.json", index.as_slice())];
    let blobs = blobs.iter().map(|(name, bytes)| (name.as_str(), *bytes));
    archive::tar(&files.into_iter().chain(blobs).collect::<Vec<_>>(), time)
}

fn labels(identity: &Identity) -> Result<Value> {
    Ok(json!({
        "org.opencontainers.image.title": "byok-filter",
        "org.opencontainers.image.description": "Envoy filter: verifies proxy keys and keeps them apart from provider credentials",
        "org.opencontainers.image.version": identity.version,
        "org.opencontainers.image.revision": identity.revision.name,
        "org.opencontainers.image.created": identity.revision.timestamp()?,
        "org.opencontainers.image.licenses": "Apache-2.0",
        "byok-filter.module-digest": identity.module_digest,
        "byok-filter.module-sha256": identity.module_sha256,
    }))
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": format!("sha256:{}", digest(bytes)), "size": bytes.len() })
}

/// Compresses without a time and a name, which gzip would record.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}
