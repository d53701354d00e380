//! Every configuration of the filter under `envoy/` is one that it loads: in the core, and as the built module in Envoy. Every
//! README there shows what its commands print.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops where it fails")]

mod example;

use byok_core::{Policy, Secrets};

use example::readme::{self, Ports, Session};
use example::{Example, Setting, istio, validate};

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
const DEPLOYMENT_KEY: &str = "sk-ant-api03-EXAMPLE-deployment";
const PROXY_KEY: &str = "byok-demo-team-a";

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

/// `byok` stands for the filter itself.
#[test]
fn envoy_takes_the_filters_of_every_recipe() {
    let recipes = std::fs::read_to_string(byok_testkit::root().join("docs/recipes.md")).expect("a page");
    let blocks = recipes.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let recipes: Vec<&str> = blocks.filter(|block| block.starts_with("http_filters:")).collect();
    assert!(recipes.len() >= 6, "{} recipes", recipes.len());
    for recipe in recipes {
        let (is_taken, log) = example::validate_filters(recipe);
        assert!(is_taken && !log.lines().any(deprecates), "{recipe}\n{log}");
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
