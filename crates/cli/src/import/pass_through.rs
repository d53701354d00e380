//! `pass_through_endpoints`: paths that LiteLLM forwards unchanged.

use byok_core::config::Shown;
use serde_json::{Map, Value as Json, json};

use super::{Import, variable};
use crate::document::Node;

/// The fields of an endpoint that are converted.
const CONVERTED: [&str; 6] = ["path", "auth", "include_subpath", "methods", "forward_headers", "headers"];

impl Import {
    /// An endpoint without `auth` is open in LiteLLM and stays open, but the filter removes proxy keys.
    pub(crate) fn pass_through(&mut self, endpoint: &Node) {
        let path = endpoint.text_of("path");
        if !path.starts_with('/') {
            return self.note("not converted: an entry of pass_through_endpoints without a path");
        }
        let authenticated = endpoint.get("auth").is_some_and(Node::is_true);
        let whole = endpoint.get("include_subpath").is_some_and(Node::is_true);
        let mut matcher = Map::new();
        matcher.insert(if whole { "path_prefix" } else { "path" }.to_owned(), path.into());
        if let Some(methods) = endpoint.get("methods").map(Node::items).filter(|methods| !methods.is_empty()) {
            let methods = methods.iter().filter_map(Node::text).map(str::to_ascii_uppercase);
            matcher.insert("methods".to_owned(), methods.collect::<Vec<_>>().into());
        }
        let mut route = Map::new();
        let mut say = |field: &str, value: Json| drop(route.insert(field.to_owned(), value));
        say("match", matcher.into());
        if !authenticated {
            say("mode", "off".into());
            say("hide_credentials", true.into());
            self.note(format!(
                "{path}: open to everybody, as in LiteLLM without auth: true; remove its route to authenticate callers"
            ));
        }
        if endpoint.get("forward_headers").is_some_and(Node::is_true) {
            self.note(format!(
                "differs: {path} has forward_headers, with which LiteLLM forwards the proxy key; the filter never does"
            ));
        }
        let mut provider = None;
        for header in endpoint.get("headers").map(Node::entries).unwrap_or_default() {
            let name = Shown(&header.name);
            match header.value.text().and_then(credential) {
                Some(_) if provider.is_some() => {
                    self.note(format!("not converted: the credential of {path} in {name}; the filter sends one"));
                }
                Some((scheme, variable)) if authenticated => {
                    provider = Some(custom_provider(&header.name, scheme, variable));
                }
                Some(_) => self.note(format!(
                    "not converted: the credential of {path} in {name}; without auth no caller is verified, and the filter uses a deployment key only for verified callers"
                )),
                None => self.note(format!("not converted: the header {name} of {path}; let Envoy add it")),
            }
        }
        if let Some(provider) = provider {
            let name = self.free_name(&path.trim_matches('/').replace('/', "-"));
            say("provider", name.clone().into());
            self.providers.insert(name, provider);
        }
        for field in endpoint.entries().iter().filter(|field| !CONVERTED.contains(&&*field.name)) {
            let advice = if field.name == "target" { "; set it as the address of Envoy's cluster" } else { "" };
            self.note(format!("not converted: {} of {path}{advice}", Shown(&field.name)));
        }
        self.routes.push(route.into());
    }

    /// Returns a name that no provider has.
    fn free_name(&mut self, wanted: &str) -> String {
        let wanted = if wanted.is_empty() { "endpoint" } else { wanted };
        if !self.providers.contains_key(wanted) {
            return wanted.to_owned();
        }
        let count = self.repeated_names.entry(wanted.to_owned()).or_insert(1);
        loop {
            *count += 1;
            let name = format!("{wanted}-{count}");
            if !self.providers.contains_key(&name) {
                return name;
            }
        }
    }
}

fn custom_provider(header: &str, scheme: Option<&str>, variable: &str) -> Json {
    let header = header.to_ascii_lowercase();
    let place = match scheme {
        Some(scheme) => json!({ "header": header, "scheme": scheme }),
        None => json!({ "header": header }),
    };
    json!({
        "api": "custom", "headers": [place], "byok": "off",
        "deployment_key": { "environment_variable": variable }
    })
}

/// Reads a value such as `Bearer os.environ/NAME`.
fn credential(value: &str) -> Option<(Option<&str>, &str)> {
    match value.trim().split_once(' ') {
        Some((scheme, rest)) => variable(rest.trim()).map(|name| (Some(scheme), name)),
        None => variable(value.trim()).map(|name| (None, name)),
    }
}
