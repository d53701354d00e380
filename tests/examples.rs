//! Every configuration of the filter under `envoy/` is one that it loads: in the core, and as the built module in Envoy. Every
//! README there shows what its commands print.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops where it fails")]

mod example;

use byok_core::{Policy, Secrets};

use example::readme::{self, Ports, Session};
use example::stand_in::NextHop;
use example::{Example, Setting, istio, validate};
use serde_json::{Value, json};

/// Files under `envoy/` without a configuration of the filter.
const WITHOUT: [&str; 12] = [
    "envoy/built-on-envoy/manifest.yaml",
    "envoy/compose/compose.yaml",
    "envoy/compose/grafana/dashboards/byok.yaml",
    "envoy/compose/grafana/datasources/prometheus.yaml",
    // The filter is in byok.yaml, beside it.
    "envoy/ecds/envoy.yaml",
    "envoy/gateway/environment.yaml",
    "envoy/istio/environment.yaml",
    "envoy/observability/alerts.yaml",
    "envoy/observability/alerts_test.yaml",
    "envoy/observability/prometheus.yaml",
    "envoy/rate-limit-service/config/byok.yaml",
    "envoy/stats_tags.yaml",
];

/// Examples whose READMEs need more than Envoy: containers, a cluster, Prometheus, Redis (`make test-rate-limit`), a
/// clone of another repository.
const ELSEWHERE: [&str; 6] = [
    "envoy/built-on-envoy",
    "envoy/compose",
    "envoy/gateway",
    "envoy/istio",
    "envoy/observability",
    "envoy/rate-limit-service",
];

const SECRET: &str = "EXAMPLE-secret";
const CLIENT_KEY: &str = "sk-ant-api03-EXAMPLE-client";
const DEPLOYMENT_KEY: &str = "sk-ant-api03-EXAMPLE-deployment";
const PROXY_KEY: &str = "byok-demo-team-a";

const ANTHROPIC: NextHop = NextHop {
    file: "envoy/anthropic/envoy.yaml",
    address: "api.anthropic.com",
    port: 443,
    certificate: Some("api.anthropic.com"),
    environment: &[("ANTHROPIC_API_KEY", DEPLOYMENT_KEY), ("TEAM_A_KEY", PROXY_KEY)],
};
const LITELLM: NextHop =
    NextHop { file: "envoy/litellm/envoy.yaml", address: "127.0.0.1", port: 4000, certificate: None, environment: &[] };

#[test]
fn every_file_shows_the_filter() {
    let files = example::files();
    assert!(WITHOUT.iter().all(|without| files.iter().any(|file| file == without)), "of {WITHOUT:?} one is gone");
    for file in files {
        let examples = example::of(&file);
        assert_eq!(examples.is_empty(), WITHOUT.contains(&&*file), "{file} has {} configurations", examples.len());
    }
}

#[test]
fn the_core_loads_every_configuration() {
    for Example { place, configuration, variables, .. } in example::all() {
        let environment = |name: &str| variables.iter().any(|known| known == name).then(|| format!("{SECRET}-{name}"));
        let delivered = |name: &str, _: &str| Some(format!("{SECRET}-{name}"));
        let secrets = Secrets { variable: &environment, sds_secret: Some(&delivered) };
        match Policy::load(configuration.as_bytes(), secrets) {
            Ok(loaded) => {
                let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
                assert!(warnings.is_empty(), "{place}: {warnings:?}");
            }
            Err(errors) => {
                let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
                panic!("{place} does not load: {errors:?}");
            }
        }
    }
}

#[test]
fn envoy_loads_every_configuration() {
    for example in example::all() {
        let environment: Vec<_> =
            example.variables.iter().map(|name| (name.clone(), format!("{SECRET}-{name}"))).collect();
        let (loads, log) = validate(&example, &environment);
        assert!(loads, "{} does not load:\n{log}", example.place);
        let doubts: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("wasm log") || line.contains("[dynamic_modules]") || deprecates(line))
            .collect();
        assert!(doubts.is_empty(), "{}:\n{}", example.place, doubts.join("\n"));
    }
}

#[test]
fn every_folder_has_a_readme_of_which_each_command_prints_what_it_shows() {
    let folders = readme::folders();
    let index = std::fs::read_to_string(byok_testkit::root().join("envoy/README.md")).expect("an index");
    for entry in std::fs::read_dir(byok_testkit::root().join("envoy")).expect("a readable folder") {
        let entry = entry.expect("a folder entry");
        let name = entry.file_name().into_string().expect("UTF-8");
        let is_shown = index.contains(&format!("[{name}]({name})")) && folders.contains(&format!("envoy/{name}"));
        assert!(!entry.path().is_dir() || is_shown, "envoy/{name} has no README, or is not in envoy/README.md");
    }
    let session = |folder: &str| Session::read(folder).filter(|session| !session.needs_services());
    let sessions: Vec<(&String, Session)> =
        folders.iter().filter_map(|folder| Some((folder, session(folder)?))).collect();
    let mut without: Vec<&str> = folders.iter().map(String::as_str).collect();
    without.retain(|folder| !sessions.iter().any(|(with, _)| with == folder));
    assert_eq!(without, ELSEWHERE);
    let failures: Vec<String> = sessions.iter().flat_map(|(_, session)| session.failures(Ports::Free)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_first_configuration_is_that_of_the_quickstart() {
    let page = std::fs::read_to_string(byok_testkit::root().join("docs/quickstart.md")).expect("a page");
    let shown = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of JSON");
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    assert_eq!(value(shown), value(&example::of("envoy/quickstart/envoy.yaml")[0].configuration));
}

#[test]
fn the_anthropic_api_gets_one_key_over_tls() {
    let running = ANTHROPIC.start();
    let got = |name: &str, value: &str| {
        (200, json!({ "host": "api.anthropic.com", "server_name": "api.anthropic.com", name: value }))
    };
    let key = ("x-litellm-api-key", PROXY_KEY);
    let own = ("x-api-key", CLIENT_KEY);
    assert_eq!(running.ask("/v1/messages", &[key, own]), got("x-api-key", CLIENT_KEY));
    assert_eq!(running.ask("/v1/messages", &[key]), got("x-api-key", DEPLOYMENT_KEY));
    let token = "Bearer sk-ant-oat01-EXAMPLE-token";
    assert_eq!(running.ask("/v1/messages", &[key, ("authorization", token)]), got("authorization", token));
    assert_eq!(running.ask("/v1/messages", &[own]).0, 401);
}

#[test]
fn a_server_with_the_certificate_of_another_gets_no_key() {
    let running = NextHop { certificate: Some("api.example.com"), ..ANTHROPIC }.start();
    assert_eq!(running.ask("/v1/messages", &[("x-litellm-api-key", PROXY_KEY)]).0, 503);
}

#[test]
fn litellm_gets_the_proxy_key_and_a_key_of_the_client_on_paths_of_anthropic_alone() {
    const VIRTUAL_KEY: &str = "sk-byok-demo-team-a";
    let running = LITELLM.start();
    let lines = [("authorization", "Bearer sk-byok-demo-team-a"), ("x-api-key", CLIENT_KEY)];
    let got = |path: &str| {
        let (status, mut got) = running.ask(path, &lines);
        got.as_object_mut().expect("an answer").remove("host");
        (status, got)
    };
    let bearer = format!("Bearer {VIRTUAL_KEY}");
    assert_eq!(got("/v1/messages"), (200, json!({ "authorization": bearer, "x-api-key": CLIENT_KEY })));
    assert_eq!(got("/v1/chat/completions"), (200, json!({ "authorization": bearer })));
    assert_eq!(got("/passthrough/v1"), (200, json!({})));
}

fn manifest() -> Value {
    let file = byok_testkit::root().join("envoy/built-on-envoy/manifest.yaml");
    serde_yaml_ng::from_str(&std::fs::read_to_string(file).expect("a manifest")).expect("YAML")
}

fn schema_errors(schema: &str, document: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).expect("a schema")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_manifest_is_of_this_version_and_its_examples_load() {
    let manifest = manifest();
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    let schema = byok_testkit::root().join("envoy/built-on-envoy/config.schema.json");
    let examples = manifest["examples"].as_array().expect("examples");
    for example in examples {
        let code = example["code"].as_str().expect("a command");
        let argument =
            code.split("--config '").nth(1).and_then(|rest| rest.split('\'').next()).expect("a configuration");
        let configuration = serde_json::from_str(argument).expect("JSON");
        assert_eq!(schema_errors(schema.to_str().expect("UTF-8"), &configuration), [""; 0]);
        // The catalogue's launcher gives a module no environment variables.
        let nothing = Secrets { variable: &|_: &str| None, sds_secret: None };
        let loaded = Policy::load(argument.as_bytes(), nothing).expect("a configuration");
        assert_eq!(loaded.warnings, []);
    }
    assert!(!examples.is_empty());
}

#[test]
#[ignore = "needs the schema of Tetrate's catalogue: CATALOGUE_SCHEMA=extensions/manifest.schema.json"]
fn the_catalogue_takes_the_manifest() {
    let schema = std::env::var("CATALOGUE_SCHEMA").expect("CATALOGUE_SCHEMA names the catalogue's schema");
    assert_eq!(schema_errors(&schema, &manifest()), [""; 0]);
    let mut wrong = manifest();
    wrong["type"] = "wasi".into();
    assert_ne!(schema_errors(&schema, &wrong), [""; 0]);
}

/// `byok` stands for the filter itself.
#[test]
fn envoy_takes_the_filters_of_every_recipe() {
    let recipes = std::fs::read_to_string(byok_testkit::root().join("docs/recipes.md")).expect("a page");
    let blocks = recipes.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let recipes: Vec<&str> = blocks.filter(|block| block.starts_with("http_filters:")).collect();
    assert!(recipes.len() >= 6, "{} recipes", recipes.len());
    for recipe in recipes {
        let (is_taken, log) = example::validate_filters(recipe);
        assert!(is_taken, "{recipe}\n{log}");
    }
}

#[test]
fn the_recipe_for_models_is_that_of_its_example() {
    let read = |file: &str| std::fs::read_to_string(byok_testkit::root().join(file)).expect("a file");
    let recipes = read("docs/recipes.md");
    let mut blocks = recipes.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let recipe = blocks.find(|block| block.contains("json_to_metadata")).expect("a recipe");
    let (_, filters) = recipe.split_once("- name: byok\n").expect("filters behind ours");
    let indented: String = filters.lines().map(|line| format!("{:10}{line}\n", "")).collect();
    assert!(read("envoy/models/envoy.yaml").contains(&indented));
}

#[test]
fn a_configuration_whose_secrets_are_not_there_does_not_load() {
    let examples: Vec<Example> = example::all().into_iter().filter(|example| !example.variables.is_empty()).collect();
    assert!(examples.len() >= 6, "the two bootstraps and the four of Istio");
    for example in examples {
        let (loads, log) = validate(&example, &[]);
        assert!(!loads && log.contains("expected the name of an environment variable"), "{}:\n{log}", example.place);
    }
}

#[test]
fn a_module_that_fails_is_reloaded_and_never_passed_by() {
    for example in example::all() {
        let policy = example.failure_policy.as_deref();
        assert!(policy.is_none_or(|policy| policy == "FAIL_RELOAD"), "{}", example.place);
    }
}

#[test]
fn istio_gives_each_proxy_the_secrets_that_its_plugin_reads() {
    let given = istio::variables_of_proxies();
    let mut checked = 0;
    for example in example::all() {
        let Setting::Istio(workload) = &example.setting else { continue };
        let given = given.get(workload).unwrap_or_else(|| panic!("{}: no workload {workload:?}", example.place));
        for name in &example.variables {
            assert!(given.contains(name), "{}: the proxy of {workload:?} has no {name}", example.place);
        }
        checked += 1;
    }
    assert_eq!(checked, 5, "gateway and sidecar in both kinds, and a gateway by EnvoyFilter");
}

#[test]
fn envoy_takes_the_patches_of_istio() {
    const FILE: &str = "envoy/istio/envoyfilter.yaml";
    const MODULE: &str = "/var/lib/byok-filter/byok_filter.wasm";
    let environment = [("ANTHROPIC_API_KEY", DEPLOYMENT_KEY), ("BYOK_TEAM_A_KEY", PROXY_KEY)];
    let (is_taken, log) = example::validate_patches(FILE, MODULE, &environment);
    assert!(is_taken && !log.contains("wasm log"), "{log}");
    // It is the filter that reads them.
    assert!(!example::validate_patches(FILE, MODULE, &[]).0);
}

#[test]
fn both_kinds_of_istio_say_the_same() {
    let configurations = |file| example::of(file).into_iter().map(|example| example.configuration).collect::<Vec<_>>();
    let plugins = configurations("envoy/istio/wasmplugin.yaml");
    assert_eq!(plugins, configurations("envoy/istio/trafficextension.yaml"));
}

fn deprecates(line: &str) -> bool {
    line.contains("[warning]") && line.contains("eprecated")
}
