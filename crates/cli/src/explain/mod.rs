//! `byok explain`: one request, without sending it.

mod curl;
mod masked;
mod render;
mod request;
mod story;

use std::ffi::OsStr;

use super::args::{Explain, Format};
use super::check::{Environment, Plugin, examine, plugins, written};
use super::finding::Finding;
use super::output::{Text, json_to_stdout};
use super::{End, Failure, World, document, read};
use crate::config::Shown;
use crate::decide::{Circumstances, Decision, decide};
use crate::policy::Policy;
use crate::request::RequestHeaders;
use crate::timestamp::Timestamp;
use crate::verify::Answer;

pub use request::Request;
pub use story::{Answered, Explanation};

/// Runs the command.
pub(super) fn command(arguments: &Explain, world: &World) -> Result<End, Failure> {
    let request = described(arguments)?;
    let now = match &arguments.at {
        None => world.now,
        Some(text) => Timestamp::from_rfc3339(text).ok_or_else(|| {
            Failure("--at: expected an RFC 3339 date and time, such as 2027-01-31T00:00:00Z".to_owned())
        })?,
    };
    let file = arguments.config.to_string_lossy();
    let Some((policy, unset)) = load(arguments, &file, world)? else { return Ok(End::Bad) };
    let (cluster, assumed) = cluster(arguments, &policy, &request);
    let mut circumstances =
        Circumstances { now, cluster: cluster.as_deref().map(str::as_bytes), ..Circumstances::default() };
    if let Some(answer) = &arguments.service_answer {
        hear_service(answer, &policy, &request, &mut circumstances);
    }
    let mut explanation = Explanation::new(&policy, &request, &circumstances);
    if !unset.is_empty() {
        let names: Vec<String> = unset.iter().map(|name| Shown(name).to_string()).collect();
        explanation.notes.push(format!("not set here, and stood in for: {}", names.join(", ")));
    }
    if assumed && let Some(cluster) = &cluster {
        explanation.notes.push(format!("Envoy is taken to choose the cluster {cluster}; --cluster says otherwise"));
    }
    match arguments.format {
        Format::Text => explanation.text().to_stdout()?,
        Format::Json => json_to_stdout(&(explanation.to_json() + "\n"))?,
    }
    Ok(End::Good)
}

fn described(arguments: &Explain) -> Result<Request, Failure> {
    if !arguments.curl.is_empty() {
        return curl::request(&arguments.curl);
    }
    let headers = arguments.headers.iter().map(|line| header(line)).collect::<Result<_, _>>()?;
    let path = (arguments.method != "CONNECT").then(|| bytes(&arguments.path));
    Ok(Request { method: arguments.method.clone().into_bytes(), host: bytes(&arguments.host), path, headers }.with_id())
}

/// Reads `NAME: VALUE`.
fn header(line: &OsStr) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let line = bytes(line);
    let colon = line.iter().skip(1).position(|byte| *byte == b':').map(|at| at + 1);
    let Some((name, value)) = colon.and_then(|at| line.split_at_checked(at)) else {
        return Err(Failure("-H: expected a name, a colon and a value".to_owned()));
    };
    let value = value.strip_prefix(b":").unwrap_or_default();
    Ok((crate::request::trim(name).to_vec(), crate::request::trim(value).to_vec()))
}

/// Loads the configuration; shows what is wrong with it, if it does not hold.
fn load(arguments: &Explain, file: &str, world: &World) -> Result<Option<(Policy, Vec<String>)>, Failure> {
    let text = read(&arguments.config)?;
    let syntax = |error: document::SyntaxError| Failure(format!("{file}:{}: {}", error.at, error.message));
    let documents = document::documents(file, &text).map_err(syntax)?;
    let mut found: Vec<Plugin<'_>> = documents.iter().flat_map(plugins).collect();
    let count = found.len();
    if count == 0 {
        return Err(Failure(format!("{file}: expected a configuration of the filter; byok check says more")));
    }
    let nth = arguments.nth.wrapping_sub(1);
    if nth >= count {
        return Err(Failure(format!("{file}: expected --nth up to {count}, the configurations that there are")));
    }
    let plugin = found.swap_remove(nth);
    let Some(holder) = plugin.configuration else {
        return Err(Failure(format!("{file}:{}: expected the filter's configuration", plugin.at)));
    };
    let (configuration, to_file) = written(holder, &text).map_err(syntax)?;
    let environment = Environment::new(world, &plugin.variables);
    let verdict = examine(&configuration, &|name| environment.value(name));
    let mut text = Text::default();
    for error in verdict.errors {
        Finding { at: error.at.map(&to_file), ..error }.render(file, &mut text);
    }
    text.to_stderr()?;
    Ok(verdict.loaded.map(|loaded| (loaded.policy, environment.unset())))
}

/// Returns the cluster that Envoy chooses, and whether that is only taken for granted.
fn cluster(arguments: &Explain, policy: &Policy, request: &Request) -> (Option<String>, bool) {
    match arguments.cluster.as_deref() {
        Some("none") => (None, false),
        Some(cluster) => (Some(cluster.to_owned()), false),
        None => {
            let lines = request.lines();
            let headers = RequestHeaders::from_lines(lines.iter().map(|(name, value)| (&**name, &**value)).collect());
            let terms = policy.terms(&headers).ok();
            let clusters = terms.and_then(|terms| terms.provider.clusters.as_ref());
            let first = clusters.and_then(|clusters| clusters.first());
            (first.map(ToString::to_string), first.is_some())
        }
    }
}

/// Lets the service give one answer to whatever it is asked.
fn hear_service(answer: &str, policy: &Policy, request: &Request, circumstances: &mut Circumstances<'_>) {
    let Some(service) = policy.verification_service() else { return };
    let (status, body) = answer.split_once(' ').unwrap_or((answer, ""));
    let lines = request.lines();
    let headers = RequestHeaders::from_lines(lines.iter().map(|(name, value)| (&**name, &**value)).collect());
    for _ in 0..=policy.key_sources.len() {
        let digest = match decide(policy, &headers, circumstances) {
            Decision::AskService { question } => question.digest,
            _ => return,
        };
        let answer: Answer = service.answer(digest, status.as_bytes(), body.as_bytes());
        circumstances.answers.insert(digest, answer);
    }
}

/// Returns an argument's bytes, whatever they are.
fn bytes(text: &OsStr) -> Vec<u8> {
    #[cfg(unix)]
    return std::os::unix::ffi::OsStrExt::as_bytes(text).to_vec();
    #[cfg(not(unix))]
    return text.to_string_lossy().into_owned().into_bytes();
}

/// Shows bytes as text; what is not visible ASCII is escaped.
fn text(bytes: &[u8]) -> String {
    let shown = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => format!("\\x{byte:02X}"),
    };
    bytes.iter().map(shown).collect()
}
