//! Every configuration of the filter under `envoy/` is one that it loads: in the core, and as the built module in Envoy.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test stops where it fails")]

mod example;

use byok_core::{Policy, Secrets};

use example::{Example, Setting, istio, validate};

/// Files under `envoy/` without a configuration of the filter.
const WITHOUT: [&str; 9] = [
    "envoy/compose/compose.yaml",
    "envoy/compose/grafana/dashboards/byok.yaml",
    "envoy/compose/grafana/datasources/prometheus.yaml",
    "envoy/gateway/environment.yaml",
    "envoy/istio/environment.yaml",
    "envoy/observability/alerts.yaml",
    "envoy/observability/alerts_test.yaml",
    "envoy/observability/prometheus.yaml",
    "envoy/stats_tags.yaml",
];

const SECRET: &str = "EXAMPLE-secret";

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

/// `byok` stands for the filter itself.
#[test]
fn envoy_takes_the_filters_of_every_recipe() {
    let recipes = std::fs::read_to_string(byok_testkit::root().join("docs/recipes.md")).expect("a page");
    let blocks = recipes.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let recipes: Vec<&str> = blocks.filter(|block| block.starts_with("http_filters:")).collect();
    assert!(recipes.len() >= 3, "{} recipes", recipes.len());
    for recipe in recipes {
        let (is_taken, log) = example::validate_filters(recipe);
        assert!(is_taken, "{recipe}\n{log}");
    }
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
    assert_eq!(checked, 4, "gateway and sidecar, in both kinds");
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
