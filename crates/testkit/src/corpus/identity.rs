//! What Envoy says about the caller of a case, as the filter reads it.

use serde::Deserialize;

use super::{Case, IdentityValue};

#[derive(Deserialize)]
struct Identities {
    #[serde(default)]
    identities: Vec<Identity>,
}

#[derive(Deserialize)]
struct Identity {
    name: String,
    property: Vec<String>,
}

/// Returns the names and the property paths of the identities in a configuration.
pub fn identities_of(json: &str) -> Vec<(String, Vec<String>)> {
    let read: Identities = serde_json::from_str(json).unwrap_or(Identities { identities: Vec::new() });
    read.identities.into_iter().map(|identity| (identity.name, identity.property)).collect()
}

impl Case {
    /// Returns the paths and values of the properties that are set for a case, as the ABI gives them: a list as a map with
    /// empty values, and each of its items by its index too.
    pub fn identity_properties(&self) -> Vec<(Vec<String>, Vec<u8>)> {
        let mut properties = Vec::new();
        for (name, path) in identities_of(&self.configuration.json) {
            match self.identities.get(&name) {
                Some(IdentityValue::Text(text)) => properties.push((path, text.clone().into_bytes())),
                Some(IdentityValue::List(items)) => {
                    let item = |(index, item): (usize, &String)| {
                        ([path.clone(), vec![index.to_string()]].concat(), item.clone().into_bytes())
                    };
                    properties.extend(items.iter().enumerate().map(item));
                    properties.push((path, serialised(items)));
                }
                None => {}
            }
        }
        properties
    }
}

fn serialised(items: &[String]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).expect("a short list").to_le_bytes();
    let mut map = number(items.len()).to_vec();
    for item in items {
        map.extend(number(item.len()));
        map.extend(number(0));
    }
    for item in items {
        map.extend(item.as_bytes());
        map.extend([0, 0]);
    }
    map
}
