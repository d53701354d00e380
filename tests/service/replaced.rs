//! The configuration goes, or Envoy, while a call is under way.

use std::time::{Duration, Instant};

use byok_testkit::gateway::until;
use byok_testkit::service::{ALICE, CONFIGURED, Gate, Issuer, Scene, configuration, knows, site};
use serde_json::{Value, json};

fn gated(gate: &Gate) -> Issuer {
    let (gate, knows) = (gate.clone(), knows(&[("key", ALICE)]));
    Issuer::start(move |call| {
        gate.pass();
        knows(call)
    })
}

/// The configuration without a service.
fn without_service() -> Value {
    let mut configuration = configuration(json!({}));
    configuration.as_object_mut().expect("an object").remove("verification_service");
    configuration
}

#[test]
fn a_request_is_answered_by_the_configuration_that_it_began_with() {
    let gate = Gate::default();
    let issuer = gated(&gate);
    let mut scene = Scene::start(&issuer, json!({}));
    let waiting: Vec<_> = ["key", "guess", "key"].map(|key| scene.send(key)).into();
    issuer.wait_for_calls(2);
    scene.wait_for_requests(3);
    scene.gateway.update(&[site("gateway", &without_service())]);
    let took_over = until(|| (scene.ask("other-guess").status == 401).then_some(()));
    assert!(took_over.is_some(), "{}", scene.gateway.explanation());
    assert_eq!(scene.ask("key").status, 401);
    assert_eq!(scene.ask(CONFIGURED).status, 200);
    gate.open();
    let statuses: Vec<u16> = waiting.into_iter().map(|client| client.answer().expect("an answer").status).collect();
    assert_eq!(statuses, [200, 401, 200], "{}", scene.gateway.explanation());
    assert_eq!(issuer.calls(), 2);

    // And back: the new configuration begins with no answers.
    scene.gateway.update(&[site("gateway", &configuration(json!({ "timeout": "14s" })))]);
    let took_over = until(|| (scene.ask("key").status == 200).then_some(()));
    assert!(took_over.is_some(), "{}", scene.gateway.explanation());
    assert_eq!(issuer.calls(), 3);
}

#[test]
fn a_listener_that_goes_takes_its_waiting_requests_with_it() {
    let gate = Gate::default();
    let issuer = gated(&gate);
    let sites = [site("gateway", &configuration(json!({}))), site("other", &configuration(json!({})))];
    let mut scene = Scene::start_with(&[("issuer", issuer.server())], &sites, |_, options| {
        options.arguments.extend(["--drain-time-s", "1", "--drain-strategy", "immediate"].map(str::to_owned));
    });
    let waiting: Vec<_> = (0..3).map(|_| scene.send("key")).collect();
    issuer.wait_for_calls(1);
    scene.wait_for_requests(3);
    scene.gateway.update(&sites[1..]);
    let gone = until(|| (!scene.gateway.addresses().contains_key("gateway")).then_some(()));
    assert!(gone.is_some(), "{}", scene.gateway.explanation());
    scene.wait_for_requests(0);
    drop(waiting);
    gate.open();
    let answer = byok_testkit::service::ask(scene.address_of("other"), "key");
    assert_eq!(answer.status, 200, "{}", scene.gateway.explanation());
}

#[test]
fn envoy_ends_in_time_while_a_call_is_under_way() {
    let gate = Gate::default();
    let issuer = gated(&gate);
    let mut scene = Scene::start(&issuer, json!({}));
    let waiting: Vec<_> = ["key", "guess"].map(|key| scene.send(key)).into();
    issuer.wait_for_calls(2);
    let begin = Instant::now();
    let status = scene.gateway.envoy.terminate().expect("Envoy ends");
    assert!(begin.elapsed() < Duration::from_secs(8), "it had to be killed: {:?}", begin.elapsed());
    assert!(status.success(), "{status}; {}", scene.gateway.explanation());
    gate.open();
    drop(waiting);
}
