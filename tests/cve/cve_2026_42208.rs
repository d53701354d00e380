//! [CVE-2026-42208](https://nvd.nist.gov/vuln/detail/CVE-2026-42208): SQL in the key, which LiteLLM 1.81.16 to 1.83.6
//! put into a query as it was.

use byok_testkit::service::{Issuer, Scene, json, path_for};
use byok_testkit::site::PROXY_KEY;
use serde_json::json;

use crate::stage::{Stage, with_a_key};

const INJECTIONS: [&str; 9] = [
    "' OR '1'='1",
    "sk-' OR 1=1--",
    "sk-EXAMPLE'/**/OR/**/1=1--",
    "sk-EXAMPLE'; SELECT pg_sleep(5)--",
    "' UNION SELECT token FROM \"LiteLLM_VerificationToken\"--",
    "' UNION SELECT 1,credential_values FROM \"LiteLLM_CredentialsTable\"--",
    "sk-ant-api03-EXAMPLE' OR '1'='1",
    "sk-ant-oat01-EXAMPLE' OR '1'='1",
    // What begins with a valid key is another one.
    "proxy-EXAMPLE-a' OR '1'='1",
];

/// Where LiteLLM looks for a key.
const PLACES: [&str; 10] = [
    "authorization: Bearer ",
    "authorization: bearer ",
    "authorization: Basic ",
    "authorization: ",
    "x-litellm-api-key: ",
    "x-litellm-api-key: Bearer ",
    "x-api-key: ",
    "api-key: ",
    "x-goog-api-key: ",
    "ocp-apim-subscription-key: ",
];

const ROUTES: [&str; 4] = [
    "POST /v1/messages",
    "GET /v1/models",
    "GET /key/info",
    // A path that the open route does not match.
    "POST /health/liveliness/../../chat/completions",
];

#[test]
fn sql_in_the_place_of_a_key_does_not_reach_the_next_hop() {
    let stage = Stage::start();
    for injection in INJECTIONS {
        for place in PLACES {
            stage.refused_by_filter(&format!("POST /chat/completions\n{place}{injection}"));
        }
        for route in ROUTES {
            stage.refused_by_filter(&format!("{route}\nauthorization: Bearer {injection}"));
        }
        stage.refused_by_filter(&format!(
            "GET /v1/realtime\nsec-websocket-protocol: realtime, openai-insecure-api-key.{injection}"
        ));
        stage.refused_by_filter(&format!("POST /chat/completions?api-key={}", injection.replace(' ', "%20")));
        // A body does not make LiteLLM see it either.
        stage.refused_by_filter(&format!(
            "POST /chat/completions\ncontent-length: 200\nauthorization: Bearer {injection}"
        ));
    }
    for place in PLACES.iter().filter(|place| !place.contains("Basic")) {
        let request = format!("POST /chat/completions\n{place}{PROXY_KEY}");
        let expected = if *place == "authorization: " { 0 } else { 2 };
        assert_eq!(stage.arrived(&request).len(), expected, "{request}");
    }
}

/// A valid key takes no SQL along in the place of another one: it is removed, or two values are one too many.
#[test]
fn beside_a_valid_key_sql_in_the_place_of_another_one_does_not_reach_the_next_hop() {
    let stage = Stage::start();
    let mut arrived = 0;
    for injection in INJECTIONS {
        for place in PLACES {
            let request = with_a_key(&format!("POST /chat/completions\n{place}{injection}"));
            for message in stage.arrived(&request) {
                assert!(!message.to_string().contains('\''), "{request}\narrives as {message}");
                arrived += 1;
            }
        }
    }
    assert!(arrived > INJECTIONS.len() * PLACES.len(), "{arrived} requests arrived");
}

/// A LiteLLM that is asked about keys, as the verification service, is asked by digest.
#[test]
fn a_verification_service_that_is_asked_by_digest_sees_no_sql() {
    let issuer = Issuer::start(|_| json(404, ""));
    let scene = Scene::start(&issuer, json!({}));
    for injection in INJECTIONS {
        assert_eq!(scene.ask(injection).status, 401, "{injection}");
    }
    let digests = INJECTIONS.map(|injection| path_for(injection).into_bytes());
    let calls = issuer.seen();
    assert!(!calls.is_empty(), "the service was asked about nothing");
    for call in calls {
        assert!(digests.contains(call.path.as_ref().expect("a path")), "{call}");
        assert!(!call.to_string().contains('\''), "{call}");
    }
    assert!(scene.upstream.take().is_empty());
}

/// The limit that `docs/litellm.md` states.
#[test]
fn a_verification_service_that_is_asked_by_the_key_itself_is_sent_it() {
    let issuer = Issuer::start(|_| json(404, ""));
    let scene = Scene::start(&issuer, json!({ "send_as": { "header": "x-key" } }));
    let injection = "sk-EXAMPLE'/**/OR/**/1=1--";
    assert_eq!(scene.ask(injection).status, 401);
    assert!(issuer.seen().iter().any(|call| call.values("x-key").eq([injection.as_bytes()])));
    assert!(scene.upstream.take().is_empty());
}
