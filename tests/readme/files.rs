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
        let is_target = makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
        assert!(is_target, "the Makefile has no target `{target}`");
    }
}

#[test]
fn the_architecture_fits_on_a_page() {
    assert!(file("ARCHITECTURE.md").lines().count() <= 80);
}
