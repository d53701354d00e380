//! Runner 3: the corpus through the built module in a real Envoy.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops where it fails"
)]

mod corpus;
mod gateway;
mod grpc;
mod module;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;

use corpus::{Case, Corpus, Expected, Message, Outcome, Protocol, Refused, Tally, Verdict};
use gateway::{Gateway, Response, Row, Site, Upstream, listener};

#[test]
fn corpus_through_envoy() {
    let corpus = Corpus::load();
    let plan = Plan::of(&corpus);
    let upstream = Upstream::start();
    let gateway = plan.start(&corpus, &upstream);
    let addresses = gateway.addresses();

    let as_written = corpus.cases.iter().map(|case| (case, case.protocol));
    let over_http2 = corpus.cases.iter().filter(|case| goes_over_http2_too(case)).map(|case| (case, Protocol::Http2));
    let requests: Vec<_> = as_written.chain(over_http2).collect();
    let seen: Vec<_> =
        requests.iter().map(|(case, protocol)| sent(&upstream, &addresses, &plan, case, *protocol)).collect();

    let answered = seen.iter().filter(|seen| seen.is_ok()).count();
    // A port that is free again may serve twice; the rows of one pair of ports are in the requests' order.
    let mut rows: BTreeMap<_, VecDeque<Row>> = BTreeMap::new();
    for row in gateway.rows(answered) {
        rows.entry(row.connection).or_default().push_back(row);
    }
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    let mut outcomes: Vec<_> = requests
        .iter()
        .zip(seen)
        .map(|((case, _), seen)| {
            let outcome = seen.and_then(|seen| outcome(case, seen, &mut rows));
            if let Ok(outcome) = &outcome {
                *counted.entry(corpus::counter(&outcome.record)).or_default() += 1;
            }
            (*case, outcome)
        })
        .collect();
    let over_http2 = outcomes.split_off(corpus.cases.len());
    let counters = gateway.counters();

    let mut tally = Tally::new("envoy");
    outcomes.into_iter().for_each(|(case, outcome)| tally.case(case, outcome));
    configurations(&corpus, &gateway, &addresses, &mut tally);
    let mut tally_over_http2 = Tally::new("envoy, over HTTP/2 what is written for HTTP/1.1");
    over_http2.into_iter().for_each(|(case, outcome)| tally_over_http2.case(case, outcome));
    if tally.failed() || tally_over_http2.failed() {
        corpus::say(&gateway.explanation());
    }
    tally_over_http2.finish_some();
    tally.finish(&corpus);
    assert_no_secrets(&corpus, &plan, &gateway);
    assert_eq!(counters, counted, "one increment a request");
}

/// Whether HTTP/2 can say the same: it knows no headers of the connection, and joins cookies.
fn goes_over_http2_too(case: &Case) -> bool {
    const OF_HTTP1: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];
    let of_http1 = OF_HTTP1.iter().any(|name| case.request.has(name));
    case.protocol == Protocol::Http1 && !of_http1 && case.request.values("cookie").count() < 2
}

/// Which listeners there must be.
struct Plan {
    /// One for each pair of configuration and cluster that occurs; the value names the listener.
    sites: BTreeMap<(*const corpus::Configuration, Option<String>), String>,
}

impl Plan {
    fn of(corpus: &Corpus) -> Self {
        let mut sites = BTreeMap::new();
        for case in &corpus.cases {
            let name = format!("{}-{}", case.configuration.name, sites.len());
            sites.entry(Self::key(case)).or_insert(name);
        }
        Self { sites }
    }

    fn key(case: &Case) -> (*const corpus::Configuration, Option<String>) {
        (std::rc::Rc::as_ptr(&case.configuration), case.cluster.clone())
    }

    fn start(&self, corpus: &Corpus, upstream: &Upstream) -> Gateway {
        let clusters = corpus.cases.iter().filter_map(|case| case.cluster.as_deref()).chain(["upstream"]);
        let clusters: BTreeSet<&str> = clusters.collect();
        let site = |name: &str, configuration: &str, cluster: Option<&str>| {
            listener(&Site { name, configuration, environment: &corpus.environment, cluster })
        };
        let mut listeners = Vec::new();
        let mut planned = BTreeSet::new();
        for case in &corpus.cases {
            let name = &self.sites[&Self::key(case)];
            if planned.insert(name) {
                listeners.push(site(name, &case.configuration.json, case.cluster.as_deref()));
            }
        }
        for (at, refused) in corpus.refused.iter().enumerate() {
            listeners.push(site(&format!("refused-{at}"), &refused.json, Some("upstream")));
        }
        for (at, doubtful) in corpus.doubtful.iter().enumerate() {
            listeners.push(site(&format!("doubtful-{at}"), &doubtful.json, Some("upstream")));
        }
        let clusters: Vec<(&str, &Upstream)> = clusters.into_iter().map(|name| (name, upstream)).collect();
        Gateway::start(&clusters, &listeners)
    }
}

/// What client and upstream saw of one request.
struct Seen {
    listener: SocketAddr,
    response: Response,
    arrivals: Vec<Message>,
}

fn sent(
    upstream: &Upstream,
    addresses: &BTreeMap<String, SocketAddr>,
    plan: &Plan,
    case: &Case,
    protocol: Protocol,
) -> Result<Seen, String> {
    let name = &plan.sites[&Plan::key(case)];
    let listener =
        *addresses.get(name).ok_or_else(|| format!("the configuration `{}` does not load", case.configuration.name))?;
    let (host, id) = (case.host(), case.request_id());
    let extra = [("host", host.as_slice()), ("x-request-id", id.as_bytes())];
    let response = match protocol {
        Protocol::Http1 => gateway::exchange_http1(listener, &case.request, &extra),
        Protocol::Http2 => gateway::exchange_http2(listener, &case.request, &extra),
    };
    let arrivals = upstream.take();
    Ok(Seen { listener, response: response.map_err(|error| format!("no answer: {error}"))?, arrivals })
}

fn outcome(
    case: &Case,
    seen: Seen,
    rows: &mut BTreeMap<(SocketAddr, SocketAddr), VecDeque<Row>>,
) -> Result<Outcome, String> {
    let Seen { listener, response, mut arrivals } = seen;
    let row = rows.get_mut(&(listener, response.client)).and_then(VecDeque::pop_front);
    let row = row.ok_or("no row in the access log")?;
    let refused = row.details.starts_with("byok_");
    if refused && !arrivals.is_empty() {
        return Err(format!("refused, and the upstream received {}", arrivals[0]));
    }
    if arrivals.len() > 1 {
        return Err(format!("the upstream received {} requests", arrivals.len()));
    }
    let verdict = match arrivals.pop() {
        Some(message) => Verdict::Passed(message),
        None if refused => Verdict::Refused(answer(case, response, &row)?),
        None if row.details == "direct_response" && matches!(case.expected, Expected::Passed(_)) => {
            Verdict::PassedUnseen
        }
        None => return Err(format!("Envoy itself answered {} ({})", response.status, row.details)),
    };
    Ok(Outcome { verdict, record: row.record })
}

fn answer(case: &Case, response: Response, row: &Row) -> Result<Refused, String> {
    let details = row.details.clone();
    // The log replaces bytes that are not UTF-8.
    let is_exact = case.request.path.as_ref().is_some_and(|path| path.is_ascii());
    let logged_path = is_exact.then(|| row.path.clone().into_bytes());
    match response.header("grpc-status") {
        Some(status) => {
            let status = grpc::http_status(status).ok_or_else(|| format!("grpc-status {status}"))?;
            let body = grpc::message(response.header("grpc-message").unwrap_or_default());
            Ok(Refused { status, headers: response.headers, body, details, logged_path })
        }
        None => {
            let Response { status, headers, body, .. } = response;
            Ok(Refused { status, headers, body, details, logged_path })
        }
    }
}

/// Holds the log against the configurations that must be refused or warned about.
fn configurations(corpus: &Corpus, gateway: &Gateway, addresses: &BTreeMap<String, SocketAddr>, tally: &mut Tally) {
    let log = gateway.module_log();
    let lines = |plugin: &str, level: &str| {
        // Each worker and the main thread load the configuration, and each says the same.
        let mut lines: Vec<String> = Vec::new();
        for line in log.iter().filter(|line| line.plugin == plugin && line.level == level) {
            if !lines.contains(&line.text) {
                lines.push(line.text.clone());
            }
        }
        lines
    };
    for (at, refused) in corpus.refused.iter().enumerate() {
        let name = format!("refused-{at}");
        let loaded = if addresses.contains_key(&name) { Ok(()) } else { Err(lines(&name, "error")) };
        tally.refused(refused, loaded);
    }
    for (at, doubtful) in corpus.doubtful.iter().enumerate() {
        let name = format!("doubtful-{at}");
        let loads = addresses.contains_key(&name);
        tally.doubtful(doubtful, if loads { Ok(lines(&name, "warning")) } else { Err(lines(&name, "error")) });
    }
}

/// No line shows a secret of the configuration, or of a request that the site has had.
fn assert_no_secrets(corpus: &Corpus, plan: &Plan, gateway: &Gateway) {
    let mut of_site: BTreeMap<&str, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for case in &corpus.cases {
        of_site.entry(&plan.sites[&Plan::key(case)]).or_default().extend(corpus::secrets_of(corpus, case));
    }
    let public: BTreeSet<&[u8]> =
        corpus.cases.iter().flat_map(|case| case.record.values().flatten()).map(String::as_bytes).collect();
    for line in gateway.module_log().iter().filter(|line| line.level == "debug") {
        let Some(secrets) = of_site.get(line.plugin.as_str()) else { continue };
        let secrets = secrets.iter().filter(|secret| !public.contains(secret.as_slice())).cloned().collect();
        corpus::assert_no_secret_in([line.text.as_str()], &secrets, &line.plugin);
    }
}
