//! `byok hash` and `byok generate`: keys by their digests; the key itself is on no command line.

use std::io::IsTerminal as _;

use serde_json::json;

use super::args::{Entry, Generate};
use super::output::{Text, escaped_json};
use super::{End, Failure, read_bounded};
use crate::authenticate::ANTHROPIC_OAUTH_PREFIX;
use crate::policy::Policy;
use crate::request::is_visible_ascii;
use crate::secret::KeyDigest;

/// Bytes of a generated key: more than anybody can try.
const STRENGTH: usize = 24;
/// Shorter keys are found from their digest.
const SHORT: usize = 20;

/// Reads a key from a prompt or from standard input, and shows its digest.
pub(super) fn hash(entry: &Entry) -> Result<End, Failure> {
    let key = read()?;
    let key = key.trim();
    if key.is_empty() {
        return Err(Failure("expected a key on standard input".to_owned()));
    }
    if key.as_bytes().starts_with(ANTHROPIC_OAUTH_PREFIX) {
        return Err(Failure("expected a proxy key: what starts with sk-ant-oat is always a provider's".to_owned()));
    }
    if key.len() < SHORT {
        let mut text = Text::default();
        text.styled(anstyle::AnsiColor::Yellow.on_default().bold(), "warning");
        text.add(&format!(": shorter than {SHORT} characters: who sees the digest may find the key by trying"));
        text.end_line().to_stderr()?;
    }
    show(key, entry)
}

/// Makes a key, shows it once, and its entry.
pub(super) fn generate(arguments: &Generate) -> Result<End, Failure> {
    if !is_visible_ascii(arguments.prefix.as_bytes()) {
        return Err(Failure("--prefix: expected visible ASCII characters".to_owned()));
    }
    let mut bytes = [0; STRENGTH];
    getrandom::fill(&mut bytes).map_err(|error| Failure(format!("the system gives no random bytes: {error}")))?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = format!("{}{digits}", arguments.prefix);
    check(&key, &arguments.entry)?;
    Text::default().add(&format!("key, shown this once: {key}")).end_line().to_stdout()?;
    show(&key, &arguments.entry)
}

fn read() -> Result<String, Failure> {
    if std::io::stdin().is_terminal() {
        return Ok(rpassword::prompt_password("key (not shown): ")?);
    }
    read_bounded(std::io::stdin().lock())
}

fn show(key: &str, entry: &Entry) -> Result<End, Failure> {
    check(key, entry)?;
    let mut text = Text::default();
    text.add(&format!("sha256: {}", KeyDigest::of(key.as_bytes()).to_hex())).end_line();
    text.add(&format!("entry:  {}", escaped_json(&json_of(key, entry)))).end_line().to_stdout()?;
    Ok(End::Good)
}

/// Lets the filter say whether it takes the entry.
fn check(key: &str, entry: &Entry) -> Result<(), Failure> {
    let consumer = match &entry.consumer {
        Some(_) => json_of(key, entry),
        None => format!("{{ \"name\": \"a\", \"keys\": [{}] }}", json_of(key, entry)),
    };
    let json = format!("{{ \"consumers\": [{consumer}] }}");
    match Policy::from_json(json.as_bytes(), &|_| None) {
        Ok(_) => Ok(()),
        Err(errors) => Err(Failure(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))),
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
        Some(name) => format!("{{ \"name\": {}, \"keys\": [ {{ {fields} }} ] }}", quoted(name)),
        None => format!("{{ {fields} }}"),
    }
}
