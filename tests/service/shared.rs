//! Equal keys share one call, which no leaving client takes down.

use byok_testkit::carrier::carrier;
use byok_testkit::gateway::{connection_manager_of, until};
use byok_testkit::service::{ALICE, CONFIGURED, Gate, Issuer, Scene, configuration, knows, site};
use serde_json::json;

/// An issuer that knows one key and answers when the gate is open.
fn gated(gate: &Gate) -> Issuer {
    let (gate, knows) = (gate.clone(), knows(&[("key", ALICE)]));
    Issuer::start(move |call| {
        gate.pass();
        knows(call)
    })
}

#[test]
fn ten_equal_requests_are_one_call_and_nine_are_answered_when_the_first_leaves() {
    for (key, status) in [("key", 200), ("guess", 401)] {
        let gate = Gate::default();
        let issuer = gated(&gate);
        let scene = Scene::start(&issuer, json!({}));
        let first = scene.send(key);
        issuer.wait_for_calls(1);
        let others: Vec<_> = (0..9).map(|_| scene.send(key)).collect();
        scene.wait_for_requests(10);
        drop(first);
        scene.wait_for_requests(9);
        gate.open();
        for other in others {
            let answer = other.answer().expect("an answer");
            assert_eq!(answer.status, status, "{}", scene.gateway.explanation());
        }
        assert_eq!(scene.upstream.take().len(), if status == 200 { 9 } else { 0 });
        assert_eq!(issuer.calls(), 1);
        assert_eq!(scene.all_counted(), [1, 0, 0, 0]);
    }
}

#[test]
fn no_worker_asks_twice() {
    let issuer = Issuer::start(knows(&[("key", ALICE)]));
    let sites = [site("gateway", &configuration(json!({})))];
    let scene = Scene::start_with(&[("issuer", issuer.server())], &sites, |_, options| options.concurrency = 2);
    let clients: Vec<_> = (0..20).map(|_| scene.send("key")).collect();
    for client in clients {
        assert_eq!(client.answer().expect("an answer").status, 200, "{}", scene.gateway.explanation());
    }
    assert!((1..=carrier().askers(2)).contains(&issuer.calls()), "{} calls", issuer.calls());
}

#[test]
fn clients_that_all_leave_during_the_call_cost_nothing_and_the_answer_is_kept() {
    let gate = Gate::default();
    let issuer = gated(&gate);
    let scene = Scene::start(&issuer, json!({ "max_in_flight": 1 }));
    let clients: Vec<_> = (0..10).map(|_| scene.send("key")).collect();
    issuer.wait_for_calls(1);
    scene.wait_for_requests(10);
    drop(clients);
    scene.wait_for_requests(0);
    // The call is still under way: it is shared by whoever comes, and counts.
    let late = scene.send("key");
    scene.wait_for_requests(1);
    scene.assert_refused(&scene.ask("another"), 503, "verification_unavailable");
    assert_eq!(scene.ask(CONFIGURED).status, 200);
    gate.open();
    assert_eq!(late.answer().expect("an answer").status, 200, "{}", scene.gateway.explanation());
    assert_eq!(scene.ask("key").status, 200);
    assert_eq!(scene.upstream.take().len(), 3);
    assert_eq!(issuer.calls(), 1);
    assert_eq!(scene.all_counted(), [1, 1, 0, 1]);
}

#[test]
fn a_request_that_envoy_gives_up_during_the_call_stops_nothing() {
    let gate = Gate::default();
    let issuer = gated(&gate);
    let mut site = site("gateway", &configuration(json!({})));
    connection_manager_of(&mut site)["request_timeout"] = "0.3s".into();
    let scene = Scene::with_sites(&issuer, &[site]);
    assert_eq!(scene.ask("key").status, 504, "{}", scene.gateway.explanation());
    scene.wait_for_requests(0);
    gate.open();
    let known = until(|| (scene.ask("key").status == 200).then_some(()));
    assert!(known.is_some(), "{}", scene.gateway.explanation());
    assert_eq!(issuer.calls(), 1);
}
