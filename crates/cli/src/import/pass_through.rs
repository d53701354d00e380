//! `pass_through_endpoints`: paths that LiteLLM forwards unchanged.

use byok_core::config::Shown;
use serde_json::{Map, Value as Json, json};

use super::{Import, variable};
use crate::document::Node;

impl Import {
    /// An endpoint without `auth` is open in LiteLLM and stays open, but the filter removes proxy keys.
    pub(crate) fn pass_through(&mut self, endpoint: &Node) {
        let path = endpoint.text_of("path");
        if !path.starts_with('/') {
            return self.note("not converted: an entry of pass_through_endpoints without a path");
        }
        let authenticated = endpoint.get("auth").is_some_and(Node::is_true);
        let whole = endpoint.get("include_subpath").is_some_and(Node::is_true);
        let mut route = Map::new();
        let mut say = |field: &str, value: Json| drop(route.insert(field.to_owned(), value));
        say("match", if whole { json!({ "path_prefix": path }) } else { json!({ "path": path }) });
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
        let headers = endpoint.get("headers").map(Node::entries).unwrap_or_default();
        for header in headers {
            match header.value.text().and_then(credential) {
                Some((scheme, variable)) if authenticated => {
                    let name = path.trim_matches('/').replace('/', "-");
                    let header = header.name.to_ascii_lowercase();
                    let place = match scheme {
                        Some(scheme) => json!({ "header": header, "scheme": scheme }),
                        None => json!({ "header": header }),
                    };
                    let provider = json!({
                        "api": "custom", "headers": [place], "byok": "off",
                        "deployment_key": { "environment_variable": variable }
                    });
                    say("provider", name.clone().into());
                    self.providers.insert(name, provider);
                }
                Some(_) => self.note(format!(
                    "not converted: the credential of {path} in {}; without auth no caller is verified, and the filter uses a deployment key only for verified callers",
                    Shown(&header.name)
                )),
                None => {
                    let name = Shown(&header.name);
                    self.note(format!("not converted: the header {name} of {path}; let Envoy add it"));
                }
            }
        }
        self.routes.push(route.into());
    }
}

/// Reads a value such as `Bearer os.environ/NAME`.
fn credential(value: &str) -> Option<(Option<&str>, &str)> {
    match value.trim().split_once(' ') {
        Some((scheme, rest)) => variable(rest.trim()).map(|name| (Some(scheme), name)),
        None => variable(value.trim()).map(|name| (None, name)),
    }
}
