//! `model_list` and `credential_list`: the providers and their deployment keys.

use std::collections::{BTreeMap, HashMap};

use byok_core::config::Shown;
use serde_json::json;

use super::vendors::{self, Target, Vendor};
use super::{Import, variable};
use crate::document::Node;

/// The parameters of a model that are converted, or that say nothing about credentials and the vendor.
const CONVERTED: [&str; 5] = ["model", "custom_llm_provider", "api_key", "api_base", "litellm_credential_name"];
/// How many models a note names.
const MOST_NAMED: usize = 5;

/// The routes to a provider: its name, and the paths at which LiteLLM serves it.
type Paths = (String, &'static [&'static str]);

impl Import {
    /// Converts the models, with the credentials that they refer to by name.
    pub(super) fn models(&mut self, models: &[Node], credentials: &[Node]) {
        let mut providers: Vec<Paths> = Vec::new();
        let mut left_over: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut is_used = vec![false; credentials.len()];
        let by_name: HashMap<&str, usize> =
            credentials.iter().enumerate().rev().map(|(at, one)| (one.text_of("credential_name"), at)).collect();
        for (index, model) in models.iter().enumerate() {
            let Some(parameters) = model.get("litellm_params") else {
                self.note(format!("not converted: model_list[{index}]: it has no litellm_params"));
                continue;
            };
            for field in left_over_fields(model, parameters) {
                left_over.entry(field).or_default().push(index);
            }
            let name = parameters.get("litellm_credential_name").and_then(Node::text);
            let credential = name.and_then(|name| by_name.get(name).copied());
            if let Some(used) = credential.and_then(|credential| is_used.get_mut(credential)) {
                *used = true;
            } else if name.is_some() {
                self.note(format!(
                    "not converted: litellm_credential_name of model_list[{index}]: credential_list has none of that name; LiteLLM may have it in its database"
                ));
            }
            let values = credential.and_then(|credential| credentials.get(credential)?.get("credential_values"));
            // A model's own parameters count before those of the credential.
            let parameter = |field: &str| parameters.get(field).or_else(|| values?.get(field)).and_then(Node::text);
            self.model(index, parameters.text_of("model"), &parameter, &mut providers);
        }
        for (index, _) in is_used.iter().enumerate().filter(|(_, is_used)| !**is_used) {
            self.note(format!("not converted: credential_list[{index}]: no model refers to it"));
        }
        for (field, models) in left_over {
            self.note(format!("not converted: {field} of {}", named(&models)));
        }
        self.routes_to(&providers);
    }

    fn model<'a>(
        &mut self,
        index: usize,
        model: &str,
        parameter: &dyn Fn(&str) -> Option<&'a str>,
        providers: &mut Vec<Paths>,
    ) {
        let word = vendors::name_of(model, parameter("custom_llm_provider").unwrap_or_default());
        let Some(vendor) = vendors::find(word, model) else {
            let reason = match word {
                "" => "its model names no provider".to_owned(),
                word => format!("the filter has no profile for {}", Shown(word)),
            };
            return self.note(format!("not converted: model_list[{index}]: {reason}"));
        };
        let address = parameter("api_base");
        let Target { name, profile, paths } = vendor.at(address);
        if !self.providers.contains_key(&name) {
            providers.push((name.clone(), paths));
        }
        let provider = self.providers.entry(name.as_str()).or_insert_with(|| json!({}));
        if let Some(provider) = provider.as_object_mut().filter(|_| *name != *profile) {
            provider.entry("api").or_insert(profile.into());
        }
        if address.is_some() {
            self.note(format!(
                "not converted: api_base of model_list[{index}]; set it as the address of Envoy's cluster for {name}"
            ));
        }
        self.key_of(index, &name, vendor, parameter("api_key"));
    }

    /// Converts the key of a model: a variable, a text, or the vendor's variable.
    fn key_of(&mut self, index: usize, name: &str, vendor: &Vendor, key: Option<&str>) {
        let key = key.map(str::trim).filter(|key| !key.is_empty());
        let (source, new) = match key.map(|key| (key, variable(key))) {
            Some((key, Some(name))) => (key.to_owned(), name.to_owned()),
            Some((key, None)) => {
                let variable = variable_for(name);
                self.note(format!(
                    "model_list[{index}]: its api_key is in clear text; set {variable}, from which the filter reads it"
                ));
                (key.to_owned(), variable)
            }
            None => match self.variable_of(index, name, vendor) {
                Some(variable) => (format!("os.environ/{variable}"), variable.to_owned()),
                None => return,
            },
        };
        match self.deployment_keys.get(name) {
            None => {
                let provider = self.providers.entry(name).or_insert_with(|| json!({})).as_object_mut();
                let deployment_key = json!({ "environment_variable": new });
                drop(provider.map(|provider| provider.insert("deployment_key".to_owned(), deployment_key)));
                self.deployment_keys.insert(name.to_owned(), source);
            }
            Some(earlier) if *earlier != source => self.note(format!(
                "not converted: the key of model_list[{index}]: the filter has one deployment key for {name}"
            )),
            Some(_) => {}
        }
    }

    /// Returns the variable that LiteLLM takes the key of a model without one from.
    fn variable_of(&mut self, index: usize, name: &str, vendor: &Vendor) -> Option<&'static str> {
        let mut ways = vendor.variables.to_vec();
        ways.extend(vendor.other_credentials);
        let ways = if ways.is_empty() { "none".to_owned() } else { ways.join(", else ") };
        let first = vendor.variables.first().copied();
        let result = match first {
            Some(first) => format!("the filter reads {first}, which has to be set"),
            None => format!("{name} gets no deployment key"),
        };
        self.note(format!("model_list[{index}] has no api_key: LiteLLM takes {ways}; {result}"));
        first
    }

    /// Adds a route for each path, to the first provider that is served there.
    fn routes_to(&mut self, providers: &[Paths]) {
        if providers.len() < 2 {
            return;
        }
        let mut routes: BTreeMap<&str, &str> = BTreeMap::new();
        for (at, (name, paths)) in providers.iter().enumerate() {
            let free: Vec<&str> = paths.iter().copied().filter(|path| !routes.contains_key(path)).collect();
            // The first provider is the default.
            if free.is_empty() && at > 0 {
                self.note(format!(
                    "{name}: LiteLLM serves it at paths of other providers; add a route that leads to it"
                ));
            }
            routes.extend(free.into_iter().map(|path| (path, name.as_str())));
        }
        // A path may be below one of another provider: longer ones go first.
        let mut routes: Vec<(&str, &str)> = routes.into_iter().collect();
        routes.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        let routes =
            routes.into_iter().map(|(path, name)| json!({ "match": { "path_prefix": path }, "provider": name }));
        self.routes.extend(routes);
        self.note("LiteLLM selects the provider by the model in the body, the filter by the path: review the routes");
    }
}

/// Returns the fields of a model that the filter has no counterpart for.
fn left_over_fields(model: &Node, parameters: &Node) -> Vec<String> {
    let of_model = model.entries().iter().filter(|entry| !matches!(&*entry.name, "model_name" | "litellm_params"));
    let of_parameters = parameters.entries().iter().filter(|entry| !CONVERTED.contains(&&*entry.name));
    let of_model = of_model.map(|entry| Shown(&entry.name).to_string());
    of_model.chain(of_parameters.map(|entry| format!("litellm_params.{}", Shown(&entry.name)))).collect()
}

/// Names the first models.
fn named(models: &[usize]) -> String {
    let first: Vec<String> = models.iter().take(MOST_NAMED).map(|index| format!("model_list[{index}]")).collect();
    match models.len().saturating_sub(MOST_NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// Returns a name for the variable that a provider's key is to be in.
fn variable_for(provider: &str) -> String {
    let name: String =
        provider.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("{name}_API_KEY")
}
