//! Secrets that Envoy delivers and that rotate while requests come, by files that are moved into place.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use byok_testkit::gateway::{Gateway, OK, Upstream, set_routes, until};
use byok_testkit::site::{address, arrived, ask, gateway_listener, value};
use serde_json::{Value, json};
use tempfile::TempDir;

const WORKERS: u32 = 2;
const ROTATIONS: u32 = 8;
const CLIENTS: u32 = 4;

/// The secrets of one gateway.
struct Secrets(TempDir);

impl Secrets {
    fn new(secrets: &[(&str, &str)]) -> Self {
        let files = Self(tempfile::tempdir().expect("a temporary directory"));
        files.put(secrets);
        files
    }

    /// Replaces the files of these secrets: Envoy takes one secret from a file.
    fn put(&self, secrets: &[(&str, &str)]) {
        for (name, value) in secrets {
            let resource = json!({
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
                "name": name, "generic_secret": { "secret": { "inline_string": value } } });
            let fresh = self.0.path().join("next");
            fs::write(&fresh, json!({ "resources": [resource] }).to_string()).expect("a writable file");
            fs::rename(fresh, self.0.path().join(format!("{name}.json"))).expect("the file moves");
        }
    }

    fn source(&self) -> Value {
        json!({ "path_config_source": { "path": self.0.path().join("{name}.json") } })
    }
}

/// Both keys of a caller who changes from one to the other, and the deployment key, are Envoy's to deliver.
fn configuration(source: &Value) -> Value {
    json!({
        "sds_config": source,
        "consumers": [ { "name": "team-a", "keys": [
            { "id": "odd", "sds_secret": "odd" }, { "id": "even", "sds_secret": "even" } ] } ],
        "providers": { "anthropic": { "deployment_key": { "sds_secret": "deployment" } } },
        "identity_headers": { "consumer": "x-consumer-username" },
    })
}

fn start(upstream: &Upstream, listener: &Value) -> Gateway {
    Gateway::start_with(&[("upstream", upstream)], std::slice::from_ref(listener), |_, options| {
        options.concurrency = WORKERS;
    })
}

fn proxy_key(generation: u32) -> String {
    format!("proxy-EXAMPLE-{generation}")
}

fn deployment_key(generation: u32) -> String {
    format!("sk-ant-api03-EXAMPLE-deployment-{generation}")
}

fn put(secrets: &Secrets, generation: u32) {
    let name = if generation.is_multiple_of(2) { "even" } else { "odd" };
    secrets.put(&[(name, &proxy_key(generation)), ("deployment", &deployment_key(generation))]);
}

fn status(address: SocketAddr, key: &str) -> u16 {
    ask(address, &format!("POST /v1/messages\nauthorization: Bearer {key}")).status
}

/// Each client goes over to the key of the next generation as soon as that one holds.
#[test]
fn secrets_rotate_under_load_and_no_request_sees_neither_the_old_nor_the_new_one() {
    let secrets = Secrets::new(&[("even", &proxy_key(0))]);
    put(&secrets, 1);
    let upstream = Upstream::start();
    let gateway = start(&upstream, &gateway_listener(&configuration(&secrets.source()).to_string()));
    let address = address(&gateway);
    let (is_over, newest) = (AtomicBool::new(false), AtomicU32::new(1));
    let served = thread::scope(|scope| {
        let client = || {
            let mut served = BTreeMap::<u32, u32>::new();
            let mut key = 1;
            while !is_over.load(Ordering::Relaxed) {
                // The key of before the last rotation holds still; the next one may hold already.
                if status(address, &proxy_key(key + 1)) == 200 {
                    key += 1;
                } else {
                    let refused = status(address, &proxy_key(key));
                    assert_eq!(
                        refused,
                        200,
                        "key {key} of {}: {}",
                        newest.load(Ordering::Relaxed),
                        gateway.explanation()
                    );
                }
                *served.entry(key).or_default() += 1;
            }
            served
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        for generation in 2..=ROTATIONS {
            newest.store(generation, Ordering::Relaxed);
            put(&secrets, generation);
            let took_over = until(|| (status(address, &proxy_key(generation)) == 200).then_some(()));
            assert!(took_over.is_some(), "{generation}: {}", gateway.explanation());
            thread::sleep(Duration::from_millis(200));
        }
        is_over.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().expect("a client")).collect::<Vec<_>>()
    });
    for served in &served {
        assert_eq!(served.keys().max(), Some(&ROTATIONS), "{served:?}");
    }
    let mut last = 1;
    let arrivals = upstream.take();
    assert!(arrivals.len() > 200, "{}", arrivals.len());
    let deployment_keys: Vec<u32> = arrivals
        .iter()
        .map(|message| {
            let key = value(message, "x-api-key").expect("a deployment key");
            let generation = (1..=ROTATIONS).find(|generation| key == deployment_key(*generation));
            generation.unwrap_or_else(|| panic!("no deployment key: {key}"))
        })
        .collect();
    for generation in deployment_keys {
        // Requests that were decided at once arrive in any order.
        assert!(generation + 1 >= last, "the deployment key goes back from {last} to {generation}");
        last = last.max(generation);
    }
    assert_eq!(last, ROTATIONS);
    println!("{} requests, per client and key: {served:?}", arrivals.len());
    // The key of before the last rotation but one has gone.
    assert_eq!(status(address, &proxy_key(ROTATIONS - 2)), 401);
    assert_eq!(status(address, &proxy_key(ROTATIONS - 1)), 200);
}

#[test]
fn a_redirect_across_a_rotation_does_not_lose_the_caller() {
    let secrets = Secrets::new(&[("even", &proxy_key(0))]);
    put(&secrets, 1);
    let source = secrets.source();
    // The secrets rotate while the upstream thinks about where to send the request on to.
    let upstream = Upstream::answering(move |message| {
        if !message.path.as_deref().unwrap_or_default().ends_with(b"/first") {
            return OK.to_owned();
        }
        put(&secrets, 5);
        thread::sleep(Duration::from_secs(1));
        "HTTP/1.1 302 Found\r\nlocation: http://llm.example.com/v1/messages\r\ncontent-length: 0\r\n\r\n".to_owned()
    });
    let mut listener = gateway_listener(&configuration(&source).to_string());
    let policy = json!({ "max_internal_redirects": 1 });
    set_routes(
        &mut listener,
        json!([ { "match": { "prefix": "/" }, "route": { "cluster": "upstream", "internal_redirect_policy": policy } } ]),
    );
    let gateway = start(&upstream, &listener);
    let address = address(&gateway);
    let answer = ask(address, &format!("POST /first\nauthorization: Bearer {}", proxy_key(1)));
    assert_eq!(answer.status, 200, "{}", gateway.explanation());
    let arrivals = upstream.take();
    let sent: Vec<_> = arrivals.iter().map(|message| value(message, "x-api-key")).collect();
    assert_eq!(sent, [Some(deployment_key(1)), Some(deployment_key(5))], "{}", gateway.explanation());
    for message in &arrivals {
        assert_eq!(value(message, "x-consumer-username").as_deref(), Some("team-a"));
        assert!(!message.to_string().contains("proxy-EXAMPLE"), "{message}");
    }
    assert_eq!(status(address, &proxy_key(1)), 401);
}

#[test]
fn requests_are_refused_until_every_secret_is_there() {
    let secrets = Secrets::new(&[("even", &proxy_key(0)), ("odd", &proxy_key(1))]);
    // Envoy wants the file to be there.
    fs::write(secrets.0.path().join("deployment.json"), r#"{ "resources": [] }"#).expect("a writable file");
    let mut source = secrets.source();
    source["initial_fetch_timeout"] = json!("0.2s");
    let upstream = Upstream::start();
    let gateway = start(&upstream, &gateway_listener(&configuration(&source).to_string()));
    let address = address(&gateway);
    let answer = ask(address, &format!("POST /v1/messages\nauthorization: Bearer {}", proxy_key(1)));
    assert_eq!(answer.status, 503, "{}", gateway.explanation());
    assert!(upstream.take().is_empty());
    put(&secrets, 1);
    let delivered = until(|| (status(address, &proxy_key(1)) == 200).then_some(()));
    assert!(delivered.is_some(), "{}", gateway.explanation());
    upstream.take();

    // What cannot be used is reported once, and the secret of before still holds.
    let bad = "two words";
    secrets.put(&[("deployment", bad)]);
    let errors = || -> Vec<_> { gateway.module_log().into_iter().filter(|line| line.level == "error").collect() };
    assert!(until(|| (!errors().is_empty()).then_some(())).is_some(), "{}", gateway.explanation());
    thread::sleep(Duration::from_millis(300));
    let errors = errors();
    let expected = "providers.anthropic.deployment_key.sds_secret: expected a secret of visible ASCII characters";
    assert!(errors.len() == 1 && errors[0].text.ends_with(expected), "{errors:?}");
    assert!(!gateway.envoy.log().contains(bad), "{}", gateway.explanation());
    assert_eq!(status(address, &proxy_key(1)), 200);
    assert_eq!(value(&arrived(&upstream), "x-api-key"), Some(deployment_key(1)));
}

#[test]
fn a_static_secret_that_the_bootstrap_does_not_have_is_refused() {
    let upstream = Upstream::start();
    let configuration = json!({
        "consumers": [ { "name": "team-a", "keys": [ { "id": "1", "sds_secret": "key" } ] } ] });
    let listener = gateway_listener(&configuration.to_string());
    let gateway = start(&upstream, &listener);
    assert!(gateway.addresses().is_empty());
    let expected =
        "consumers[0].keys[0].sds_secret: expected the name of a secret that Envoy has or gets by sds_config";
    assert!(gateway.module_log().iter().any(|line| line.text == expected), "{}", gateway.explanation());
    drop(gateway);

    let gateway = Gateway::start_with(&[("upstream", &upstream)], &[listener], |bootstrap, _| {
        bootstrap["static_resources"]["secrets"] =
            json!([ { "name": "key", "generic_secret": { "secret": { "inline_string": "proxy-EXAMPLE-1\n" } } } ]);
    });
    assert_eq!(status(address(&gateway), "proxy-EXAMPLE-1"), 200, "{}", gateway.explanation());
}
