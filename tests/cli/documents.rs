//! What the documentation has of the tool, made by the tool: `UPDATE_DOCS=1` writes it.

use std::fs;
use std::process::Command;

use byok_testkit::root;

const COMMANDS: [&str; 8] = ["", "check", "explain", "hash", "generate", "schema", "import-litellm", "completions"];

#[test]
fn the_reference_of_the_options_is_what_help_prints() {
    let mut page = String::from("# Options of byok\n\nWhat `byok help` prints, command by command.\n");
    for command in COMMANDS {
        let output = byok().args(["help", command].iter().filter(|word| !word.is_empty())).output().expect("byok runs");
        let help = String::from_utf8(output.stdout).expect("UTF-8");
        let help: String = help.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        page.push_str(&format!(
            "\n## byok{}\n\n```text\n{help}```\n",
            if command.is_empty() { String::new() } else { format!(" {command}") }
        ));
    }
    check("docs/reference/cli.md", &page);
}

#[test]
fn the_recording_of_explain_is_what_it_prints() {
    let arguments =
        ["explain", "-c", "envoy/envoy.yaml", "-H", "x-litellm-api-key: byok-demo-team-a", "-H", "x-api-key: dummy"];
    let output = byok()
        .args(arguments)
        .env("ANTHROPIC_API_KEY", "sk-ant-api03-EXAMPLE-deployment")
        .env("CLICOLOR_FORCE", "1")
        .output()
        .expect("byok runs");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let command = "$ byok explain -c envoy/envoy.yaml -H 'x-litellm-api-key: byok-demo-team-a' -H 'x-api-key: dummy'\n";
    check("docs/explain.svg", &anstyle_svg::Term::new().render_svg(&format!("{command}{printed}")));
}

fn byok() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_byok"));
    command.current_dir(root()).env("COLUMNS", "100");
    command
}

fn check(page: &str, generated: &str) {
    let path = root().join(page);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, generated).expect("a writable file");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == generated, "{page} differs: UPDATE_DOCS=1 cargo test --package byok-cli --test cli documents");
}
