//! Keys that were valid, while the issuer is down; and an issuer that refuses the filter itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use byok_testkit::corpus::{Message, say};
use byok_testkit::gateway::until;
use byok_testkit::service::{ALICE, CONFIGURED, Gate, Issuer, Scene, json as answer, knows, path_for};
use serde_json::{Value, json};

const UNAVAILABLE: &str = "verification_unavailable";
const FRESH: Duration = Duration::from_millis(300);

/// How long the issuer is down; `OUTAGE_SECONDS` makes it longer.
fn outage() -> Duration {
    let seconds = std::env::var("OUTAGE_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(3))
}

/// An issuer that knows one key, and fails for as long as the switch says.
fn switched() -> (Issuer, Arc<AtomicBool>) {
    let is_down = Arc::new(AtomicBool::new(false));
    let (switch, knows) = (Arc::clone(&is_down), knows(&[("key", ALICE)]));
    (Issuer::start(move |call| if switch.load(Ordering::Relaxed) { answer(500, "") } else { knows(call) }), is_down)
}

fn scene(issuer: &Issuer, more: Value) -> Scene {
    let mut service = json!({ "cache_ttl": format!("{}ms", FRESH.as_millis()), "timeout": "1s" });
    for (field, value) in more.as_object().expect("an object") {
        service[field] = value.clone();
    }
    Scene::start(issuer, service)
}

/// Asks again and again while the issuer is down; returns the statuses of the known key.
fn statuses_in_outage(scene: &Scene, is_down: &AtomicBool) -> Vec<u16> {
    assert_eq!(scene.ask("key").status, 200, "{}", scene.gateway.explanation());
    is_down.store(true, Ordering::Relaxed);
    thread::sleep(FRESH * 2);
    let (begin, mut statuses) = (Instant::now(), Vec::new());
    while begin.elapsed() < outage() {
        statuses.push(scene.ask("key").status);
        scene.assert_refused(&scene.ask("made-up"), 503, UNAVAILABLE);
        assert_eq!(scene.ask(CONFIGURED).status, 200);
        thread::sleep(Duration::from_millis(50));
    }
    is_down.store(false, Ordering::Relaxed);
    let back = until(|| (scene.ask("made-up").status == 401).then_some(()));
    assert!(back.is_some(), "the issuer is back, and the filter does not notice");
    statuses
}

#[test]
fn with_stale_if_error_a_known_key_passes_while_the_issuer_is_down_and_nobody_else_does() {
    let (issuer, is_down) = switched();
    let scene = scene(&issuer, json!({ "stale_if_error": "10m" }));
    let statuses = statuses_in_outage(&scene, &is_down);
    let (stale, calls) = (scene.counted("stale"), issuer.calls());
    say(&format!(
        "outage of {:?}: {} requests with a known key passed, {stale} of them by a stale result",
        outage(),
        statuses.len()
    ));
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(stale, statuses.len() as u64);
    // While the service is down, keys that stay valid are asked about once a second, the made-up one each time.
    let most = statuses.len() + 4 + outage().as_secs() as usize + 10;
    assert!(calls <= most, "{calls} calls for {} requests", statuses.len());
}

#[test]
fn without_it_nobody_passes_whom_only_the_issuer_knows() {
    let (issuer, is_down) = switched();
    let scene = scene(&issuer, json!({}));
    let statuses = statuses_in_outage(&scene, &is_down);
    say(&format!(
        "outage of {:?} without stale_if_error: {} requests with a known key were refused",
        outage(),
        statuses.len()
    ));
    assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
    assert_eq!(scene.counted("stale"), 0);
}

#[test]
fn a_key_that_the_issuer_has_refused_is_not_stale() {
    let is_revoked = Arc::new(AtomicBool::new(false));
    let (switch, knows) = (Arc::clone(&is_revoked), knows(&[("key", ALICE)]));
    let is_down = Arc::new(AtomicBool::new(false));
    let down = Arc::clone(&is_down);
    let issuer = Issuer::start(move |call| match (down.load(Ordering::Relaxed), switch.load(Ordering::Relaxed)) {
        (true, _) => answer(500, ""),
        (_, true) => answer(404, ""),
        _ => knows(call),
    });
    let scene = scene(&issuer, json!({ "stale_if_error": "10m", "negative_cache_ttl": "0s" }));
    assert_eq!(scene.ask("key").status, 200, "{}", scene.gateway.explanation());
    is_revoked.store(true, Ordering::Relaxed);
    thread::sleep(FRESH * 2);
    assert_eq!(scene.ask("key").status, 401);
    is_down.store(true, Ordering::Relaxed);
    scene.assert_refused(&scene.ask("key"), 503, UNAVAILABLE);
}

#[test]
fn a_key_that_is_revoked_does_not_pass_while_the_issuer_takes_its_time() {
    let gate = Gate::default();
    let is_revoked = Arc::new(AtomicBool::new(false));
    let issuer = Issuer::start({
        let (gate, is_revoked, knows) = (gate.clone(), Arc::clone(&is_revoked), knows(&[("key", ALICE)]));
        move |call| {
            if is_revoked.load(Ordering::Relaxed) {
                gate.pass();
                return answer(404, "");
            }
            knows(call)
        }
    });
    let scene = scene(&issuer, json!({ "stale_if_error": "10m", "timeout": "15s" }));
    assert_eq!(scene.ask("key").status, 200, "{}", scene.gateway.explanation());
    is_revoked.store(true, Ordering::Relaxed);
    thread::sleep(FRESH * 2);
    let clients: Vec<_> = (0..5).map(|_| scene.send("key")).collect();
    issuer.wait_for_calls(2);
    scene.wait_for_requests(5);
    gate.open();
    for client in clients {
        assert_eq!(client.answer().expect("an answer").status, 401, "{}", scene.gateway.explanation());
    }
    assert_eq!((issuer.calls(), scene.counted("stale")), (2, 0));
}

#[test]
fn of_many_known_keys_one_a_second_is_asked_about_in_an_outage_and_all_once_it_is_over() {
    let keys: Vec<String> = (0..20).map(|at| format!("key-{at}")).collect();
    let is_down = Arc::new(AtomicBool::new(false));
    let issuer = Issuer::start({
        let known: Vec<(&str, &str)> = keys.iter().map(|key| (&**key, ALICE)).collect();
        let (knows, is_down) = (knows(&known), Arc::clone(&is_down));
        move |call| if is_down.load(Ordering::Relaxed) { answer(500, "") } else { knows(call) }
    });
    let scene = scene(&issuer, json!({ "stale_if_error": "10m" }));
    let ask_all =
        || keys.iter().for_each(|key| assert_eq!(scene.ask(key).status, 200, "{}", scene.gateway.explanation()));
    ask_all();
    is_down.store(true, Ordering::Relaxed);
    thread::sleep(FRESH * 2);
    ask_all();
    let (begin, before, mut rounds) = (Instant::now(), issuer.calls(), 0);
    assert_eq!(before, 2 * keys.len(), "the first request with each key finds out that the issuer is down");
    while begin.elapsed() < outage() {
        ask_all();
        rounds += 1;
    }
    let calls = issuer.calls() - before;
    say(&format!("outage of {:?}: {calls} calls for {} requests", begin.elapsed(), rounds * keys.len()));
    assert!((1..=begin.elapsed().as_secs() as usize + 1).contains(&calls), "{calls} calls");

    is_down.store(false, Ordering::Relaxed);
    assert_eq!(scene.ask("nobody").status, 401);
    let before = issuer.seen().len();
    ask_all();
    let asked: Vec<String> = issuer.seen().iter().skip(before).map(path_of).collect();
    assert_eq!(asked, keys.iter().map(|key| path_for(key)).collect::<Vec<_>>());
}

fn path_of(call: &Message) -> String {
    String::from_utf8_lossy(call.path.as_deref().unwrap_or_default()).into_owned()
}

#[test]
fn an_issuer_that_refuses_the_filter_is_unavailable_and_that_is_said_once() {
    for status in [401, 403] {
        let issuer = Issuer::start(move |_| answer(status, r#"{"error":{"message":"Authentication Error"}}"#));
        let scene = scene(&issuer, json!({}));
        for key in ["one", "other", "third"] {
            scene.assert_refused(&scene.ask(key), 503, UNAVAILABLE);
        }
        let said = || {
            let log = scene.gateway.module_log();
            log.iter().filter(|line| line.level == "error" && line.text.contains("refuses service_key")).count()
        };
        assert!(until(|| (said() > 0).then_some(())).is_some(), "{}", scene.gateway.explanation());
        assert_eq!(said(), 1, "{status}");
        assert_eq!(issuer.calls(), 3);
    }
}
