//! The command-line tool: what its commands print, and that it agrees with the filter.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test stops where it fails"
)]

#[path = "cli/documents.rs"]
mod documents;
#[path = "cli/filter.rs"]
mod filter;
#[path = "cli/sentinel.rs"]
mod sentinel;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use byok_testkit::root;
use serde_json::Value;

/// Each file shows commands and what they print; `TRYCMD=overwrite cargo test --test cli` updates them.
#[test]
fn commands_print_what_the_files_show() {
    // The commands name files relative to the repository.
    std::env::set_current_dir(root()).expect("the repository's root");
    trycmd::TestCases::new()
        .default_bin_path(env!("CARGO_BIN_EXE_byok"))
        .case("tests/cli/*.trycmd")
        .case("tests/cli/*.toml");
}

/// `byok check envoy/**/*.yaml`.
#[test]
fn every_example_has_no_errors() {
    const FILTERS: [&str; 5] = [
        "\"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n",
        "\"@type\": type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter\n",
        "kind: WasmPlugin\n",
        "kind: TrafficExtension\n",
        "kind: EnvoyExtensionPolicy\n",
    ];
    let mut examples = Vec::new();
    collect(&root().join("envoy"), &mut examples);
    examples.sort();
    let output = Command::new(env!("CARGO_BIN_EXE_byok")).arg("check").args(&examples).output().expect("byok runs");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    let without_filter = |file: &&PathBuf| {
        let text = fs::read_to_string(file).expect("a readable file");
        !FILTERS.iter().any(|filter| text.contains(filter))
    };
    let expected = examples.iter().filter(without_filter).count();
    assert!(examples.len() > expected + 15, "{} examples", examples.len());
    assert_eq!(shown.matches("note: has no configuration of the filter").count(), expected, "{shown}");
}

/// Whatever a file, its name or an argument holds, only line ends of the program's own act on a terminal.
#[test]
fn no_command_prints_a_control_character_that_it_was_given() {
    const HOSTILE: &str = "\u{1b}]0;x\u{7}\u{1b}[2J\rerror: forged\u{85}\u{9b}2J\u{202e}\u{200b}sk-EXAMPLE-sentinel";
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).expect("a written file");
        file.to_str().expect("UTF-8").to_owned()
    };
    let name = Value::from(HOSTILE).to_string();
    let with_names = |names: &str| format!(r#"{{ "mode": "auto", "consumers": [], {names} }}"#);
    let good = write(
        "good.json",
        &with_names(&format!(
            r#""realm": "a", "providers": {{ "anthropic": {{ "deployment_key": {{ "environment_variable": {name} }} }} }}"#
        )),
    );
    let unknown = write(&format!("{HOSTILE}.json"), &with_names(&format!("{name}: 1")));
    let broken = write("broken.yaml", &format!("consumers: [ *{HOSTILE}"));
    let litellm = write(
        "litellm.yaml",
        &format!(
            r#"{{ "general_settings": {{ {name}: 1, "litellm_key_header_name": {name}, "pass_through_endpoints": [ {{ "path": {}, "headers": {{ {name}: "a" }} }} ] }} }}"#,
            Value::from(format!("/{HOSTILE}"))
        ),
    );
    let including = write("including.yaml", &format!(r#"{{ "include": [{name}] }}"#));
    let manifest = write(
        "manifest.yaml",
        &format!(
            r#"{{ "kind": "ConfigMap", "data": {{ {name}: {} }} }}"#,
            Value::from(format!(
                r#"{{ "model_list": [ {{ "litellm_params": {{ "model": {}, {name}: 1 }} }} ], {name}: 1 }}"#,
                Value::from(format!("{HOSTILE}/a"))
            ))
        ),
    );
    let header = format!("x-{HOSTILE}: {HOSTILE}");
    let commands: [&[&str]; 16] = [
        &["check", &good, &unknown, &broken],
        &["check", "--format", "json", &good, &unknown, &broken],
        &["check", HOSTILE],
        &["explain", "-c", &unknown],
        &["explain", "-c", &good, "-X", HOSTILE, "--host", HOSTILE, "--path", &format!("/{HOSTILE}"), "-H", &header],
        &["explain", "-c", &good, "--format", "json", "--cluster", HOSTILE, "-H", &header],
        &["explain", "-c", &good, "--", "curl", &format!("--{HOSTILE}")],
        &["explain", "-c", &good, "--at", HOSTILE],
        &["import-litellm", &litellm],
        &["import-litellm", &including],
        &["import-litellm", &manifest],
        &["import-litellm", &unknown],
        &["generate", "--consumer", HOSTILE, "--id", HOSTILE],
        &["generate", "--prefix", HOSTILE],
        &["man", HOSTILE],
        &[HOSTILE],
    ];
    for command in commands {
        let output = Command::new(env!("CARGO_BIN_EXE_byok"))
            .args(command)
            // As before a terminal, where styles are kept.
            .env("CLICOLOR_FORCE", "1")
            .output()
            .expect("byok runs");
        let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8")).concat();
        assert!(!printed.is_empty(), "{command:?}");
        let own = without_styles(&printed);
        let acts = |character: char| {
            (character.is_control() && character != '\n') || matches!(character, '\u{202e}' | '\u{200b}')
        };
        assert!(!own.contains(acts), "{command:?}: {own:?}");
        assert!(!printed.lines().any(|line| line.starts_with("error: forged")), "{command:?}: {printed:?}");
        if command[0] == "check" && command.len() > 2 {
            assert!(!printed.replace(&file_name_shown(HOSTILE), "").contains("sentinel"), "{command:?}: {printed:?}");
        }
    }
}

/// Takes out the styles that the program itself sets.
fn without_styles(text: &str) -> String {
    ["0", "1", "31", "32", "33", "34", "91", "92", "93", "94", "96"]
        .iter()
        .fold(text.to_owned(), |text, style| text.replace(&format!("\u{1b}[{style}m"), ""))
}

/// How a file of that name is shown, in text and in JSON.
fn file_name_shown(name: &str) -> String {
    name.rsplit('\u{200b}').next().unwrap_or(name).to_owned() + ".json"
}

/// What is read is bounded before it is understood, and what is understood before it takes memory.
#[test]
fn a_file_takes_time_and_memory_by_its_size() {
    let digest = |number: usize| format!("{number:064x}");
    let key = |number: usize| format!(r#"{{"id":"{number}","sha256":"{}","stray":1}}"#, digest(number));
    let keys: Vec<String> = (0..20_000).map(key).collect();
    let on_one_line = format!(r#"{{"consumers":[{{"name":"a","keys":[{}]}}]}}"#, keys.join(","));
    let aliases = format!("a: &a {}\nb:\n{}", "x".repeat(1_300_000), "- *a\n".repeat(90_000));
    let fields: Vec<String> = (0..30_000).map(|number| format!(r#""field-{number}":{{"api":1}}"#)).collect();
    let in_an_object = |name: &str| format!(r#"{{"{name}":{{{}}}}}"#, fields.join(","));
    let repeated = format!(r#"{{"providers":{{{}"a":1}}}}"#, r#""a":1,"#.repeat(30_000));
    for (name, text, expected) in [
        ("providers.json", in_an_object("providers"), "50 errors; more may show"),
        ("service.json", in_an_object("verification_service"), "50 errors; more may show"),
        ("repeated.json", repeated, "50 errors; more may show"),
        ("keys.json", on_one_line, "50 errors; more may show"),
        ("aliases.yaml", aliases, "aliases make it too large"),
        ("sequences.yaml", "- ".repeat(500_000), "nested too deeply"),
        ("mappings.yaml", "? ".repeat(500_000), "expected a text for a name"),
        ("deep.json", format!("{}1{}", r#"{"a":"#.repeat(500_000), "}".repeat(500_000)), "nested too deeply"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(name), text).expect("a written file");
        let begun = std::time::Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_byok"))
            .arg("check")
            .arg(name)
            .current_dir(folder.path())
            .output()
            .expect("byok runs");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(printed.contains(expected), "{name}: {printed}{}", String::from_utf8_lossy(&output.stderr));
        assert!(begun.elapsed().as_secs() < 10, "{name}: {:?}", begun.elapsed());
    }
}

/// What a configuration of LiteLLM includes is bounded, too.
#[test]
fn included_files_are_few_regular_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let import = |text: &str| {
        let file = folder.path().join("config.yaml");
        fs::write(&file, text).expect("a written file");
        let output = byok(&["import-litellm", file.to_str().expect("UTF-8")]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    assert!(import("include: [/dev/zero]").contains("include: expected a file: /dev/zero"));
    assert!(import("include: [.]").contains("include: expected a file"));
    assert!(import("include: config.yaml").contains("include: expected a list of files"));
    assert!(import("include: [1]").contains("include: expected a list of files"));
    let many = |from: usize, to: usize| (from..to).map(|number| format!("- {number}.yaml\n")).collect::<String>();
    assert!(import(&format!("include:\n{}", many(0, 101))).contains("include: expected at most 100 files"));
    for number in 0..101 {
        let next = format!("include:\n- {}.yaml\n", number + 1);
        fs::write(folder.path().join(format!("{number}.yaml")), next).expect("a written file");
    }
    assert!(import("include: [0.yaml]").contains("include: expected at most 100 files"));
}

/// What is printed goes through one place, which escapes it.
#[test]
fn one_file_of_the_tool_writes_to_the_terminal() {
    let mut files = Vec::new();
    collect_of(&root().join("crates/cli/src"), "rs", &mut files);
    assert!(files.len() > 20);
    for file in files.iter().filter(|file| !file.ends_with("output.rs")) {
        let text = fs::read_to_string(file).expect("a readable file");
        for word in ["::stdout", "::stderr", "print!(", "println!(", "dbg!("] {
            assert!(!text.contains(word), "{}: {word}", file.display());
        }
    }
}

/// Runs the tool.
fn byok(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_byok")).args(arguments).output().expect("byok runs")
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    collect_of(folder, "yaml", files);
}

fn collect_of(folder: &Path, wanted: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_of(&path, wanted, files);
        } else if path.extension().is_some_and(|extension| extension == wanted) {
            files.push(path);
        }
    }
}
