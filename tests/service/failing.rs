//! Issuers that are slow, down, or say what nobody can make sense of: fail closed, and recover.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use byok_testkit::service::{ALICE, CONFIGURED, Gate, Issuer, Scene, ask, configuration, json as answer, knows, site};
use serde_json::{Value, json};

const UNAVAILABLE: &str = "verification_unavailable";

#[test]
fn an_issuer_that_is_too_slow_is_unavailable_until_it_answers_in_time() {
    let gate = Gate::default();
    let issuer = Issuer::start({
        let (gate, knows) = (gate.clone(), knows(&[("key", ALICE)]));
        move |call| {
            gate.pass();
            knows(call)
        }
    });
    let scene = Scene::start(&issuer, json!({ "timeout": "500ms" }));
    let begin = Instant::now();
    let refused = scene.ask("key");
    let waited = begin.elapsed();
    scene.assert_refused(&refused, 503, UNAVAILABLE);
    assert!(waited >= Duration::from_millis(490), "{waited:?}");
    assert!(waited < Duration::from_secs(10), "{waited:?}");
    let body: Value = serde_json::from_slice(&refused.body).expect("JSON");
    assert_eq!((&body["type"], &body["error"]["type"]), (&json!("error"), &json!("api_error")));
    assert_eq!(scene.ask(CONFIGURED).status, 200);
    assert_eq!(scene.all_counted(), [1, 0, 1, 0]);

    gate.open();
    assert_eq!(scene.ask("key").status, 200, "{}", scene.gateway.explanation());
    assert_eq!(scene.upstream.take().len(), 2);
    assert_eq!(scene.all_counted(), [2, 0, 1, 0]);
}

#[test]
fn an_issuer_that_comes_and_goes_is_asked_each_time() {
    // Nobody listens on this port at first.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
    let unused = Issuer::start(|_| String::new());
    let scene = Scene::start_at(&unused, port, json!({ "cache_ttl": "0s", "timeout": "5s" }));
    for _ in 0..3 {
        scene.assert_refused(&scene.ask("key"), 503, UNAVAILABLE);
        assert_eq!(scene.ask(CONFIGURED).status, 200);
    }

    let flaps = AtomicUsize::new(0);
    let knows = knows(&[("key", ALICE)]);
    let _issuer = Issuer::start_at(TcpListener::bind(port).expect("the port is still free"), move |call| {
        if flaps.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) { knows(call) } else { String::new() }
    });
    let statuses: Vec<u16> = (0..6).map(|_| scene.ask("key").status).collect();
    assert_eq!(statuses, [200, 503, 200, 503, 200, 503], "{}", scene.gateway.explanation());
    assert_eq!(scene.all_counted(), [9, 0, 6, 0]);
}

#[test]
fn calls_that_envoy_does_not_even_make_stop_nothing() {
    let issuer = Issuer::start(knows(&[("key", ALICE)]));
    let sites = [
        ("unknown", json!({ "cluster": "nowhere" })),
        ("empty", json!({ "cluster": "empty" })),
        ("full", json!({ "cluster": "full" })),
        ("authority", json!({ "authority": r#"<>"{}|\^`@:/?"# })),
        ("expect", json!({ "send_as": { "header": "expect" } })),
        ("gateway", json!({})),
    ];
    let sites = sites.map(|(name, service)| site(name, &configuration(service)));
    let scene = Scene::start_with(&[("issuer", issuer.server()), ("full", issuer.server())], &sites, |bootstrap, _| {
        let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().expect("clusters");
        clusters[1]["circuit_breakers"] = json!({ "thresholds": [
            { "max_connections": 0, "max_pending_requests": 0, "max_requests": 0 } ] });
        clusters.push(json!({ "name": "empty", "type": "STATIC", "load_assignment": { "cluster_name": "empty" } }));
    });
    for round in 0..3 {
        for name in ["unknown", "empty", "full"] {
            let address = scene.address_of(name);
            // Several at once are told in one tick.
            thread::scope(|scope| {
                for client in 0..4 {
                    let key = format!("{name}-{round}-{client}");
                    let scene = &scene;
                    scope.spawn(move || scene.assert_refused(&ask(address, &key), 503, UNAVAILABLE));
                }
            });
            assert_eq!(ask(address, CONFIGURED).status, 200, "{}", scene.gateway.explanation());
        }
        for name in ["authority", "expect"] {
            let status = ask(scene.address_of(name), "guess-EXAMPLE").status;
            assert!([401, 503].contains(&status), "{name}: {status}");
        }
        assert_eq!(scene.ask("key").status, 200, "{}", scene.gateway.explanation());
    }
    let expected = 3 * 3 * 4;
    assert!(scene.counted("failures") >= expected, "{:?}", scene.all_counted());
}

#[test]
fn in_shadow_a_request_goes_on_as_it_came_whatever_the_issuer_does() {
    let issuer = Issuer::start(|_| answer(500, ""));
    let mut configuration = configuration(json!({}));
    configuration["shadow"] = true.into();
    let scene = Scene::with_sites(&issuer, &[site("gateway", &configuration)]);
    assert_eq!(scene.ask("key").status, 200, "{}", scene.gateway.explanation());
    assert_eq!(scene.arrived().values("x-litellm-api-key").collect::<Vec<_>>(), [b"key"]);
    let record = scene.gateway.rows(1).remove(0).record;
    assert_eq!((&*record["decision"], &*record["reason"]), ("shadow_deny", UNAVAILABLE));
    assert_eq!(issuer.calls(), 1);
}
