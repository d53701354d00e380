//! From the files' texts to the checked corpus.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use toml::Spanned;

use super::wire::{CaseText, FileText, IdentityText, ProtocolText};
use super::{
    Case, Configuration, Corpus, Expected, IdentityValue, Location, Message, Protocol, RefusedConfiguration,
    WarningConfiguration, is_record_part,
};

/// Checks all files and joins them.
pub(super) fn corpus(files: Vec<(String, String)>) -> Result<Corpus, String> {
    let mut corpus = Corpus {
        environment: BTreeMap::new(),
        configurations: Vec::new(),
        cases: Vec::new(),
        refused: Vec::new(),
        warnings: Vec::new(),
    };
    let mut names = BTreeSet::new();
    for (file, text) in files {
        add(&mut corpus, &mut names, &file, &text).map_err(|error| format!("{file}: {error}"))?;
    }
    Ok(corpus)
}

fn add(corpus: &mut Corpus, names: &mut BTreeSet<String>, file: &str, text: &str) -> Result<(), String> {
    let source = text;
    let text: FileText = toml::from_str(source).map_err(|error| error.to_string())?;
    let locate = |name: &Spanned<String>| {
        let before = source.get(..name.span().start).unwrap_or_default();
        Location { file: file.to_owned(), line: before.matches('\n').count() + 1 }
    };
    for (name, value) in text.environment {
        let earlier = corpus.environment.insert(name.clone(), value.clone());
        if earlier.is_some_and(|earlier| earlier != value) {
            return Err(format!("the environment variable {name} has another value in another file"));
        }
    }
    let mut configurations = BTreeMap::new();
    for (name, json) in text.configurations {
        let json = template(&json).map_err(|error| format!("{name}: {error}"))?;
        let configuration = Arc::new(Configuration { file: file.to_owned(), name: name.clone(), json });
        configurations.insert(name, configuration);
    }
    let mut unused: BTreeSet<String> = configurations.keys().cloned().collect();
    for case in text.cases {
        let at = locate(&case.name);
        claim(names, case.name.get_ref())?;
        unused.remove(&case.config);
        let case = checked(at.clone(), case, &configurations);
        corpus.cases.push(Arc::new(case.map_err(|error| format!("line {}: {error}", at.line))?));
    }
    if let Some(name) = unused.first() {
        return Err(format!("no case uses the configuration `{name}`"));
    }
    corpus.configurations.extend(configurations.into_values());
    for refused in text.refused {
        let (at, name) = (locate(&refused.name), refused.name.into_inner());
        claim(names, &name)?;
        let json = template(&refused.json)?;
        if refused.errors.is_empty() {
            return Err(format!("line {}: no errors", at.line));
        }
        let (errors, only_in_wasm) = (refused.errors, refused.only_in_wasm);
        corpus.refused.push(Arc::new(RefusedConfiguration { at, name, json, errors, only_in_wasm }));
    }
    for warning in text.warnings {
        let (at, name) = (locate(&warning.name), warning.name.into_inner());
        claim(names, &name)?;
        let json = template(&warning.json)?;
        corpus.warnings.push(Arc::new(WarningConfiguration { at, name, json, warnings: warning.warnings }));
    }
    Ok(())
}

fn claim(names: &mut BTreeSet<String>, name: &str) -> Result<(), String> {
    if names.insert(name.to_owned()) { Ok(()) } else { Err(format!("two cases are named `{name}`")) }
}

fn checked(
    at: Location,
    case: CaseText,
    configurations: &BTreeMap<String, Arc<Configuration>>,
) -> Result<Case, String> {
    let configuration =
        configurations.get(&case.config).ok_or_else(|| format!("no configuration `{}` in this file", case.config))?;
    let request = Message::parse(&case.request)?;
    let expected = match (case.upstream, case.status) {
        (Some(upstream), None) if case.headers.is_empty() && case.body.is_none() && case.logged_path.is_none() => {
            Expected::Passed(Message::parse(&upstream)?)
        }
        (None, Some(status)) => {
            let logged_path = case.logged_path.map(String::into_bytes).or_else(|| request.path.clone());
            Expected::Refused { status, headers: headers(&case.headers)?, body: case.body, logged_path }
        }
        (None, None) if case.headers.is_empty() && case.body.is_none() && case.logged_path.is_none() => {
            Expected::Missing
        }
        _ => return Err("either `upstream` or `status` with `headers`, `body` and `logged_path`".to_owned()),
    };
    let decision = match expected {
        Expected::Passed(_) => Some("allow"),
        Expected::Refused { .. } => Some("deny"),
        Expected::Missing => None,
    };
    let decision = decision.map(|decision| ("decision".to_owned(), Some(decision.to_owned())));
    let mut record: BTreeMap<_, _> = decision.into_iter().collect();
    for (part, value) in case.record {
        if !is_record_part(&part) {
            return Err(format!("the record has no part `{part}`"));
        }
        record.insert(part, (value != "-").then_some(value));
    }
    Ok(Case {
        at,
        name: case.name.into_inner(),
        configuration: Arc::clone(configuration),
        request,
        cluster: (case.cluster != "none").then_some(case.cluster),
        protocol: match case.protocol {
            ProtocolText::Http1 => Protocol::Http1,
            ProtocolText::Http2 => Protocol::Http2,
        },
        identities: case.identities.into_iter().map(|(name, value)| (name, identity(value))).collect(),
        expected,
        record,
    })
}

fn identity(value: IdentityText) -> IdentityValue {
    match value {
        IdentityText::One(text) => IdentityValue::Text(text),
        IdentityText::List(items) => IdentityValue::List(items),
    }
}

fn headers(lines: &[String]) -> Result<Vec<(String, String)>, String> {
    lines
        .iter()
        .map(|line| {
            let (name, value) = line.split_once(':').ok_or_else(|| format!("no colon in `{line}`"))?;
            Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect()
}

/// Replaces `{{sha256:TEXT}}` by the digest of TEXT.
fn template(text: &str) -> Result<String, String> {
    const START: &str = "{{sha256:";
    let mut parts = text.split(START);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (secret, rest) = part.split_once("}}").ok_or("a `{{sha256:` is not closed")?;
        for byte in Sha256::digest(secret) {
            out.push_str(&format!("{byte:02x}"));
        }
        out.push_str(rest);
    }
    Ok(out)
}
