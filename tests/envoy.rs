//! The corpus through the built module in a real Envoy: one Envoy for all cases, one test per case.
//!
//! Under nextest, which starts a process per test, there is one test per file of the corpus.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops where it fails"
)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use byok_testkit::carrier::{Carrier, carrier};
use byok_testkit::corpus::{
    self, Case, Configuration, Corpus, Expected, Message, Outcome, Protocol, Refused, Verdict, trial,
};
use byok_testkit::gateway::{self, Gateway, ModuleLine, Response, Row, Site, Upstream, grpc, listener};
use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut corpus = Corpus::load();
    corpus.refused.retain(|refused| carrier() == Carrier::Wasm || !refused.only_in_wasm);
    let has_a_process_per_test = std::env::var_os("NEXTEST").is_some();
    let trials = if has_a_process_per_test { one_per_file(&corpus) } else { one_per_case(&corpus, &arguments) };
    libtest_mimic::run(&arguments, trials).exit();
}

/// One test per case and protocol, and what is checked after all of them. Only what the arguments select is sent.
fn one_per_case(corpus: &Corpus, arguments: &Arguments) -> Vec<Trial> {
    let mut selected = corpus.clone();
    selected.retain(|_, name| selects(arguments, name) || selects(arguments, &over_http2(name)));
    let session = Lazy::new(selected);
    let mut trials = Vec::new();
    for case in &corpus.cases {
        let (one, other) = (Arc::clone(case), Arc::clone(case));
        trials.push(session.trial(&case.name, move |session| session.case(&one, false)));
        if goes_over_http2_too(case) {
            trials.push(session.trial(&over_http2(&case.name), move |session| session.case(&other, true)));
        }
    }
    for refused in &corpus.refused {
        let configuration = Arc::clone(refused);
        trials.push(
            session
                .trial(&refused.name, move |session| configuration.report(session.refused.get(&configuration.name)?)),
        );
    }
    for warning in &corpus.warnings {
        let configuration = Arc::clone(warning);
        trials.push(
            session
                .trial(&warning.name, move |session| configuration.report(session.warnings.get(&configuration.name)?)),
        );
    }
    trials.push(session.trial("each request adds one to its counter", Session::counters));
    trials.push(session.trial("no log line shows a secret of its listener", Session::secrets));
    trials
}

/// One test and one Envoy per file.
fn one_per_file(corpus: &Corpus) -> Vec<Trial> {
    let files: BTreeSet<&String> = corpus
        .cases
        .iter()
        .map(|case| &case.at.file)
        .chain(corpus.refused.iter().map(|refused| &refused.at.file))
        .chain(corpus.warnings.iter().map(|warning| &warning.at.file))
        .collect();
    let of_file = |file: &String| {
        let mut part = corpus.clone();
        part.retain(|own, _| own == file);
        let session = Lazy::new(part.clone());
        session.trial(file, move |session| {
            let cases = part.cases.iter().flat_map(|case| {
                let again = goes_over_http2_too(case).then(|| session.case(case, true));
                [session.case(case, false), again.flatten()]
            });
            let refused = part.refused.iter().map(|one| one.report(&session.refused[&one.name]));
            let warnings = part.warnings.iter().map(|one| one.report(&session.warnings[&one.name]));
            let of_all = [session.counters(), session.secrets()];
            let reports: Vec<String> = cases.chain(refused).chain(warnings).chain(of_all).flatten().collect();
            (!reports.is_empty()).then(|| reports.join("\n\n"))
        })
    };
    files.into_iter().map(of_file).collect()
}

fn over_http2(name: &str) -> String {
    format!("{name} (over HTTP/2)")
}

/// Whether the arguments select a test, as libtest-mimic decides.
fn selects(arguments: &Arguments, name: &str) -> bool {
    let matches = |text: &String| if arguments.exact { name == text } else { name.contains(text.as_str()) };
    arguments.filter.as_ref().is_none_or(matches) && !arguments.skip.iter().any(matches)
}

/// A session that starts with the first test that needs it.
#[derive(Clone)]
struct Lazy(Arc<(Corpus, OnceLock<Result<Session, String>>)>);

impl Lazy {
    fn new(corpus: Corpus) -> Self {
        Self(Arc::new((corpus, OnceLock::new())))
    }

    fn trial(&self, name: &str, report: impl FnOnce(&Session) -> Option<String> + Send + 'static) -> Trial {
        let session = self.clone();
        trial(name, move || {
            let (corpus, session) = &*session.0;
            match session.get_or_init(|| Session::run(corpus)) {
                Ok(session) => report(session),
                Err(error) => Some(error.clone()),
            }
        })
    }
}

/// What was seen of all cases in one Envoy.
struct Session {
    corpus: Corpus,
    plan: Plan,
    /// By name, and whether the case was sent over HTTP/2 in addition.
    outcomes: BTreeMap<(String, bool), Result<Outcome, String>>,
    refused: BTreeMap<String, Result<(), Vec<String>>>,
    warnings: BTreeMap<String, Result<Vec<String>, Vec<String>>>,
    counters: BTreeMap<String, u64>,
    log: Vec<ModuleLine>,
    /// The end of Envoy's log.
    explanation: String,
}

impl Session {
    /// Sends all cases; an Envoy that does not start is the same error for all of them.
    fn run(corpus: &Corpus) -> Result<Self, String> {
        catch_unwind(AssertUnwindSafe(|| Self::new(corpus))).map_err(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
        })
    }

    fn new(corpus: &Corpus) -> Self {
        let plan = Plan::of(corpus);
        let upstream = Upstream::start();
        let gateway = plan.start(corpus, &upstream);
        let addresses = gateway.addresses();

        let as_written = corpus.cases.iter().map(|case| (case, case.protocol, false));
        let over_http2 = corpus.cases.iter().filter(|case| goes_over_http2_too(case));
        let requests: Vec<_> = as_written.chain(over_http2.map(|case| (case, Protocol::Http2, true))).collect();
        let seen: Vec<_> =
            requests.iter().map(|(case, protocol, _)| sent(&upstream, &addresses, &plan, case, *protocol)).collect();

        let answered = seen.iter().filter(|seen| seen.is_ok()).count();
        // A port that is free again may serve twice; the rows of one pair of ports are in the requests' order.
        let mut rows: BTreeMap<_, VecDeque<Row>> = BTreeMap::new();
        for row in gateway.rows(answered) {
            rows.entry(row.connection).or_default().push_back(row);
        }
        let outcomes = requests.iter().zip(seen).map(|((case, _, again), seen)| {
            ((case.name.clone(), *again), seen.and_then(|seen| outcome(case, seen, &mut rows)))
        });
        let outcomes = outcomes.collect();
        let (refused, warnings) = configurations(corpus, &gateway, &addresses);
        Self {
            corpus: corpus.clone(),
            plan,
            outcomes,
            refused,
            warnings,
            counters: gateway.counters(),
            log: gateway.module_log(),
            explanation: gateway.explanation(),
        }
    }

    fn case(&self, case: &Case, again: bool) -> Option<String> {
        let Some(outcome) = self.outcomes.get(&(case.name.clone(), again)) else {
            return Some(format!("{}: it was not sent", case.at));
        };
        let report = case.report(outcome)?;
        Some(if outcome.is_err() { format!("{report}\n{}", self.explanation) } else { report })
    }

    /// Each request adds one to the counter of its record.
    fn counters(&self) -> Option<String> {
        let mut counted: BTreeMap<String, u64> = BTreeMap::new();
        let mut outcomes = 0;
        for outcome in self.outcomes.values().flatten() {
            outcomes += 1;
            if let Some(counter) = corpus::counter(&outcome.record) {
                *counted.entry(counter).or_default() += 1;
            }
        }
        // Of requests whose record has not all parts, only the number is known.
        let is_counted = counted.iter().all(|(name, count)| self.counters.get(name).is_some_and(|own| own >= count));
        let is_sum = self.counters.values().sum::<u64>() == outcomes;
        (!is_counted || !is_sum).then(|| format!("expected {counted:#?}, got {:#?}", self.counters))
    }

    /// No line shows a secret of the configuration, or of a request that the listener has had; panics where one does.
    fn secrets(&self) -> Option<String> {
        let mut of_site: BTreeMap<&str, BTreeSet<Vec<u8>>> = BTreeMap::new();
        for case in &self.corpus.cases {
            let secrets = corpus::secrets_of(&self.corpus, case);
            of_site.entry(self.plan.site(case)).or_default().extend(secrets);
        }
        let public: BTreeSet<&[u8]> =
            self.corpus.cases.iter().flat_map(|case| case.record.values().flatten()).map(String::as_bytes).collect();
        for line in self.log.iter().filter(|line| line.level == "debug") {
            let Some(secrets) = of_site.get(line.plugin.as_str()) else { continue };
            let secrets = secrets.iter().filter(|secret| !public.contains(secret.as_slice())).cloned().collect();
            corpus::assert_no_secret_in([line.text.as_str()], &secrets, &line.plugin);
        }
        None
    }
}

/// Whether HTTP/2 can say the same: it knows no headers of the connection, and joins cookies.
fn goes_over_http2_too(case: &Case) -> bool {
    const OF_HTTP1: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];
    let of_http1 = OF_HTTP1.iter().any(|name| case.request.has(name));
    case.protocol == Protocol::Http1 && !of_http1 && case.request.values("cookie").count() < 2
}

/// File and name of a configuration, and the cluster.
type SiteKey = (String, String, Option<String>);

/// Which listeners there must be.
struct Plan {
    /// One for each pair of configuration and cluster that occurs; the value names the listener.
    sites: BTreeMap<SiteKey, String>,
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

    fn key(case: &Case) -> SiteKey {
        let Configuration { file, name, .. } = &*case.configuration;
        (file.clone(), name.clone(), case.cluster.clone())
    }

    /// The name of the listener that a case is sent to.
    fn site(&self, case: &Case) -> &str {
        &self.sites[&Self::key(case)]
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
        for (at, warning) in corpus.warnings.iter().enumerate() {
            listeners.push(site(&format!("warning-{at}"), &warning.json, Some("upstream")));
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
    let name = plan.site(case);
    let listener =
        *addresses.get(name).ok_or_else(|| format!("the configuration `{}` does not load", case.configuration.name))?;
    let (host, id) = (case.host(), case.request_id());
    let identities = gateway::identity_headers(case);
    let mut extra = vec![("host", host.as_slice()), ("x-request-id", id.as_bytes())];
    extra.extend(identities.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
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

/// By the name of a configuration: what came of loading it, or the errors.
type Loaded<T> = BTreeMap<String, Result<T, Vec<String>>>;

/// Whether configurations are refused and warned about, by the log.
fn configurations(
    corpus: &Corpus,
    gateway: &Gateway,
    addresses: &BTreeMap<String, SocketAddr>,
) -> (Loaded<()>, Loaded<Vec<String>>) {
    let log = gateway.module_log();
    let lines = |plugin: &str, level: &str| {
        // Each worker and the main thread load the configuration, and each logs the same.
        let mut lines: Vec<String> = Vec::new();
        for line in log.iter().filter(|line| line.plugin == plugin && line.level == level) {
            if !lines.contains(&line.text) {
                lines.push(line.text.clone());
            }
        }
        lines
    };
    let refused = corpus.refused.iter().enumerate().map(|(at, refused)| {
        let plugin = format!("refused-{at}");
        let loaded = if addresses.contains_key(&plugin) { Ok(()) } else { Err(lines(&plugin, "error")) };
        (refused.name.clone(), loaded)
    });
    let warnings = corpus.warnings.iter().enumerate().map(|(at, warning)| {
        let plugin = format!("warning-{at}");
        let loads = addresses.contains_key(&plugin);
        (warning.name.clone(), if loads { Ok(lines(&plugin, "warning")) } else { Err(lines(&plugin, "error")) })
    });
    (refused.collect(), warnings.collect())
}
