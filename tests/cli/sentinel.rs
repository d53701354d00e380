//! A secret or a control character in any place of a file is in nothing that `byok check` prints.

use std::fs;
use std::process::Command;

use byok_testkit::root;
use serde_json::{Value, json};

/// What must not be printed, with the part that identifies it.
const SENTINELS: [(&str, &str); 4] = [
    ("sk-ant-api03-EXAMPLE.sentinel", "sentinel"),
    ("0a1b2c3d4e0a1b2c3d4e0a1b2c3d4e0a1b2c3d4e", "0a1b2c"),
    ("sentinel of many words, of many words: { of many words } #of many words", "sentinel"),
    ("\u{1b}]0;x\u{7}\r\nerror: forged\u{85}\u{9b}2J\u{202e}sk-EXAMPLE-sentinel", "sentinel"),
];

/// Writes a configuration in some form; returns the file's extension and text.
type Form = fn(&Value) -> (&'static str, String);

const FORMS: [Form; 6] = [
    |configuration| ("json", configuration.to_string()),
    |configuration| ("json", format!("{configuration:#}")),
    |configuration| ("yaml", serde_yaml_ng::to_string(configuration).expect("YAML")),
    |configuration| {
        let plugin = json!({
            "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin", "metadata": { "name": "byok" },
            "spec": { "pluginConfig": configuration },
        });
        ("yaml", serde_yaml_ng::to_string(&plugin).expect("YAML"))
    },
    |configuration| ("yaml", in_envoy(&format!("{configuration:#}"), true)),
    |configuration| ("yaml", in_envoy(&configuration.to_string(), false)),
];

/// Writes a document of Envoy's with the configuration as a block, or as a string in quotes.
fn in_envoy(configuration: &str, as_block: bool) -> String {
    let value = match as_block {
        true => configuration.lines().fold("|".to_owned(), |text, line| text + "\n      " + line),
        false => Value::from(configuration).to_string(),
    };
    format!(
        "typed_config:
  \"@type\": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
  config:
    name: byok
    configuration:
     \"@type\": type.googleapis.com/google.protobuf.StringValue
     value: {value}
"
    )
}

#[test]
fn no_secret_and_no_control_character_of_a_configuration_is_printed() {
    let (mut errors, mut warnings, mut excerpts) = (0, 0, 0);
    for (sentinel, part) in SENTINELS {
        let configurations = configurations(sentinel);
        // What looks like a key, and what acts on a terminal, in every form; the others in some.
        let forms = if sentinel.contains("sk-") { &FORMS[..] } else { &FORMS[1..3] };
        for form in forms {
            let files: Vec<(&str, String)> = configurations.iter().map(form).collect();
            let printed = check(&files, "text", sentinel);
            assert_clean(&printed, part);
            errors += printed.matches("\nerror: ").count();
            warnings += printed.matches("\nwarning: ").count();
            excerpts += printed.lines().filter(|line| line.contains(" | ") && line.contains('…')).count();
        }
        let files: Vec<(&str, String)> = configurations.iter().map(FORMS[0]).collect();
        assert_clean(&check(&files, "json", sentinel), part);
    }
    assert!(errors > 10_000 && warnings > 1_000 && excerpts > 10_000, "{errors}, {warnings}, {excerpts}");
}

/// Also in a comment, an anchor, a tag, and where the text ends too early or has other bytes in it.
#[test]
fn no_secret_of_a_file_with_an_error_of_syntax_is_printed() {
    for (sentinel, part) in SENTINELS {
        let word: String = sentinel.chars().filter(|character| !character.is_control()).collect();
        let quoted = Value::from(sentinel);
        let json = format!(r#"{{ "mode": {quoted}, "consumers": [{quoted}, 1], "routes": {{ "a": {quoted} }} }}"#);
        let yaml = format!(
            "# {word}: a\nmode: &{word} {quoted}\nshadow: !{word} \"x\"\nroutes: *{word}\nconsumers: # {word}\n- '{word}'\n- {word}\n- |\n  {word}\nproviders: {{ a: {quoted}, b: {word} }}\n"
        );
        let mut files = Vec::new();
        for (extension, text) in [("json", &json), ("yaml", &yaml)] {
            for (at, _) in text.char_indices() {
                files.push((extension, text[..at].to_owned()));
                // Half a secret may look like the name of a field.
                let is_inside = |(start, secret): (usize, &str)| start < at && at < start + secret.len();
                if [&word, &quoted.to_string()].into_iter().any(|secret| text.match_indices(secret).any(is_inside)) {
                    continue;
                }
                for inserted in ["\"", "}", ": ", "\n", "\u{0}"] {
                    files.push((extension, format!("{}{inserted}{}", &text[..at], &text[at..])));
                }
            }
        }
        assert_clean(&check(&files, "text", sentinel), part);
    }
}

fn assert_clean(printed: &str, part: &str) {
    assert!(!printed.is_empty());
    for line in printed.split('\n') {
        assert!(!line.contains(part), "{line}");
        assert!(!line.starts_with("error: forged"), "{line}");
        assert!(line.chars().all(|character| matches!(character, ' '..='~' | '…')), "{line:?}");
    }
}

/// Checks many files at once; returns what is printed.
fn check(files: &[(&str, String)], format: &str, variable: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut names = Vec::new();
    for (number, (extension, text)) in files.iter().enumerate() {
        let name = format!("{number}.{extension}");
        fs::write(folder.path().join(&name), text).expect("a written file");
        names.push(name);
    }
    let output = Command::new(env!("CARGO_BIN_EXE_byok"))
        .args(["check", "--format", format])
        .args(&names)
        .current_dir(folder.path())
        .env("SET", variable)
        .output()
        .expect("byok runs");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8")
}

/// Returns the configuration with every field, with the sentinel in each place in turn: as a value, in a list, in an
/// object, as the name of a field, as a further field.
fn configurations(sentinel: &str) -> Vec<Value> {
    let text = fs::read_to_string(root().join("tests/cli/files/every-field.json")).expect("a readable file");
    let configuration: Value = serde_json::from_str(&text.replace("PROXY_KEY", "SET")).expect("JSON");
    let mut pointers = vec![String::new()];
    collect(&configuration, "", &mut pointers);
    let mut changed = Vec::new();
    for pointer in pointers {
        let mut add = |change: &dyn Fn(&mut Value)| {
            let mut configuration = configuration.clone();
            change(configuration.pointer_mut(&pointer).expect("a place"));
            changed.push(configuration);
        };
        for value in [json!(sentinel), json!([sentinel]), json!({ sentinel: sentinel }), json!({ sentinel: {} })] {
            add(&|at| *at = value.clone());
        }
        if !configuration.pointer(&pointer).is_some_and(Value::is_object) {
            continue;
        }
        add(&|at| at[sentinel] = json!(null));
        add(&|at| {
            if let Value::Object(fields) = at {
                *fields = std::mem::take(fields).into_iter().map(|(_, value)| (sentinel.to_owned(), value)).collect();
            }
        });
    }
    changed
}

fn collect(value: &Value, to: &str, pointers: &mut Vec<String>) {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, part)| (format!("{to}/{name}"), part)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, part)| (format!("{to}/{at}"), part)).collect(),
        _ => return,
    };
    for (pointer, part) in parts {
        collect(part, &pointer, pointers);
        pointers.push(pointer);
    }
}
