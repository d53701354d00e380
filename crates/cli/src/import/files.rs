//! Where LiteLLM's configuration is: alone in a file, in a Kubernetes ConfigMap or in the values of a Helm chart.

use std::path::Path;

use byok_core::config::Shown;

use super::include::Includes;
use crate::document::{self, Entry, Node};
use crate::{CliError, read};

/// The sections by which a configuration of LiteLLM is known.
const SECTIONS: [&str; 4] = ["model_list", "general_settings", "litellm_settings", "router_settings"];
/// Sections whose names others use, too: they count at the top of a file.
const TOP_SECTIONS: [&str; 3] = ["include", "credential_list", "environment_variables"];

/// Reads the configuration in a file, with everything that it includes; returns notes about how it was found, too.
///
/// # Errors
/// Says which file can't be read, or that there is no configuration of LiteLLM.
pub(super) fn load(file: &Path) -> Result<(Node, Vec<String>), CliError> {
    let name = file.to_string_lossy();
    let text = read(file)?;
    let mut candidates = Vec::new();
    for document in parse(&name, &text)? {
        if has_section(&document, &TOP_SECTIONS) {
            candidates.push(Candidate::alone(document, String::new()));
        } else {
            search(&document, &mut Vec::new(), &mut candidates);
        }
    }
    let mut candidates = candidates.into_iter();
    let Some(Candidate { configuration, place, neighbours, .. }) = candidates.next() else {
        return Err(CliError(format!("{name}: expected LiteLLM's config.yaml")));
    };
    let mut includes = Includes::new(file, text.len(), neighbours);
    let configuration = includes.resolve(configuration)?;
    let mut notes = Vec::new();
    if !place.is_empty() {
        notes.push(format!("converted: {place}; what is around it (variables, secrets, arguments) is not"));
    }
    let is_left_over =
        |other: &Candidate| !other.file.as_ref().is_some_and(|file| includes.neighbours_read.contains(file));
    notes.extend(candidates.filter(is_left_over).map(|other| {
        let place = if other.place.is_empty() { "a further document" } else { &other.place };
        format!("not converted: {place}: the file has more than one configuration of LiteLLM")
    }));
    Ok((configuration, notes))
}

pub(super) fn parse(name: &str, text: &str) -> Result<Vec<Node>, CliError> {
    document::documents(name, text).map_err(|error| CliError(format!("{name}:{}: {}", error.at, error.message)))
}

/// A configuration in a document.
struct Candidate {
    configuration: Node,
    /// Where it is; empty if it is a document of its own.
    place: String,
    /// Its name, if it is a file of a ConfigMap.
    file: Option<String>,
    /// The files of the same ConfigMap.
    neighbours: Vec<Entry>,
}

impl Candidate {
    fn alone(configuration: Node, place: String) -> Self {
        Self { configuration, place, file: None, neighbours: Vec::new() }
    }
}

fn has_section(node: &Node, more: &[&str]) -> bool {
    node.entries().iter().any(|entry| SECTIONS.contains(&&*entry.name) || more.contains(&&*entry.name))
}

/// Finds configurations below a value: values of a Helm chart, and files of ConfigMaps.
fn search<'a>(node: &'a Node, path: &mut Vec<&'a str>, found: &mut Vec<Candidate>) {
    if has_section(node, &[]) {
        let names: Vec<String> = path.iter().map(|name| Shown(name).to_string()).collect();
        found.push(Candidate::alone(node.clone(), names.join(".")));
        return;
    }
    match node.text_of("kind") {
        "ConfigMap" => return files_of(node.get("data"), found),
        "Secret" => return files_of(node.get("stringData"), found),
        _ => {}
    }
    for item in node.items() {
        search(item, path, found);
    }
    for entry in node.entries() {
        path.push(&entry.name);
        search(&entry.value, path, found);
        path.pop();
    }
}

/// Finds configurations among the files of a ConfigMap; one that includes others goes first.
fn files_of(data: Option<&Node>, found: &mut Vec<Candidate>) {
    let files = data.map(Node::entries).unwrap_or_default();
    let before = found.len();
    for file in files {
        // Other files need not be YAML.
        let documents = document::documents(&file.name, file.value.text().unwrap_or_default()).unwrap_or_default();
        let configurations = documents.into_iter().filter(|document| has_section(document, &TOP_SECTIONS));
        found.extend(configurations.map(|configuration| {
            let place = format!("the file {} of the ConfigMap", Shown(&file.name));
            Candidate { file: Some(file.name.clone()), ..Candidate::alone(configuration, place) }
        }));
    }
    let own = found.get_mut(before..).unwrap_or_default();
    own.sort_by_key(|candidate| candidate.configuration.get("include").is_none());
    if let Some(main) = own.first_mut() {
        main.neighbours = files.to_vec();
    }
}
