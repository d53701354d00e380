//! What breaks the tables, and where.

use std::collections::BTreeSet;

use crate::source::Source;
use crate::{IMPURE_MACROS, IMPURE_PATHS, MODULES, STANDARD_NAMES, UNSAFE_FILES};

/// A use of one module in another.
pub(crate) struct Edge {
    at: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Edge {
    pub(crate) fn violation(&self) -> Option<String> {
        let Self { at, from, to } = self;
        match MODULES.iter().find(|(module, _)| module == from) {
            None => Some(format!("{at}: the table has no module `{from}`")),
            Some((_, allowed)) if allowed.contains(&to.as_str()) => None,
            Some((_, [])) => Some(format!("{at}: {from} uses {to}, and may use no other module")),
            Some((_, allowed)) => Some(format!("{at}: {from} uses {to}, and may use {}", allowed.join(", "))),
        }
    }
}

/// Returns the uses of other modules of the same crate. The crate's root may use all.
pub(crate) fn edges(source: &Source) -> Vec<Edge> {
    let Some(from) = source.module.first() else { return Vec::new() };
    let other = |path: &[String]| {
        let is_super = |part: &&String| *part == "super";
        let relative = path.iter().take_while(|part| ["self", "super"].contains(&part.as_str())).count();
        let at = match path.first().map(String::as_str) {
            Some("crate") => 1,
            Some("super") if path.iter().take(relative).filter(is_super).count() >= source.module.len() => relative,
            _ => return None,
        };
        path.get(at).filter(|to| *to != from).cloned()
    };
    let edge = |to, line| Edge { at: format!("{}:{line}", source.path), from: from.clone(), to };
    source.paths.iter().filter_map(|(path, line)| Some(edge(other(path)?, line))).collect()
}

/// Returns the names of a manifest's dependencies, those for one target included, those for tests not.
pub(crate) fn dependencies(manifest: &str) -> Vec<(String, usize)> {
    let table: toml::Table = manifest.parse().unwrap();
    let targets = table.get("target").and_then(toml::Value::as_table).into_iter().flatten().map(|(_, target)| target);
    let own = std::iter::once(table.get("dependencies"));
    let lists = own.chain(targets.map(|target| target.get("dependencies"))).flatten();
    let names = lists.filter_map(toml::Value::as_table).flat_map(|list| list.keys());
    let line_of = |name: &String| manifest.lines().position(|line| line.starts_with(name.as_str())).unwrap_or(0) + 1;
    names.map(|name| (name.clone(), line_of(name))).collect()
}

pub(crate) fn crate_violations(folder: &str, allowed: &[&str], dependencies: &[(String, usize)]) -> Vec<String> {
    let is_ours = |name: &str| name.starts_with("byok-") || ["xtask", "bench"].contains(&name);
    let hosts = |name: &str| name == "proxy-wasm" && folder != ".";
    let refused =
        dependencies.iter().filter(|(name, _)| hosts(name) || is_ours(name) && !allowed.contains(&name.as_str()));
    refused
        .map(|(name, line)| format!("{folder}/Cargo.toml:{line}: a dependency on {name} is not in the table"))
        .collect()
}

pub(crate) fn is_provider(source: &Source) -> bool {
    source.module.first().is_some_and(|module| module == "providers")
}

/// Returns the strings of `providers/` but those that a standard defines.
pub(crate) fn vendor_names(sources: &[Source]) -> BTreeSet<&str> {
    let spelled = sources.iter().filter(|source| is_provider(source)).flat_map(|source| &source.tokens);
    spelled
        .filter_map(|token| token.string())
        .filter(|name| !name.is_empty() && !STANDARD_NAMES.contains(name))
        .collect()
}

/// A name with a separator counts in any text, where a word begins; a plain word only if it is the whole text.
pub(crate) fn vendor_violations(source: &Source, names: &BTreeSet<&str>) -> Vec<String> {
    let begins_word = |text: &str, at: usize| !text[..at].ends_with(|before: char| before.is_ascii_alphanumeric());
    let spells = |text: &str, name: &str| {
        let is_word = name.chars().all(|character| character.is_ascii_alphanumeric());
        text == name || !is_word && text.match_indices(name).any(|(at, _)| begins_word(text, at))
    };
    let found = source.tokens.iter().filter_map(|token| {
        let text = token.string()?;
        let name = names.iter().find(|name| spells(text, name))?;
        Some(format!("{}:{}: `{name}` belongs into providers/", source.path, token.line))
    });
    found.collect()
}

pub(crate) fn host_violations(source: &Source) -> Vec<String> {
    let is_host =
        |text: &str| text == "proxy_wasm" && !source.path.starts_with("src/") && !source.path.contains("/noop/");
    let is_unsafe = |text: &str| text == "unsafe" && !UNSAFE_FILES.contains(&source.path.as_str());
    let found = source.tokens.iter().filter(|token| is_host(&token.text) || is_unsafe(&token.text));
    found.map(|token| format!("{}:{}: `{}` is not allowed here", source.path, token.line, token.text)).collect()
}

pub(crate) fn purity_violations(source: &Source) -> Vec<String> {
    let reaches = |path: &str, impure: &str| format!("::{path}::").contains(&format!("::{impure}::"));
    let paths = source.paths.iter().filter_map(|(path, line)| {
        let path = path.join("::");
        IMPURE_PATHS.into_iter().find(|impure| reaches(&path, impure)).map(|impure| (impure, *line))
    });
    let macros = source.tokens.windows(2).filter(|pair| pair[1].text == "!" && IMPURE_MACROS.contains(&&*pair[0].text));
    let found = paths.chain(macros.map(|pair| (pair[0].text.as_str(), pair[0].line)));
    found.map(|(what, line)| format!("{}:{line}: `{what}` is not allowed in the core", source.path)).collect()
}
