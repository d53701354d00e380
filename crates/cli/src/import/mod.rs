//! `byok import-litellm`: converts LiteLLM's `config.yaml` to a configuration that behaves the same as far as possible.

mod models;
mod pass_through;

use std::path::Path;

use byok_core::config::Shown;
use byok_core::{KeyDigest, Policy};
use serde_json::{Map, Value as Json, json};

use crate::document::{self, Node, Value};
use crate::output::{Text, json_to_stdout};
use crate::{CliError, ExitCode, read};

/// The configuration so far, and notes about it.
#[derive(Default)]
struct Import {
    providers: Map<String, Json>,
    routes: Vec<Json>,
    notes: Vec<String>,
}

/// Reads LiteLLM's configuration; prints the filter's to standard output, and notes to standard error.
pub(crate) fn command(file: &Path) -> Result<ExitCode, CliError> {
    let name = file.to_string_lossy();
    let documents = document::documents(&name, &read(file)?)
        .map_err(|error| CliError(format!("{name}:{}: {}", error.at, error.message)))?;
    let litellm = documents.first().filter(|node| node.is_map());
    let litellm = litellm.ok_or_else(|| CliError(format!("{name}: expected LiteLLM's config.yaml")))?;
    let (configuration, notes) = import(litellm);
    json_to_stdout(&format!("{configuration:#}\n"))?;
    let say = |head: &str, text: &str| {
        let mut line = Text::default();
        line.styled(anstyle::Style::new().bold(), head).add(&format!(": {text}")).end_line().to_stderr()
    };
    for note in notes {
        say("note", &note)?;
    }
    // Variables get placeholders: they have to be set where the filter runs, not here.
    match Policy::from_json(configuration.to_string().as_bytes(), &|name| Some(format!("unset:{name}"))) {
        Ok(_) => Ok(ExitCode::Success),
        Err(errors) => {
            for error in errors {
                say("to be completed", &error.to_string())?;
            }
            Ok(ExitCode::Failure)
        }
    }
}

fn import(litellm: &Node) -> (Json, Vec<String>) {
    let mut import = Import::default();
    let general = litellm.get("general_settings");
    let of_general = |field: &str| general.and_then(|general| general.get(field));
    let flag = ["general_settings", "litellm_settings"]
        .iter()
        .any(|place| litellm.at(&[place, "forward_llm_provider_auth_headers"]).is_some_and(Node::is_true));

    let mode = import.mode(of_general("custom_auth_settings").and_then(|settings| settings.get("mode")));
    let consumers = import.master_key(of_general("master_key"));
    import.models(litellm.get("model_list").map(Node::items).unwrap_or_default());
    let by_model = std::mem::take(&mut import.routes);
    for endpoint in of_general("pass_through_endpoints").map(Node::items).unwrap_or_default() {
        import.pass_through(endpoint);
    }
    for route in of_general("public_routes").map(Node::items).unwrap_or_default() {
        import.public_route(route);
    }
    import.routes.extend(by_model);
    import.left_over(general);
    if flag {
        import.notes.extend(WITH_THE_FLAG.map(str::to_owned));
    }
    import.notes.extend(ALWAYS.map(str::to_owned));

    let mut configuration = Map::new();
    configuration.insert("mode".to_owned(), mode.into());
    if mode != "on" {
        configuration.insert("hide_credentials".to_owned(), false.into());
    }
    configuration.insert("forward_llm_provider_auth_headers".to_owned(), flag.into());
    configuration.insert("key_sources".to_owned(), key_sources(of_general("litellm_key_header_name")));
    configuration.insert("consumers".to_owned(), consumers.into());
    if import.providers.len() > 1 {
        let first = import.providers.keys().next().cloned();
        configuration.insert("default_provider".to_owned(), first.into());
        configuration.insert("identity_headers".to_owned(), json!({ "provider": "x-byok-provider" }));
        import.notes.push(
            "several providers: match on x-byok-provider in Envoy's routes; only the filter can set it".to_owned(),
        );
    }
    if !import.providers.is_empty() {
        configuration.insert("providers".to_owned(), import.providers.into());
    }
    if !import.routes.is_empty() {
        configuration.insert("routes".to_owned(), import.routes.into());
    }
    (configuration.into(), import.notes)
}

/// How LiteLLM 1.109.1 behaves differently if it forwards client credentials.
const WITH_THE_FLAG: [&str; 4] = [
    "differs: a proxy key that is sent twice, or with an empty header, does not leak to the provider; the deployment key is used",
    "differs: a client key that the provider can't have issued (a dummy, an Anthropic key on a route to OpenAI) is removed",
    "differs: client credentials are used on every route, including /anthropic/* and count_tokens",
    "differs: an OAuth token in authorization with the proxy key in x-api-key is accepted (LiteLLM: 401)",
];

/// How it always behaves differently.
const ALWAYS: [&str; 3] = [
    "differs: an invalid key in one header does not hide a valid one in another; an invalid key is refused with 401, a challenge and a body in the format of the route's API",
    "differs: two different values for one credential are refused with 400",
    "not converted: the keys in LiteLLM's database; list each with the SHA-256 in its column `token`, or let verification_service query LiteLLM's /key/info",
];

/// Where LiteLLM looks for its key, in this order.
fn key_sources(custom: Option<&Node>) -> Json {
    let custom = custom.and_then(Node::text).map(str::to_ascii_lowercase);
    let mut sources: Vec<Json> = Vec::new();
    sources.extend(custom.as_ref().map(|name| json!({ "header": name })));
    for name in
        ["x-litellm-api-key", "authorization", "api-key", "x-api-key", "x-goog-api-key", "ocp-apim-subscription-key"]
    {
        if custom.as_deref() == Some(name) {
            continue;
        }
        sources.push(match name {
            "authorization" => json!({ "header": name, "scheme": "Bearer" }),
            _ => json!({ "header": name }),
        });
    }
    sources.into()
}

impl Import {
    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    fn mode(&mut self, mode: Option<&Node>) -> &'static str {
        let mode = match mode.map(|mode| &mode.value) {
            None => return "on",
            Some(Value::BareWord(true) | Value::Bool(true)) => "on",
            Some(Value::BareWord(false) | Value::Bool(false)) => "off",
            Some(Value::Text(text, _)) => match text.as_str() {
                "auto" => "auto",
                "off" => "off",
                _ => "on",
            },
            Some(_) => "on",
        };
        self.note("not converted: custom_auth, a Python function; list the keys that it accepts under consumers");
        if mode != "on" {
            self.note(format!(
                "mode {mode}: the next hop has to check the key, which is left in the request (hide_credentials: false)"
            ));
        }
        mode
    }

    fn master_key(&mut self, key: Option<&Node>) -> Vec<Json> {
        let Some(text) = key.and_then(Node::text).map(str::trim).filter(|text| !text.is_empty()) else {
            self.note("no master_key: LiteLLM accepts every request, the filter none; add consumers");
            return Vec::new();
        };
        let key = match variable(text) {
            Some(variable) => json!({ "id": "master", "environment_variable": variable }),
            None => json!({ "id": "master", "sha256": KeyDigest::of(text.as_bytes()).to_hex() }),
        };
        self.note(
            "the master key belongs to the consumer litellm-master; give each team a consumer of its own (byok generate)",
        );
        vec![json!({ "name": "litellm-master", "keys": [key] })]
    }

    fn public_route(&mut self, route: &Node) {
        let Some(path) = route.text().filter(|path| path.starts_with('/')) else {
            return self.note("not converted: an entry of public_routes that is not a path");
        };
        let matcher = match path.strip_suffix('*') {
            Some(prefix) => json!({ "path_prefix": prefix.trim_end_matches('/').to_owned() + "/" }),
            None => json!({ "path": path }),
        };
        self.routes.push(json!({ "match": matcher, "mode": "off", "hide_credentials": true }));
    }

    /// Names the settings that have no counterpart.
    fn left_over(&mut self, general: Option<&Node>) {
        const CARRIED: [&str; 7] = [
            "custom_auth",
            "custom_auth_settings",
            "forward_llm_provider_auth_headers",
            "litellm_key_header_name",
            "master_key",
            "pass_through_endpoints",
            "public_routes",
        ];
        let entries = general.map(Node::entries).unwrap_or_default();
        for entry in entries.iter().filter(|entry| !CARRIED.contains(&&*entry.name)) {
            self.note(format!("not converted: general_settings.{}", Shown(&entry.name)));
        }
    }
}

/// Returns the variable that `os.environ/NAME` names.
fn variable(text: &str) -> Option<&str> {
    text.strip_prefix("os.environ/").filter(|name| !name.is_empty())
}
