//! `model_list`: the providers and their deployment keys.

use serde_json::json;

use super::{Import, variable};
use crate::document::Node;

/// LiteLLM's name of a provider, the filter's profile, and the paths of its API.
const PROVIDERS: [(&str, &str, &[&str]); 5] = [
    ("anthropic", "anthropic", &["/v1/messages", "/anthropic"]),
    (
        "openai",
        "openai",
        &[
            "/v1/chat/completions",
            "/v1/completions",
            "/v1/responses",
            "/v1/embeddings",
            "/v1/images",
            "/v1/audio",
            "/openai",
        ],
    ),
    ("azure", "azure_openai", &["/openai/deployments", "/azure"]),
    ("gemini", "gemini", &["/v1beta", "/gemini"]),
    ("bedrock", "bedrock", &["/bedrock"]),
];

impl Import {
    pub(crate) fn models(&mut self, models: &[Node]) {
        let mut seen: Vec<(&str, &[&str])> = Vec::new();
        for (index, model) in models.iter().enumerate() {
            let Some(parameters) = model.get("litellm_params") else { continue };
            let Some((_, profile, paths)) = provider_of(parameters) else {
                self.note(format!("not converted: model_list[{index}]: the filter has no profile for its provider"));
                continue;
            };
            if !seen.iter().any(|(known, _)| known == profile) {
                seen.push((profile, paths));
            }
            if parameters.get("api_base").is_some() {
                self.note(format!(
                    "not converted: api_base of model_list[{index}]; set it as the address of Envoy's cluster for {profile}"
                ));
            }
            self.key_of(profile, parameters, index);
        }
        if seen.len() > 1 {
            // A path may be below one of another provider: longer ones go first.
            let mut routes: Vec<(&str, &str)> =
                seen.iter().flat_map(|(profile, paths)| paths.iter().map(|path| (*path, *profile))).collect();
            routes.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
            let routes = routes
                .into_iter()
                .map(|(path, profile)| json!({ "match": { "path_prefix": path }, "provider": profile }));
            self.routes.extend(routes);
            self.note(
                "LiteLLM selects the provider by the model in the body, the filter by the path: review the routes",
            );
        }
    }

    fn key_of(&mut self, profile: &str, parameters: &Node, index: usize) {
        let key = parameters.get("api_key").and_then(Node::text).map(str::trim).filter(|key| !key.is_empty());
        let by_name = format!("{}_API_KEY", profile.to_ascii_uppercase());
        let name = match key.map(|key| (key, variable(key))) {
            None => None,
            Some((_, Some(name))) => Some(name.to_owned()),
            Some((_, None)) => {
                self.note(format!(
                    "model_list[{index}]: its api_key is in clear text; set {by_name}, from which the filter reads it"
                ));
                Some(by_name)
            }
        };
        let Some(name) = name else {
            self.providers.entry(profile).or_insert_with(|| json!({}));
            return;
        };
        let deployment_key = json!({ "environment_variable": name });
        let known = self.providers.entry(profile).or_insert_with(|| json!({}));
        match known.get("deployment_key") {
            None => drop(known.as_object_mut().map(|known| known.insert("deployment_key".to_owned(), deployment_key))),
            Some(earlier) if *earlier != deployment_key => {
                self.note(format!(
                    "not converted: api_key of model_list[{index}]: the filter has one deployment key for {profile}"
                ));
            }
            Some(_) => {}
        }
    }
}

fn provider_of(parameters: &Node) -> Option<&'static (&'static str, &'static str, &'static [&'static str])> {
    let model = parameters.text_of("model");
    let named = parameters.text_of("custom_llm_provider");
    let word = if named.is_empty() { model.split_once('/').map_or("", |(word, _)| word) } else { named };
    let word = match word {
        "" if model.starts_with("claude") => "anthropic",
        "" if ["gpt-", "o1", "o3", "o4", "text-embedding-"].iter().any(|start| model.starts_with(start)) => "openai",
        word => word,
    };
    PROVIDERS.iter().find(|(known, ..)| *known == word)
}
