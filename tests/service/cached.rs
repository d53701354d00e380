//! How often the issuer is asked.

use std::thread;
use std::time::{Duration, Instant};

use byok_testkit::service::{ALICE, CONFIGURED, Issuer, Scene, knows};
use serde_json::json;

#[test]
fn yes_and_no_are_kept_for_their_time_and_asked_about_anew_after_it() {
    let issuer = Issuer::start(knows(&[("key", ALICE)]));
    let scene = Scene::start(&issuer, json!({ "cache_ttl": "6s", "negative_cache_ttl": "2s" }));
    let begin = Instant::now();
    for _ in 0..3 {
        assert_eq!(scene.ask("key").status, 200, "{}", scene.gateway.explanation());
        assert_eq!(scene.ask("guess").status, 401);
        assert_eq!(scene.ask(CONFIGURED).status, 200);
    }
    assert!(begin.elapsed() < Duration::from_secs(2), "this machine is too slow for what is tested");
    assert_eq!(issuer.calls(), 2);
    assert_eq!(scene.all_counted(), [2, 4, 0, 0]);

    thread::sleep(Duration::from_millis(2_200).saturating_sub(begin.elapsed()));
    assert_eq!(scene.ask("guess").status, 401);
    assert_eq!(issuer.calls(), 3, "no is asked about again, {:?} later", begin.elapsed());
    assert_eq!(scene.ask("key").status, 200);
    assert!(begin.elapsed() < Duration::from_secs(6), "this machine is too slow for what is tested");
    assert_eq!(issuer.calls(), 3, "yes is still good");

    thread::sleep(Duration::from_millis(6_200).saturating_sub(begin.elapsed()));
    assert_eq!(scene.ask("key").status, 200);
    assert_eq!(issuer.calls(), 4, "yes is asked about again");
    assert_eq!(scene.all_counted(), [4, 5, 0, 0]);
}

#[test]
fn without_time_to_live_every_request_asks() {
    let issuer = Issuer::start(knows(&[("key", ALICE)]));
    let scene = Scene::start(&issuer, json!({ "cache_ttl": "0s", "negative_cache_ttl": "0s" }));
    for _ in 0..3 {
        assert_eq!(scene.ask("key").status, 200, "{}", scene.gateway.explanation());
        assert_eq!(scene.ask("guess").status, 401);
    }
    assert_eq!(issuer.calls(), 6);
    assert_eq!(scene.all_counted(), [6, 0, 0, 0]);
}

#[test]
fn the_least_recently_used_answer_goes_first() {
    let issuer = Issuer::start(knows(&[("a", ALICE), ("b", ALICE), ("c", ALICE)]));
    let scene = Scene::start(&issuer, json!({ "cache_max_entries": 2 }));
    let calls_after = |keys: &[&str]| {
        for key in keys {
            assert_eq!(scene.ask(key).status, 200, "{}", scene.gateway.explanation());
        }
        issuer.calls()
    };
    assert_eq!(calls_after(&["a", "b", "a", "c"]), 3);
    assert_eq!(calls_after(&["a", "c"]), 3);
    assert_eq!(calls_after(&["b"]), 4);
}
