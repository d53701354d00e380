//! New configurations, by LDS and by ECDS, while requests of the old ones wait for the service.

use std::fs;
use std::path::{Path, PathBuf};

use byok_testkit::carrier::carrier;
use byok_testkit::corpus::Message;
use byok_testkit::gateway::{Gateway, Pending, connection_manager_of, until};
use byok_testkit::service::{ALICE, CONFIGURED, Gate, Issuer, Scene, configuration, knows, path_for, send, site};
use serde_json::{Value, json};

const GENERATIONS: usize = 4;

/// How a new configuration of the filter comes to Envoy.
enum Discovery {
    /// As a part of its listener.
    Listener,
    /// By itself, from this file.
    Extension(tempfile::TempDir),
}

impl Discovery {
    /// The listener that Envoy starts with.
    fn listener(&self, configuration: &Value) -> Value {
        let mut listener = site("gateway", configuration);
        let Self::Extension(directory) = self else { return listener };
        let filter = &mut connection_manager_of(&mut listener)["http_filters"][0];
        write(directory.path(), 0, &filter["typed_config"]);
        *filter = json!({ "name": "byok", "config_discovery": {
            "config_source": { "resource_api_version": "V3", "path_config_source": { "path": file(directory.path()) } },
            "type_urls": [carrier().type_url()],
        } });
        listener
    }

    /// Puts another configuration of the filter in place.
    fn update(&self, gateway: &mut Gateway, version: usize, configuration: &Value) {
        let mut listener = site("gateway", configuration);
        match self {
            Self::Listener => gateway.update(&[listener]),
            Self::Extension(directory) => {
                let filter = &connection_manager_of(&mut listener)["http_filters"][0]["typed_config"];
                write(directory.path(), version, filter);
            }
        }
    }
}

fn file(directory: &Path) -> PathBuf {
    directory.join("byok.json")
}

fn write(directory: &Path, version: usize, filter: &Value) {
    let resource = json!({
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "name": "byok", "typed_config": filter });
    let answer = json!({ "version_info": version.to_string(), "resources": [ resource ] });
    let fresh = directory.join("next.json");
    fs::write(&fresh, answer.to_string()).expect("a writable file");
    // Envoy watches for a file that is moved into place.
    fs::rename(fresh, file(directory)).expect("the file moves");
}

fn both() -> [Discovery; 2] {
    [Discovery::Listener, Discovery::Extension(tempfile::tempdir().expect("a temporary directory"))]
}

/// A configuration that says its number to the upstream, and has a key of its own.
fn generation(number: usize) -> Value {
    let mut configuration = configuration(json!({}));
    configuration["identity_headers"]["consumer"] = header(number).into();
    configuration["consumers"][0]["keys"][0]["value"] = configured(number).into();
    configuration
}

fn header(number: usize) -> String {
    format!("x-generation-{number}")
}

fn configured(number: usize) -> String {
    format!("{CONFIGURED}-{number}")
}

/// A service that knows `key-N`, and answers about it and about `guess-N` only once the gate is open.
fn gated(gate: &Gate) -> Issuer {
    let keys: Vec<String> = (0..GENERATIONS).map(|number| format!("key-{number}")).collect();
    let known: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), ALICE)).collect();
    let (gate, knows) = (gate.clone(), knows(&known));
    Issuer::start(move |call| {
        if is_held(call) {
            gate.pass();
        }
        knows(call)
    })
}

fn is_held(call: &Message) -> bool {
    let names = (0..GENERATIONS).flat_map(|number| ["key", "guess"].map(|kind| format!("{kind}-{number}")));
    names.map(|name| path_for(&name)).any(|path| call.path.as_deref() == Some(path.as_bytes()))
}

/// Waits until the service was asked that often about keys that it holds back.
fn wait_for_held_calls(issuer: &Issuer, count: usize) {
    let calls = || issuer.seen().iter().filter(|call| is_held(call)).count();
    assert!(until(|| (calls() >= count).then_some(())).is_some(), "{} of {count} calls", calls());
    assert_eq!(calls(), count);
}

/// Which generation's configuration a request has been decided by, from what the upstream was told.
fn decided_by(scene: &Scene) -> Vec<usize> {
    let arrivals = scene.upstream.take();
    let mut numbers: Vec<usize> = arrivals
        .iter()
        .map(|message| {
            let numbers: Vec<usize> = (0..GENERATIONS).filter(|number| message.has(&header(*number))).collect();
            assert_eq!(numbers.len(), 1, "{message}");
            numbers[0]
        })
        .collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn every_request_is_decided_by_the_configuration_that_it_came_under_and_none_hangs() {
    for discovery in both() {
        let gate = Gate::default();
        let issuer = gated(&gate);
        let mut scene = Scene::with_sites(&issuer, &[discovery.listener(&generation(0))]);
        let address = scene.address_of("gateway");
        let mut waiting: Vec<Vec<Pending>> = Vec::new();
        for number in 0..GENERATIONS {
            if number > 0 {
                discovery.update(&mut scene.gateway, number, &generation(number));
                let took_over = until(|| (scene.ask(&configured(number)).status == 200).then_some(()));
                assert!(took_over.is_some(), "{number}; {}", scene.gateway.explanation());
                assert_eq!(scene.ask(&configured(number - 1)).status, 401, "{number}");
                assert_eq!(decided_by(&scene), [number]);
            }
            // The second shares the first one's call, the third is no key.
            let own = ["key", "key", "guess"].map(|kind| send(address, &format!("{kind}-{number}")));
            // A key that an earlier configuration has asked about, and still has no answer for.
            waiting.push(own.into_iter().chain([send(address, "key-0")]).collect());
            wait_for_held_calls(&issuer, 3 * number + 2);
            scene.wait_for_requests(4 * (number as u64 + 1));
        }
        assert_eq!(decided_by(&scene), [0; 0], "nothing passes while the service is silent");

        gate.open();
        for (number, clients) in waiting.into_iter().enumerate() {
            let statuses: Vec<u16> =
                clients.into_iter().map(|client| client.answer().expect("an answer").status).collect();
            assert_eq!(statuses, [200, 200, 401, 200], "{number}; {}", scene.gateway.explanation());
        }
        assert_eq!(decided_by(&scene), [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
        wait_for_held_calls(&issuer, 3 * GENERATIONS - 1);
        scene.wait_for_requests(0);
    }
}

#[test]
fn an_update_that_is_refused_leaves_who_waits_to_the_old_configuration() {
    for discovery in both() {
        let gate = Gate::default();
        let issuer = gated(&gate);
        let mut scene = Scene::with_sites(&issuer, &[discovery.listener(&generation(0))]);
        let address = scene.address_of("gateway");
        let waiting = ["key-0", "guess-0"].map(|key| send(address, key));
        wait_for_held_calls(&issuer, 2);
        let mut wrong = generation(1);
        wrong["consumers"][0]["keys"][0] = json!({ "id": "1", "sha256": "EXAMPLE" });
        discovery.update(&mut scene.gateway, 1, &wrong);
        let refused = until(|| scene.gateway.module_log().into_iter().find(|line| line.level == "error"));
        let refused = refused.unwrap_or_else(|| panic!("no error in the log; {}", scene.gateway.explanation()));
        assert!(refused.text.starts_with("consumers[0].keys[0].sha256: expected 64 hex digits"), "{}", refused.text);
        assert_eq!(scene.ask(&configured(0)).status, 200);
        assert_eq!(scene.ask(&configured(1)).status, 401);
        gate.open();
        let statuses = waiting.map(|client| client.answer().expect("an answer").status);
        assert_eq!(statuses, [200, 401], "{}", scene.gateway.explanation());
        assert_eq!(decided_by(&scene), [0, 0]);
    }
}
