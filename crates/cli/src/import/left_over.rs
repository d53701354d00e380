//! The settings that are not converted: each is named.

use byok_core::config::Shown;

use super::Import;
use crate::document::{Entry, Node};

/// Converted, or read elsewhere.
const SECTIONS: [&str; 3] = ["general_settings", "model_list", "credential_list"];
const OF_GENERAL: [&str; 7] = [
    "custom_auth",
    "custom_auth_settings",
    "forward_llm_provider_auth_headers",
    "litellm_key_header_name",
    "master_key",
    "pass_through_endpoints",
    "public_routes",
];
/// What to do instead.
const ADVICE: [(&str, &str); 3] = [
    ("general_settings.enable_jwt_auth", "the filter verifies no JWT; let Envoy's jwt_authn do it"),
    ("general_settings.enable_oauth2_auth", "the filter asks no authorization server; let Envoy's ext_authz do it"),
    ("general_settings.allow_requests_on_db_unavailable", "the filter refuses what it can't verify"),
];

impl Import {
    pub(super) fn left_over(&mut self, litellm: &Node) {
        for section in litellm.entries().iter().filter(|section| !SECTIONS.contains(&&*section.name)) {
            match &*section.name {
                "environment_variables" => self.variables(section.value.entries()),
                "litellm_settings" => {
                    self.fields("litellm_settings", section.value.entries(), &["forward_llm_provider_auth_headers"]);
                }
                name => self.note(format!("not converted: {}", Shown(name))),
            }
        }
        let general = litellm.get("general_settings").map(Node::entries).unwrap_or_default();
        self.fields("general_settings", general, &OF_GENERAL);
    }

    fn fields(&mut self, section: &str, fields: &[Entry], converted: &[&str]) {
        for field in fields.iter().filter(|field| !converted.contains(&&*field.name)) {
            let path = format!("{section}.{}", Shown(&field.name));
            let advice = ADVICE.iter().find(|(known, _)| *known == path);
            self.note(match advice {
                Some((_, advice)) => format!("not converted: {path}: {advice}"),
                None => format!("not converted: {path}"),
            });
        }
    }

    /// LiteLLM sets these itself, before it reads anything else.
    fn variables(&mut self, variables: &[Entry]) {
        for variable in variables {
            self.note(format!(
                "not converted: environment_variables.{}: if the filter reads it, set it where Envoy runs",
                Shown(&variable.name)
            ));
        }
    }
}
