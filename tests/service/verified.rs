//! Keys that only the issuer knows.

use byok_core::KeyDigest;
use byok_testkit::corpus::Message;
use byok_testkit::gateway::exchange_http1;
use byok_testkit::service::{
    ALICE, CONFIGURED, DEPLOYMENT_KEY, HOST, Issuer, SERVICE_KEY, Scene, json, knows, path_for,
};
use serde_json::json;

const KEY: &str = "sk-EXAMPLE-of-the-issuer";

#[test]
fn a_key_is_verified_by_its_digest_and_no_callers_secret_leaves_the_filter() {
    let expired = r#"{"info":{"key_alias":"bob","expires":"2020-01-01T00:00:00Z"}}"#;
    let blocked = r#"{"info":{"key_alias":"carol","blocked":true}}"#;
    let issuer = Issuer::start(knows(&[(KEY, ALICE), ("key-EXAMPLE-old", expired), ("key-EXAMPLE-shut", blocked)]));
    let scene = Scene::start(&issuer, json!({}));

    let answer = scene.ask(KEY);
    assert_eq!(answer.status, 200, "{}", scene.gateway.explanation());
    let message = scene.arrived();
    let value = |name| message.values(name).collect::<Vec<_>>();
    assert_eq!(value("x-consumer-username"), [b"service:alice"]);
    assert_eq!(value("x-credential-identifier"), [KeyDigest::of(KEY.as_bytes()).fingerprint().as_bytes()]);
    assert_eq!(value("x-api-key"), [DEPLOYMENT_KEY.as_bytes()]);
    assert!(!message.to_string().contains(KEY), "{message}");
    let record = scene.gateway.rows(1).remove(0).record;
    assert_eq!((&*record["consumer"], &*record["reason"]), ("service:alice", "verified"));

    let calls = issuer.seen();
    assert_eq!(calls.len(), 1);
    let call = &calls[0];
    assert_eq!((&*call.method, call.path.as_deref()), (&b"GET"[..], Some(path_for(KEY).as_bytes())));
    assert_eq!(call.values("authorization").collect::<Vec<_>>(), [format!("Bearer {SERVICE_KEY}").as_bytes()]);
    assert_eq!(call.values("host").collect::<Vec<_>>(), [b"issuer.internal"]);

    scene.assert_refused(&scene.ask("key-EXAMPLE-old"), 401, "expired_api_key");
    scene.assert_refused(&scene.ask("key-EXAMPLE-shut"), 401, "disabled_api_key");
    scene.assert_refused(&scene.ask("guess-EXAMPLE"), 401, "unknown_api_key");
    assert!(scene.upstream.take().is_empty());
    for call in issuer.seen() {
        for secret in [KEY, "key-EXAMPLE-old", "key-EXAMPLE-shut", "guess-EXAMPLE", CONFIGURED] {
            assert!(!call.to_string().contains(secret), "{call}");
        }
    }
    assert!(!scene.gateway.envoy.log().contains(KEY));
}

#[test]
fn a_key_is_verified_by_itself_where_the_service_knows_no_digest() {
    let issuer = Issuer::start(|call| {
        let known = call.values("x-key").collect::<Vec<_>>() == [format!("Token {KEY}").as_bytes()];
        if known { json(200, ALICE) } else { json(403, "") }
    });
    let scene = Scene::start(&issuer, json!({ "send_as": { "header": "X-Key", "scheme": "Token" } }));
    assert_eq!(scene.ask(KEY).status, 200, "{}", scene.gateway.explanation());
    assert_eq!(issuer.seen()[0].path.as_deref(), Some(&b"/key/info"[..]));
    assert_eq!(issuer.seen()[0].values("authorization").count(), 1);
    scene.assert_refused(&scene.ask("guess-EXAMPLE"), 401, "unknown_api_key");
    assert_eq!(issuer.calls(), 2);
}

#[test]
fn nobody_is_asked_about_configured_keys_providers_keys_and_bytes_that_are_no_text() {
    let issuer = Issuer::start(|_| json(200, ALICE));
    let scene = Scene::start(&issuer, json!({ "send_as": { "header": "x-key" } }));
    assert_eq!(scene.ask(CONFIGURED).status, 200, "{}", scene.gateway.explanation());
    for key in ["sk-ant-api03-EXAMPLE-client", r"not\xFFtext", "two words"] {
        scene.assert_refused(&scene.ask(key), 401, "unknown_api_key");
    }
    scene.assert_refused(&scene.ask("sk-ant-oat01-EXAMPLE-client"), 401, "missing_api_key");
    assert_eq!(issuer.calls(), 0);
}

#[test]
fn candidates_are_asked_about_one_after_the_other_and_configured_keys_first() {
    let issuer = Issuer::start(knows(&[(KEY, ALICE)]));
    let scene = Scene::start(&issuer, json!({}));
    let ask = |headers: &str| {
        let message = Message::parse(&format!("POST /v1/messages\n{headers}")).expect("a request");
        exchange_http1(scene.address_of("gateway"), &message, HOST).expect("an answer").status
    };
    // The first is none, so the second is asked about; what stands in two places is asked about once.
    assert_eq!(ask(&format!("x-litellm-api-key: guess\nauthorization: Bearer {KEY}\nx-api-key: {KEY}")), 200);
    assert_eq!(issuer.calls(), 2);
    assert_eq!(ask(&format!("x-litellm-api-key: new-guess\nx-api-key: {CONFIGURED}")), 200);
    assert_eq!(issuer.calls(), 2);
    let arrivals = scene.upstream.take();
    assert!(arrivals.iter().all(|message| !message.to_string().contains(KEY)), "{arrivals:?}");
}

#[test]
fn a_websocket_waits_for_the_verdict_too() {
    let issuer = Issuer::start(knows(&[(KEY, ALICE)]));
    let scene = Scene::start(&issuer, json!({}));
    for (key, status) in [(KEY, 101), ("guess", 401)] {
        let upgrade = format!("GET /v1/realtime\nconnection: Upgrade\nupgrade: websocket\nx-api-key: {key}");
        let message = Message::parse(&upgrade).expect("a request");
        let answer = exchange_http1(scene.address_of("gateway"), &message, HOST).expect("an answer");
        assert_eq!(answer.status, status, "{}", scene.gateway.explanation());
    }
    assert!(!scene.arrived().to_string().contains(KEY));
    assert_eq!(issuer.calls(), 2);
}
