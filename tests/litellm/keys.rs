//! Keys that LiteLLM alone knows, verified by LiteLLM's own `/key/info`.
//!
//! LiteLLM and its endpoint are real, the database is not: prisma's query engine is downloaded from outside by every
//! package that has one. `keys.py` keeps LiteLLM's rows in memory instead.

use std::thread;
use std::time::{Duration, Instant};

use byok_testkit::envoy::Envoy;
use serde_json::{Value, json};

use crate::launcher::LiteLlm;
use crate::provider::Provider;
use crate::symbols::{self, LITELLM_KEY, Seen};
use crate::{gateway, http, issuer};

const GOOD: &str = "sk-EXAMPLE-virtual-good";
const NAMELESS: &str = "sk-EXAMPLE-virtual-nameless";
const BLOCKED: &str = "sk-EXAMPLE-virtual-blocked";
const EXPIRED: &str = "sk-EXAMPLE-virtual-expired";
const UNKNOWN: &str = "sk-EXAMPLE-virtual-unknown";

/// A request with `key` for `M`, what must become of it, and what the access log must say.
struct Case {
    sentence: &'static str,
    key: &'static str,
    headers: &'static [(&'static str, &'static str)],
    arrives: &'static str,
    record: &'static [(&'static str, &'static str)],
}

const CASES: &[Case] = &[
    Case {
        sentence: "a key of LiteLLM's passes, its alias is the consumer",
        key: GOOD,
        headers: &[("x-litellm-api-key", "M")],
        arrives: "D",
        record: &[
            ("decision", "allow"),
            ("reason", "verified"),
            ("consumer", "service:team-x"),
            ("auth_source", "x-litellm-api-key"),
            ("credential_source", "none"),
        ],
    },
    Case {
        sentence: "so it does beside a key of the client's",
        key: GOOD,
        headers: &[("authorization", "Bearer M"), ("x-api-key", "K")],
        arrives: "K",
        record: &[("consumer", "service:team-x"), ("auth_source", "authorization"), ("credential_source", "client")],
    },
    Case {
        sentence: "a copy of it does not leak",
        key: GOOD,
        headers: &[("authorization", "Bearer M"), ("x-api-key", "M")],
        arrives: "D",
        record: &[("consumer", "service:team-x"), ("auth_source", "authorization")],
    },
    Case {
        sentence: "a guess before it changes nothing",
        key: GOOD,
        headers: &[("x-litellm-api-key", "sk-EXAMPLE-virtual-unknown"), ("authorization", "Bearer M")],
        arrives: "D",
        record: &[("consumer", "service:team-x"), ("auth_source", "authorization")],
    },
    Case {
        sentence: "without an alias the consumer is `service`",
        key: NAMELESS,
        headers: &[("x-litellm-api-key", "M")],
        arrives: "D",
        record: &[("reason", "verified"), ("consumer", "service")],
    },
    Case {
        sentence: "a blocked key is refused",
        key: BLOCKED,
        headers: &[("x-litellm-api-key", "M")],
        arrives: "401",
        record: &[("decision", "deny"), ("reason", "disabled_api_key"), ("consumer", "service:team-blocked")],
    },
    Case {
        sentence: "an expired key is refused",
        key: EXPIRED,
        headers: &[("x-litellm-api-key", "M")],
        arrives: "401",
        record: &[("decision", "deny"), ("reason", "expired_api_key"), ("consumer", "service:team-expired")],
    },
    Case {
        sentence: "a key that LiteLLM does not know is refused",
        key: UNKNOWN,
        headers: &[("x-litellm-api-key", "M")],
        arrives: "401",
        record: &[("decision", "deny"), ("reason", "unknown_api_key")],
    },
    Case {
        sentence: "an Anthropic key is none, and LiteLLM is not asked",
        key: UNKNOWN,
        headers: &[("x-api-key", "K")],
        arrives: "401",
        record: &[("decision", "deny"), ("reason", "unknown_api_key")],
    },
];

/// Each of the five keys once, however often it comes.
const QUESTIONS: usize = 5;

#[test]
#[ignore = "installs and starts LiteLLM: make test-litellm"]
fn keys_that_litellm_alone_knows() {
    let provider = Provider::start();
    let litellm = issuer::start(provider.address(), true, include_str!("keys.py"));
    issue(&litellm);
    let envoy = gateway::start(Some(&configuration("60s")), litellm.address());

    let mut failures = Vec::new();
    for (number, case) in CASES.iter().enumerate() {
        let seen = sent(case.key, case.headers, &envoy, &provider);
        let record = gateway::record(&envoy, number);
        let mut faults = seen.faults();
        if seen.shown() != case.arrives {
            faults.push(format!("{} instead of {}: {}", seen.shown(), case.arrives, seen.answer.body));
        }
        let differs = |(part, value): &&(&str, &str)| record[*part] != *value;
        faults.extend(case.record.iter().filter(differs).map(|part| format!("expected {part:?} in {record}")));
        println!("{:60} {:4} {}", case.sentence, seen.shown(), record["reason"]);
        failures.extend(faults.into_iter().map(|fault| format!("{}: {fault}", case.sentence)));
    }
    let asked = litellm.log().matches("\"GET /key/info").count();
    if asked != QUESTIONS {
        failures.push(format!("LiteLLM was asked {asked} times, not {QUESTIONS}"));
    }
    assert!(failures.is_empty(), "{}\n{}", failures.join("\n"), issuer::explanation(&litellm));

    a_key_that_is_blocked_while_in_use(&litellm, &provider);
    a_service_key_that_litellm_refuses(&litellm, &provider);
    an_outage_of_litellm(litellm, &provider);
}

/// It counts until what the filter remembers of it is stale.
fn a_key_that_is_blocked_while_in_use(litellm: &LiteLlm, provider: &Provider) {
    let envoy = gateway::start(Some(&configuration("1s")), litellm.address());
    let send = || sent(GOOD, &[("x-litellm-api-key", "M")], &envoy, provider);
    assert_eq!(send().shown(), "D");

    post(litellm, "/key/block", &json!({ "key": GOOD }));
    let deadline = Instant::now() + Duration::from_secs(30);
    for number in 1.. {
        let seen = send();
        let record = gateway::record(&envoy, number);
        if record["reason"] == "disabled_api_key" {
            assert_eq!(seen.shown(), "401");
            return;
        }
        // LiteLLM itself knows at once.
        assert_eq!((seen.shown().as_str(), &record["reason"]), ("401 LiteLLM", &json!("verified")));
        assert!(Instant::now() < deadline, "the filter still takes a blocked key: {record}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Callers are told that their keys can't be checked, not that they are unknown.
fn a_service_key_that_litellm_refuses(litellm: &LiteLlm, provider: &Provider) {
    let mut configuration = configuration("60s");
    configuration["verification_service"]["service_key"]["value"] = json!("sk-EXAMPLE-nobodys-service-key");
    let envoy = gateway::start(Some(&configuration), litellm.address());
    for (number, key) in [NAMELESS, BLOCKED, UNKNOWN].into_iter().enumerate() {
        let seen = sent(key, &[("x-litellm-api-key", "M")], &envoy, provider);
        let record = gateway::record(&envoy, number);
        assert_eq!((seen.shown().as_str(), &record["reason"]), ("503", &json!("verification_unavailable")), "{record}");
    }
    assert_eq!(envoy.log().matches("the service refuses service_key").count(), 1, "{}", envoy.log_end());
    assert!(litellm.log().contains("\" 401"), "{}", issuer::explanation(litellm));
}

/// Only with `stale_if_error` does a key stay valid. Where the requests then go is down too, so the log tells.
fn an_outage_of_litellm(litellm: LiteLlm, provider: &Provider) {
    let with_stale = |stale: &str| {
        let mut configuration = configuration("1s");
        configuration["verification_service"]["stale_if_error"] = json!(stale);
        gateway::start(Some(&configuration), litellm.address())
    };
    let (stale, strict) = (with_stale("10m"), with_stale("0s"));
    let reason = |envoy: &Envoy, key, number| {
        sent(key, &[("x-litellm-api-key", "M")], envoy, provider);
        gateway::record(envoy, number)["reason"].clone()
    };
    for envoy in [&stale, &strict] {
        assert_eq!(reason(envoy, NAMELESS, 0), "verified");
    }
    drop(litellm);
    thread::sleep(Duration::from_millis(1500));
    for number in [1, 2, 3] {
        assert_eq!(reason(&stale, NAMELESS, number), "verified");
        assert_eq!(reason(&strict, NAMELESS, number), "verification_unavailable");
    }
    assert_eq!(reason(&stale, UNKNOWN, 4), "verification_unavailable");
}

fn sent(key: &'static str, headers: &[(&str, &str)], envoy: &Envoy, provider: &Provider) -> Seen {
    let headers = symbols::written(headers, key);
    let answer = http::post(gateway::address(envoy), "/v1/messages", &headers, &http::question("claude"));
    Seen { proxy_key: key, beta: None, answer, arrivals: provider.take() }
}

/// Has LiteLLM make the keys, all but the unknown one.
fn issue(litellm: &LiteLlm) {
    post(litellm, "/database-of-the-test", &json!({}));
    for key in [
        json!({ "key": GOOD, "key_alias": "team-x", "duration": "30d" }),
        json!({ "key": NAMELESS }),
        json!({ "key": BLOCKED, "key_alias": "team-blocked", "blocked": true }),
        json!({ "key": EXPIRED, "key_alias": "team-expired", "duration": "1s" }),
    ] {
        post(litellm, "/key/generate", &key);
    }
    thread::sleep(Duration::from_millis(1500));
}

fn post(litellm: &LiteLlm, path: &str, body: &Value) {
    let master = vec![("authorization".to_owned(), format!("Bearer {LITELLM_KEY}"))];
    let answer = http::post(litellm.address(), path, &master, &body.to_string());
    assert_eq!(answer.status(), 200, "{path}: {}\n{}", answer.body, issuer::explanation(litellm));
}

/// As the example, but nobody is listed.
fn configuration(cache_ttl: &str) -> Value {
    json!({
        "hide_credentials": false,
        "providers": { "litellm": { "byok": "off" } },
        "routes": [ { "match": { "path_prefix": "/v1/messages" }, "byok": "preferred" } ],
        "verification_service": {
            "cluster": "litellm",
            "authority": "litellm.internal",
            "path": "/key/info",
            "send_as": { "sha256_query": "key" },
            "service_key": { "value": LITELLM_KEY },
            "consumer_from": "/info/key_alias",
            "cache_ttl": cache_ttl,
            "negative_cache_ttl": "60s",
        },
    })
}
