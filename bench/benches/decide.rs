//! `make bench-core`: the decision natively, without Envoy, and the reading of a large configuration.
//!
//! *Hot*, one decision follows another, and everything it touches is in the caches. *Cold*, 32 MB are touched between two
//! decisions, as Envoy's own work for a request drives the filter's code and data out of the caches: nearer to what a
//! request meets, and five times as much.
#![allow(clippy::expect_used, clippy::panic, reason = "a benchmark stops where it fails")]

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use byok_bench::keys::{CLIENT_KEY, DEPLOYMENT_KEY, DEPLOYMENT_VARIABLE, configuration, proxy_key};
use byok_bench::requests::{PATH, lines};
use byok_core::{Context, Decision, Policy, RequestHeaders, decide};
use criterion::{BatchSize, Criterion};
use serde_json::{Value, json};

const MANY_KEYS: usize = 100_000;

/// With as many different requests in every case, caches are as warm in one as in the other.
const REQUESTS_IN_TURN: usize = 1024;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut medians = Vec::new();
    for case in cases() {
        let hot = case.measure(&mut criterion, None);
        let cold = case.also_cold.then(|| case.measure(&mut criterion, Some(&mut Eviction::new()))).flatten();
        if case.name == BYOK {
            medians = vec![("hot", hot, 0.8), ("cold", cold, 5.0)];
        }
    }
    reading_headers(&mut criterion);
    reading_configurations(&mut criterion);
    criterion.final_summary();
    for (how, median, limit) in medians {
        let Some(median) = median else { continue };
        let result = if median <= limit { "reached" } else { "not reached" };
        println!("`decide()` natively, {how}: {median:.2} µs at the median, limit {limit} µs: {result}");
    }
}

/// The case that the bars are about.
const BYOK: &str = "BYOK";

/// A configuration, requests that are decided about in turn, and what must come of them.
struct Case {
    name: &'static str,
    policy: Policy,
    path: &'static str,
    credentials: Vec<Vec<(&'static str, String)>>,
    /// Reason and credential source.
    expected: (&'static str, &'static str),
    also_cold: bool,
}

fn cases() -> Vec<Case> {
    let case = |name, keys, credentials: &dyn Fn(String) -> Vec<(&'static str, String)>, expected| Case {
        name,
        policy: policy(&configuration(keys)),
        path: PATH,
        credentials: (0..REQUESTS_IN_TURN).map(|n| credentials(proxy_key(n * keys / REQUESTS_IN_TURN))).collect(),
        expected,
        also_cold: true,
    };
    let copies = |name, copies, names_differ| Case {
        name,
        policy: policy(&configuration(10)),
        path: PATH,
        credentials: vec![lines_with(proxy_key(0), copies, names_differ)],
        expected: ("verified", "deployment"),
        also_cold: false,
    };
    let byok = |key| both(key, "x-api-key", CLIENT_KEY);
    let oauth = |key| both(key, "authorization", "Bearer sk-ant-oat01-EXAMPLE-token-of-the-client");
    let alone = |key| vec![("x-litellm-api-key", key)];
    let unknown = |key| both(format!("{key}-unknown"), "x-api-key", CLIENT_KEY);
    vec![
        case(BYOK, 10, &byok, ("verified", "client")),
        case("deployment key", 10, &alone, ("verified", "deployment")),
        case("OAuth", 10, &oauth, ("verified", "client_oauth")),
        case("refusal: no key", 10, &|_| Vec::new(), ("missing_api_key", "none")),
        case("refusal: unknown key", 10, &unknown, ("unknown_api_key", "none")),
        Case {
            policy: policy(&routes()),
            path: "/v1/messages/a%2Fb/.//c%20d?beta=true",
            ..case("BYOK, path that is normalized", 10, &byok, ("verified", "client"))
        },
        case("BYOK, 100,000 keys", MANY_KEYS, &byok, ("verified", "client")),
        // What a request costs grows with its lines, and no faster.
        copies("500 lines of one name are the key", 500, false),
        copies("4,000 lines of one name are the key", 4_000, false),
        copies("500 names hold the key", 500, true),
        copies("4,000 names hold the key", 4_000, true),
    ]
}

impl Case {
    /// Returns the median of a decision in microseconds; `None` where the command line leaves the case out.
    fn measure(&self, criterion: &mut Criterion, mut eviction: Option<&mut Eviction>) -> Option<f64> {
        let requests: Vec<_> = self.credentials.iter().map(|credentials| request(self.path, credentials)).collect();
        let context = Context::default();
        for request in &requests {
            self.check(&decide(&self.policy, request, &context));
        }
        let mut requests = requests.iter().cycle();
        let mut decide_next = || {
            let request = requests.next().expect("there are requests");
            black_box(decide(black_box(&self.policy), black_box(request), black_box(&context)));
        };
        let samples = RefCell::new(Vec::new());
        let mut group = criterion.benchmark_group(if eviction.is_some() { "decide, cold" } else { "decide" });
        let sample_count = if eviction.is_some() { 20 } else { 100 };
        group.sample_size(sample_count);
        group.bench_function(self.name, |bencher| {
            bencher.iter_custom(|count| {
                let elapsed = match &mut eviction {
                    None => timed(|| (0..count).for_each(|_| decide_next())),
                    Some(eviction) => (0..count)
                        .map(|_| {
                            eviction.touch();
                            timed(&mut decide_next)
                        })
                        .sum(),
                };
                samples.borrow_mut().push(elapsed.as_secs_f64() * 1e6 / count as f64);
                elapsed
            });
        });
        group.finish();
        // The first ones are those of the warm-up.
        median(samples.into_inner().into_iter().rev().take(sample_count).collect())
    }

    /// A path of errors must not be measured in place of the one that is meant.
    fn check(&self, decision: &Decision<'_>) {
        let (Decision::Allow { effect, .. } | Decision::Deny { effect, .. }) = decision else {
            panic!("{}: nothing can be asked here", self.name)
        };
        let entry = |name| effect.entries().find(|(entry, _)| *entry == name).map_or("", |(_, value)| value);
        assert_eq!((entry("byok.reason"), entry("byok.credential_source")), self.expected, "{}", self.name);
    }
}

/// Memory that is touched between two decisions.
struct Eviction(Vec<u8>);

impl Eviction {
    const BYTES: usize = 32 << 20;
    const CACHE_LINE: usize = 64;

    fn new() -> Self {
        Self(vec![1; Self::BYTES])
    }

    /// Writes to every cache line.
    fn touch(&mut self) {
        for byte in self.0.iter_mut().step_by(Self::CACHE_LINE) {
            *byte = byte.wrapping_add(1);
        }
        black_box(&self.0);
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn reading_headers(criterion: &mut Criterion) {
    let credentials = both(proxy_key(3), "x-api-key", CLIENT_KEY);
    let map = serialised(&lines(PATH, &credentials));
    let count = RequestHeaders::from_map(&map).map(|headers| headers.lines().count());
    assert_eq!(count, Some(lines(PATH, &credentials).len()));
    criterion.bench_function("RequestHeaders::from_map", |bencher| {
        bencher.iter(|| black_box(RequestHeaders::from_map(black_box(&map))).is_some());
    });
}

fn reading_configurations(criterion: &mut Criterion) {
    let json = configuration(MANY_KEYS);
    let mut group = criterion.benchmark_group("Policy::from_json");
    group.sample_size(10);
    group.bench_function("100,000 keys", |bencher| {
        // What is measured does not include giving the memory back.
        bencher.iter_batched(|| (), |()| policy(black_box(&json)), BatchSize::PerIteration);
    });
    group.finish();
}

fn policy(json: &str) -> Policy {
    let environment = |name: &str| (name == DEPLOYMENT_VARIABLE).then(|| DEPLOYMENT_KEY.to_owned());
    Policy::from_json(json.as_bytes(), &environment).expect("the configuration holds").policy
}

/// Ten keys, and routes that make every path count.
fn routes() -> String {
    let mut configuration: Value = serde_json::from_str(&configuration(10)).expect("the configuration is JSON");
    let routes = json!([
        { "match": { "path": "/health/liveliness" }, "mode": "off" },
        { "match": { "path_prefix": "/v1/messages" }, "provider": "anthropic" },
    ]);
    configuration.as_object_mut().expect("it is an object").insert("routes".to_owned(), routes);
    configuration.to_string()
}

fn both(proxy_key: String, header: &'static str, client: &str) -> Vec<(&'static str, String)> {
    vec![("x-litellm-api-key", proxy_key), (header, client.to_owned())]
}

/// The proxy key, and copies of it in lines of one name or of as many.
fn lines_with(proxy_key: String, copies: usize, names_differ: bool) -> Vec<(&'static str, String)> {
    static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| (0..4_000).map(|at| format!("x-copy-{at}")).collect());
    let name = |at: usize| NAMES.get(if names_differ { at } else { 0 }).map_or("", |name| name);
    let copies = (0..copies).map(|at| (name(at), proxy_key.clone()));
    [("x-litellm-api-key", proxy_key.clone())].into_iter().chain(copies).collect()
}

fn request<'a>(path: &'a str, credentials: &'a [(&str, String)]) -> RequestHeaders<'a> {
    RequestHeaders::from_lines(lines(path, credentials))
}

/// Writes lines as the proxy-wasm ABI does.
fn serialised(lines: &[(&[u8], &[u8])]) -> Vec<u8> {
    let number = |size: usize| u32::try_from(size).expect("the headers are small").to_le_bytes();
    let sizes = lines.iter().flat_map(|(name, value)| [number(name.len()), number(value.len())].concat());
    let fields = lines.iter().flat_map(|(name, value)| [name, &b"\0"[..], value, &b"\0"[..]].concat());
    number(lines.len()).into_iter().chain(sizes).chain(fields).collect()
}
