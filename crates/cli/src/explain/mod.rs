//! `byok explain`: what the filter decides about a request that is not sent.

mod curl;

use std::ffi::OsStr;

use anstyle::{AnsiColor, Style};
use byok_core::config::Shown;
use byok_core::http::trim;
use byok_core::model::{AllowList, Identity};
use byok_core::{
    Context, Decision, Policy, RequestHeaders, RequestIdentities, Step, Steps, Timestamp, decide, decide_traced,
};
use byok_explain::{Report, Request, explain};

use crate::args::{Explain, Format};
use crate::check::{FilterEnvironment, Plugin, embedded, examine, plugins};
use crate::output::{Text, json_to_stdout};
use crate::source::{Embedded, Source};
use crate::{CliError, Environment, ExitCode, document, read};

/// Runs the command.
pub(super) fn command(arguments: &Explain, environment: &Environment) -> Result<ExitCode, CliError> {
    let request = described(arguments)?;
    let now = match &arguments.at {
        None => environment.now,
        Some(text) => Timestamp::from_rfc3339(text).ok_or_else(|| {
            CliError("--at: expected an RFC 3339 date and time, such as 2027-01-31T00:00:00Z".to_owned())
        })?,
    };
    let file = arguments.config.to_string_lossy();
    let Some((policy, unset)) = load(arguments, &file, environment)? else { return Ok(ExitCode::Failure) };
    let (cluster, is_assumed) = cluster(arguments, &policy, &request);
    let identities = identities(&arguments.identities, &policy)?;
    let mut context = Context { now, cluster: cluster.as_deref().map(str::as_bytes), identities, ..Context::default() };
    if let Some(response) = &arguments.service_answer {
        look_up(response, &policy, &request, &mut context);
    }
    let mut report = explain(&policy, &request, &context);
    if !unset.is_empty() {
        let names: Vec<String> = unset.iter().map(|name| Shown(name).to_string()).collect();
        report.notes.push(format!("not set here, so placeholders are used: {}", names.join(", ")));
    }
    if is_assumed && let Some(cluster) = &cluster {
        report.notes.push(format!("assuming that Envoy chooses the cluster {cluster}; --cluster says otherwise"));
    }
    match arguments.format {
        Format::Text => text_of(&report).to_stdout()?,
        Format::Json => json_to_stdout(&(report.to_json() + "\n"))?,
    }
    Ok(ExitCode::Success)
}

/// Returns the report with the colours of a terminal.
fn text_of(report: &Report) -> Text {
    let decision = match report.record.get("decision").map(String::as_str) {
        Some("allow") => AnsiColor::Green,
        None => AnsiColor::Yellow,
        Some(_) => AnsiColor::Red,
    };
    let mut text = Text::default();
    for (heading, line) in report.lines() {
        text.styled(Style::new().bold(), &format!("{heading:<11}")).add("  ");
        if heading == "decision" {
            text.styled(decision.on_default().bold(), &line);
        } else {
            text.add(&line);
        }
        text.end_line();
    }
    text
}

fn described(arguments: &Explain) -> Result<Request, CliError> {
    if !arguments.curl.is_empty() {
        return curl::request(&arguments.curl);
    }
    let headers = arguments.headers.iter().map(|line| header(line)).collect::<Result<_, _>>()?;
    let path = (arguments.method != "CONNECT").then(|| bytes(&arguments.path));
    Ok(Request { method: arguments.method.clone().into_bytes(), host: bytes(&arguments.host), path, headers }.with_id())
}

/// Returns what Envoy would have found of the policy's identities.
fn identities(given: &[(String, String)], policy: &Policy) -> Result<RequestIdentities, CliError> {
    let is_known = |name: &str| policy.identities.iter().any(|identity| *identity.name == *name);
    if !given.iter().all(|(name, _)| is_known(name)) {
        return Err(CliError("--identity: expected the name of an identity of the configuration".to_owned()));
    }
    let values = |identity: &Identity| -> Vec<&str> {
        given.iter().filter(|(name, _)| **name == *identity.name).map(|(_, value)| &**value).collect()
    };
    Ok(RequestIdentities::read(policy, values))
}

/// Reads `NAME: VALUE`.
fn header(line: &OsStr) -> Result<(Vec<u8>, Vec<u8>), CliError> {
    let line = bytes(line);
    let colon = line.iter().skip(1).position(|byte| *byte == b':').map(|at| at + 1);
    let Some((name, value)) = colon.and_then(|at| line.split_at_checked(at)) else {
        return Err(CliError("-H: expected a name, a colon and a value".to_owned()));
    };
    let value = value.strip_prefix(b":").unwrap_or_default();
    Ok((trim(name).to_vec(), trim(value).to_vec()))
}

/// Loads the configuration; shows what is wrong with it, if it does not hold.
fn load(arguments: &Explain, file: &str, environment: &Environment) -> Result<Option<(Policy, Vec<String>)>, CliError> {
    let text = read(&arguments.config)?;
    let syntax = |error: document::SyntaxError| CliError(format!("{file}:{}: {}", error.at, error.message));
    let documents = document::documents(file, &text).map_err(syntax)?;
    let is_only = documents.len() == 1;
    let mut found: Vec<Plugin<'_>> = documents.iter().flat_map(|document| plugins(document, is_only)).collect();
    let count = found.len();
    if count == 0 {
        return Err(CliError(format!("{file}: expected a configuration of the filter; byok check says more")));
    }
    let nth = arguments.nth.wrapping_sub(1);
    if nth >= count {
        return Err(CliError(format!("{file}: expected --nth up to {count}, the configurations that there are")));
    }
    let plugin = found.swap_remove(nth);
    let Some(holder) = plugin.configuration else {
        return Err(CliError(format!("{file}:{}: expected the filter's configuration", plugin.at)));
    };
    let embedded: Vec<Embedded> = embedded(holder, &text).map_err(syntax)?.into_iter().collect();
    let configuration = embedded.first().map_or(holder, |embedded| &embedded.document);
    let environment = FilterEnvironment::new(environment, &plugin.variables);
    let mut verdict = examine(configuration, &|name| environment.value(name), plugin.has_sds != Some(false));
    for error in &mut verdict.errors {
        error.at = error.at.map(|at| embedded.first().map_or(at, |embedded| embedded.position(at)));
    }
    verdict.errors.sort_by_key(|error| error.at);
    let source = Source::new(&text, &documents, &embedded, verdict.errors.iter().filter_map(|error| error.at));
    let mut shown = Text::default();
    verdict.errors.iter().for_each(|error| error.render(file, &source, &mut shown));
    shown.to_stderr()?;
    Ok(verdict.loaded.map(|loaded| (loaded.policy, environment.unset())))
}

/// Returns the cluster that Envoy chooses, and whether that is only assumed: the first one that the provider allows.
fn cluster(arguments: &Explain, policy: &Policy, request: &Request) -> (Option<String>, bool) {
    match arguments.cluster.as_deref() {
        Some("none") => (None, false),
        Some(cluster) => (Some(cluster.to_owned()), false),
        None => {
            let first = first_allowed_cluster(policy, request);
            let is_assumed = first.is_some();
            (first, is_assumed)
        }
    }
}

fn first_allowed_cluster(policy: &Policy, request: &Request) -> Option<String> {
    let lines = request.lines();
    let headers = RequestHeaders::from_lines(lines.iter().map(|(name, value)| (&**name, &**value)));
    let (context, mut steps) = (Context::default(), Steps::default());
    decide_traced(policy, &headers, &context, &mut steps);
    let route = steps.0.iter().find_map(|step| match step {
        Step::Route { policy, .. } => Some(*policy),
        _ => None,
    })?;
    match &route.provider.clusters {
        AllowList::All => None,
        AllowList::Only(clusters) => clusters.first().map(ToString::to_string),
    }
}

/// Takes one response of the verification service for every lookup.
fn look_up(response: &str, policy: &Policy, request: &Request, context: &mut Context<'_>) {
    let Some(service) = &policy.verification_service else { return };
    let (status, body) = response.split_once(' ').unwrap_or((response, ""));
    let lines = request.lines();
    let headers = RequestHeaders::from_lines(lines.iter().map(|(name, value)| (&**name, &**value)));
    let most_sources = policy.route_policies().map(|route| route.key_sources.len()).max().unwrap_or_default();
    for _ in 0..=most_sources {
        let digest = match decide(policy, &headers, context) {
            Decision::Lookup(lookup) => lookup.digest,
            _ => return,
        };
        let result = service.read_response(digest, status.as_bytes(), body.as_bytes());
        context.lookups.insert(digest, result);
    }
}

/// Returns an argument's bytes, whatever they are.
fn bytes(text: &OsStr) -> Vec<u8> {
    #[cfg(unix)]
    return std::os::unix::ffi::OsStrExt::as_bytes(text).to_vec();
    #[cfg(not(unix))]
    return text.to_string_lossy().into_owned().into_bytes();
}
