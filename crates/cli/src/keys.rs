//! `byok hash` and `byok generate`: digests of keys and their entries. A key is never an argument.

use std::io::IsTerminal as _;

use byok_core::config::is_never_proxy_key;
use byok_core::http::is_visible_ascii;
use byok_core::{KeyDigest, Policy};
use serde_json::json;

use crate::args::{Entry, Generate};
use crate::output::{Text, escaped_json};
use crate::{CliError, ExitCode, read_bounded};

/// The number of random bytes in a generated key: more than anybody can guess.
const STRENGTH: usize = 24;
/// Shorter keys can be found by hashing guesses, in characters.
const SHORT: usize = 20;

/// Reads a key from a prompt or from standard input, and prints its digest.
pub(crate) fn hash(entry: &Entry) -> Result<ExitCode, CliError> {
    let key = read()?;
    let key = key.trim();
    if key.is_empty() {
        return Err(CliError("expected a key on standard input".to_owned()));
    }
    if is_never_proxy_key(key.as_bytes()) {
        return Err(CliError(
            "expected a proxy key: the filter never accepts an OAuth token of a provider as one".to_owned(),
        ));
    }
    if key.len() < SHORT {
        let mut text = Text::default();
        text.styled(anstyle::AnsiColor::Yellow.on_default().bold(), "warning");
        text.add(&format!(": the key is shorter than {SHORT} characters: whoever sees the digest can guess the key"));
        text.end_line().to_stderr()?;
    }
    show(key, entry)
}

/// Generates a key and prints it with its entry.
pub(crate) fn generate(arguments: &Generate) -> Result<ExitCode, CliError> {
    if !is_visible_ascii(arguments.prefix.as_bytes()) {
        return Err(CliError("--prefix: expected visible ASCII characters".to_owned()));
    }
    let mut bytes = [0; STRENGTH];
    getrandom::fill(&mut bytes).map_err(|error| CliError(format!("the system has no random bytes: {error}")))?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = format!("{}{digits}", arguments.prefix);
    check(&key, &arguments.entry)?;
    Text::default().add(&format!("key, shown only once: {key}")).end_line().to_stdout()?;
    show(&key, &arguments.entry)
}

fn read() -> Result<String, CliError> {
    if std::io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password("key (not shown): ")?);
    }
    read_bounded(std::io::stdin().lock())
}

fn show(key: &str, entry: &Entry) -> Result<ExitCode, CliError> {
    check(key, entry)?;
    let mut text = Text::default();
    text.add(&format!("sha256: {}", KeyDigest::of(key.as_bytes()).to_hex())).end_line();
    text.add(&format!("entry:  {}", escaped_json(&json_of(key, entry)))).end_line().to_stdout()?;
    Ok(ExitCode::Success)
}

/// Lets the filter check the entry.
fn check(key: &str, entry: &Entry) -> Result<(), CliError> {
    let consumer = match &entry.consumer {
        Some(_) => json_of(key, entry),
        None => format!("{{ \"name\": \"a\", \"keys\": [{}] }}", json_of(key, entry)),
    };
    let json = format!("{{ \"consumers\": [{consumer}] }}");
    match Policy::from_json(json.as_bytes(), &|_| None) {
        Ok(_) => Ok(()),
        Err(errors) => Err(CliError(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))),
    }
}

fn json_of(key: &str, entry: &Entry) -> String {
    let quoted = |text: &str| json!(text).to_string();
    let mut fields =
        format!("\"id\": {}, \"sha256\": \"{}\"", quoted(&entry.id), KeyDigest::of(key.as_bytes()).to_hex());
    if let Some(date) = &entry.expires_at {
        fields.push_str(&format!(", \"expires_at\": {}", quoted(date)));
    }
    match &entry.consumer {
        Some(name) => {
            let labels: Vec<String> =
                entry.labels.iter().map(|(name, value)| format!("{}: {}", quoted(name), quoted(value))).collect();
            let labels = match &*labels.join(", ") {
                "" => String::new(),
                labels => format!("\"labels\": {{ {labels} }}, "),
            };
            format!("{{ \"name\": {}, {labels}\"keys\": [ {{ {fields} }} ] }}", quoted(name))
        }
        None => format!("{{ {fields} }}"),
    }
}
