//! What the README points to is there.

use std::path::Path;

use crate::markdown::{file, linked_files, quoted, table};

#[test]
fn every_linked_file_is_there() {
    let missing: Vec<String> = linked_files()
        .into_iter()
        .filter(|target| !Path::new(env!("CARGO_MANIFEST_DIR")).join(target).exists())
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_command_is_a_target_of_make() {
    let makefile = file("Makefile");
    let commands: Vec<String> = table("command").iter().flat_map(|row| quoted(&row[0])).collect();
    assert!(!commands.is_empty());
    for command in commands {
        let target = command.strip_prefix("make ").unwrap_or_else(|| panic!("`{command}` is no make"));
        let target = target.split(' ').next().unwrap_or_default();
        let is_target = makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
        assert!(is_target, "the Makefile has no target `{target}`");
    }
}

#[test]
fn what_the_tool_prints_is_what_its_own_tests_run() {
    let tests: String = ["check", "explain"].map(|name| file(&format!("tests/cli/{name}.trycmd"))).concat();
    let readme = file("README.md");
    let shown: Vec<&str> = readme.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let of_the_tool: Vec<&&str> = shown.iter().filter(|block| block.contains(" byok ")).collect();
    assert_eq!(of_the_tool.len(), 2);
    assert!(of_the_tool.iter().all(|block| tests.contains(**block)), "{of_the_tool:#?}");
}

#[test]
fn the_architecture_stays_short() {
    assert!(file("ARCHITECTURE.md").lines().count() <= 120);
}
