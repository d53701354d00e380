//! The format of a corpus file.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileText {
    #[serde(default)]
    pub(super) environment: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) configurations: BTreeMap<String, String>,
    #[serde(default, rename = "case")]
    pub(super) cases: Vec<CaseText>,
    #[serde(default)]
    pub(super) refused: Vec<RefusedText>,
    #[serde(default, rename = "warning")]
    pub(super) warnings: Vec<WarningText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseText {
    pub(super) name: Spanned<String>,
    pub(super) config: String,
    pub(super) request: String,
    pub(super) upstream: Option<String>,
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) headers: Vec<String>,
    pub(super) body: Option<String>,
    pub(super) logged_path: Option<String>,
    #[serde(default)]
    pub(super) record: BTreeMap<String, String>,
    #[serde(default = "upstream_cluster")]
    pub(super) cluster: String,
    #[serde(default)]
    pub(super) protocol: ProtocolText,
    #[serde(default)]
    pub(super) identities: BTreeMap<String, IdentityText>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum IdentityText {
    One(String),
    List(Vec<String>),
}

fn upstream_cluster() -> String {
    "upstream".to_owned()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ProtocolText {
    #[default]
    Http1,
    Http2,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefusedText {
    pub(super) name: Spanned<String>,
    pub(super) json: String,
    pub(super) errors: Vec<String>,
    #[serde(default)]
    pub(super) only_in_wasm: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WarningText {
    pub(super) name: Spanned<String>,
    pub(super) json: String,
    pub(super) warnings: Vec<String>,
}
