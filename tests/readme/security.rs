//! Each defence that SECURITY.md promises is held by a test, and each test that it names is there.

use std::collections::BTreeSet;
use std::path::Path;

use crate::markdown::{file, quoted};

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let references: BTreeSet<(String, String)> = references(&file("SECURITY.md")).collect();
    assert!(references.len() > 60, "{} references", references.len());
    let missing: Vec<String> = references
        .iter()
        .filter(|(file, name)| !has(file, name))
        .map(|(file, name)| format!("{file}: {name}"))
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_defence_has_a_test() {
    let text = file("SECURITY.md");
    let lines: Vec<&str> = text.lines().collect();
    let mut defences = 0;
    for (at, head) in lines.iter().enumerate().filter(|(_, line)| line.ends_with("| test |")) {
        for row in lines[at + 2..].iter().take_while(|line| line.starts_with('|')) {
            let (_, test) = row.trim_end_matches('|').rsplit_once(" | ").expect("a row of cells");
            assert!(references(test).next().is_some(), "below `{head}` no test holds: {row}");
            defences += 1;
        }
    }
    assert!(defences > 30, "{defences} rows");
}

/// The tests that a text names: file and case or function.
fn references(text: &str) -> impl Iterator<Item = (String, String)> {
    quoted(text).into_iter().filter_map(|span| {
        let (file, name) = span.split_once(": ")?;
        let is_test = [".rs", ".toml"].iter().any(|ending| file.ends_with(ending));
        is_test.then(|| (file.to_owned(), name.to_owned()))
    })
}

fn has(path: &str, name: &str) -> bool {
    let is_whole = ["src/", "crates/"].iter().any(|start| path.starts_with(start));
    let path = if is_whole { path.to_owned() } else { format!("tests/{path}") };
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join(&path).is_file() {
        return false;
    }
    let text = file(&path);
    if path.ends_with(".toml") {
        return text.lines().any(|line| line == format!("name = \"{name}\""));
    }
    // A test that is made when the tests run is named by a sentence.
    if name.contains(' ') {
        return text.contains(&format!("Trial::test(\"{name}\"")) || text.contains(&format!("trial(\"{name}\""));
    }
    // Attributes and comments may stand between the mark of a test and its function.
    let function = format!("fn {name}(");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let at = lines.iter().position(|line| line.starts_with(&function));
    let above =
        at.map(|at| lines[..at].iter().rev().take_while(|line| line.starts_with('#') || line.starts_with("//")));
    above.is_some_and(|mut above| above.any(|line| *line == "#[test]"))
}
