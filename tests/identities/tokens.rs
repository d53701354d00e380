//! Tokens that `jwt_authn` has checked.

use byok_testkit::gateway::{OK, Upstream, set_routes};
use byok_testkit::service::{ALICE, Issuer, knows};
use serde_json::{Value, json};

use crate::scene::{CLIENT_KEY, PROXY_KEY, Scene, check_tokens};
use crate::token::{forged, signed};

fn configuration() -> Value {
    let claim = |name: &str| json!(["metadata", "filter_metadata", "envoy.filters.http.jwt_authn", "company", name]);
    let credential = json!({ "header": "authorization", "scheme": "Bearer" });
    json!({
        "forward_llm_provider_auth_headers": true,
        "identities": [
            { "name": "jwt", "property": claim("sub"), "credential": credential },
            { "name": "group", "property": claim("groups"), "credential": credential } ],
        "consumers": [
            { "name": "team-a", "labels": { "tier": "gold" },
              "identities": [ { "jwt": "alice@example.com" }, { "group": "admins" } ],
              "keys": [
                { "id": "1", "value": PROXY_KEY },
                { "id": "old", "value": "proxy-EXAMPLE-old", "expires_at": "2020-01-01T00:00:00Z" } ] } ],
        "identity_headers": { "consumer": "x-consumer-username", "labels": { "tier": "x-consumer-tier" } },
    })
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

#[test]
fn a_verified_token_and_the_clients_own_key_the_key_pays_and_the_token_is_removed() {
    let scene = Scene::start(&configuration(), check_tokens);
    let token = bearer(&signed(json!({ "sub": "alice@example.com" })));
    let outcome = scene.ask(&[("authorization", &token), ("x-api-key", CLIENT_KEY)]);
    outcome.assert_passed("team-a", "identity:jwt");
    assert_eq!(outcome.part("credential_source"), "client");
    assert_eq!(outcome.sent("x-api-key"), [CLIENT_KEY]);
    assert_eq!(outcome.sent("authorization"), [""; 0]);
    assert_eq!(
        (outcome.sent("x-consumer-username"), outcome.sent("x-consumer-tier")),
        (vec!["team-a".into()], vec!["gold".into()])
    );
}

#[test]
fn without_a_token_a_proxy_key_is_enough_wherever_it_is() {
    let scene = Scene::start(&configuration(), check_tokens);
    let key = bearer(PROXY_KEY);
    for (source, value) in [("x-litellm-api-key", PROXY_KEY), ("authorization", &key), ("x-api-key", PROXY_KEY)] {
        scene.ask(&[(source, value)]).assert_passed("team-a", source);
    }
}

#[test]
fn a_token_that_envoy_has_not_verified_identifies_nobody() {
    let scene = Scene::start(&configuration(), check_tokens);
    let claims = json!({ "sub": "alice@example.com", "groups": ["admins"] });
    let expired = signed(json!({ "sub": "alice@example.com", "exp": 1_577_836_800 }));
    for token in [forged(claims.clone()), expired] {
        scene
            .ask(&[("authorization", &bearer(&token)), ("x-api-key", CLIENT_KEY)])
            .assert_refused(401, "unknown_api_key");
    }
    // A token elsewhere than where `jwt_authn` looks, and headers with the names of claims.
    let token = signed(claims);
    scene.ask(&[("x-jwt", &token)]).assert_refused(401, "missing_api_key");
    scene.ask(&[("sub", "alice@example.com"), ("company", "alice@example.com")]).assert_refused(401, "missing_api_key");
}

#[test]
fn a_key_wins_over_a_token_which_is_removed_all_the_same() {
    let scene = Scene::start(&configuration(), check_tokens);
    let token = bearer(&signed(json!({ "sub": "alice@example.com" })));
    let outcome = scene.ask(&[("x-litellm-api-key", PROXY_KEY), ("authorization", &token), ("x-api-key", CLIENT_KEY)]);
    outcome.assert_passed("team-a", "x-litellm-api-key");
    assert_eq!(outcome.part("key_id"), "1");
    assert_eq!((outcome.sent("authorization"), outcome.sent("x-api-key")), (vec![], vec![CLIENT_KEY.into()]));
    scene
        .ask(&[("x-litellm-api-key", "proxy-EXAMPLE-old"), ("authorization", &token)])
        .assert_refused(401, "expired_api_key");
}

#[test]
fn of_a_list_claim_one_item_is_enough_and_text_that_looks_like_a_list_is_none() {
    let scene = Scene::start(&configuration(), check_tokens);
    let ask = |groups: Value| scene.ask(&[("authorization", &bearer(&signed(json!({ "groups": groups }))))]);
    ask(json!(["everybody", "admins"])).assert_passed("team-a", "identity:group");
    ask(json!("admins")).assert_passed("team-a", "identity:group");
    let like_a_list = "\u{1}\0\0\0\u{6}\0\0\0\0\0\0\0admins\0\0";
    for groups in [
        json!([]),
        json!(["everybody"]),
        json!(like_a_list),
        json!([["admins"]]),
        json!({ "0": "admins" }),
        json!({ "": "", "0": "", "admins": "" }),
        json!({ "admins": "" }),
        json!(1),
    ] {
        ask(groups).assert_refused(401, "unknown_api_key");
    }
}

#[test]
fn whom_envoy_has_authenticated_the_verification_service_is_not_asked_about() {
    let issuer = Issuer::start(knows(&[("key-EXAMPLE", ALICE)]));
    let mut configuration = configuration();
    configuration["verification_service"] = json!({
        "cluster": "issuer", "path": "/key/info", "send_as": { "sha256_query": "key" }, "consumer_from": "/info/key_alias" });
    let scene = Scene::start_with(Upstream::start(), &configuration, &[("issuer", issuer.server())], check_tokens);
    let token = bearer(&signed(json!({ "sub": "alice@example.com" })));
    scene.ask(&[("authorization", &token)]).assert_passed("team-a", "identity:jwt");
    assert_eq!(issuer.calls(), 0);
    scene.ask(&[("authorization", "Bearer key-EXAMPLE")]).assert_passed("service:alice", "authorization");
    // A key that the issuer knows is not looked up beside a token that is valid.
    scene
        .ask(&[("authorization", &token), ("x-litellm-api-key", "key-EXAMPLE-2")])
        .assert_passed("team-a", "identity:jwt");
    assert_eq!(issuer.calls(), 1);
}

#[test]
fn an_internal_redirect_keeps_the_caller_whose_token_the_first_run_has_removed() {
    let upstream = Upstream::answering(|message| match message.path.as_deref() {
        Some(b"/elsewhere") => OK.to_owned(),
        _ => "HTTP/1.1 302 Found\r\nlocation: http://llm.example.com/elsewhere\r\ncontent-length: 0\r\n\r\n".to_owned(),
    });
    let scene = Scene::start_with(upstream, &configuration(), &[], |listener| {
        check_tokens(listener);
        let action = json!({ "cluster": "upstream", "internal_redirect_policy": { "max_internal_redirects": 1 } });
        set_routes(listener, json!([ { "match": { "prefix": "/" }, "route": action } ]));
    });
    let token = bearer(&signed(json!({ "sub": "alice@example.com" })));
    let outcome = scene.ask(&[("authorization", &token), ("x-api-key", CLIENT_KEY)]);
    assert_eq!(outcome.status, 200, "{outcome:?}; {}", scene.gateway.explanation());
    assert_eq!(outcome.sent("x-consumer-username"), ["team-a"]);
    assert_eq!((outcome.sent("authorization"), outcome.sent("x-api-key")), (vec![], vec![CLIENT_KEY.into()]));
}
