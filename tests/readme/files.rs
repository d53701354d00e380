//! What the pages point to is there.

use std::path::Path;

use crate::markdown::{anchors, blocks, file, links};

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_of_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_broken = |(page, target, anchor): &(String, String, String)| {
        let directory = Path::new(page).parent().expect("a directory");
        let path = if target.is_empty() { root.join(page) } else { root.join(directory).join(target) };
        let has_heading = || std::fs::read_to_string(&path).is_ok_and(|text| anchors(&text).contains(anchor));
        !path.exists() || (!anchor.is_empty() && !has_heading())
    };
    let broken: Vec<_> = links().into_iter().filter(is_broken).collect();
    assert_eq!(broken, []);
}

#[test]
fn every_target_of_make_that_a_page_names_is_there() {
    let makefile = file("Makefile");
    let named = crate::markdown::pages().into_iter().chain(["CONTRIBUTING.md".to_owned()]).flat_map(|page| {
        let text = file(&page);
        let words: Vec<String> = text.split("make ").skip(1).map(str::to_owned).collect();
        words.into_iter().filter_map(move |rest| {
            let target: String = rest.chars().take_while(|one| one.is_ascii_lowercase() || *one == '-').collect();
            (!target.is_empty()).then_some((page.clone(), target))
        })
    });
    // In prose, a word that follows `make` is no target.
    let is_code = |page: &str, target: &str| {
        let text = file(page);
        [format!("`make {target}`"), format!("`make {target} "), format!("$ make {target}")]
            .iter()
            .any(|code| text.contains(code.as_str()))
    };
    let missing: Vec<(String, String)> = named
        .filter(|(page, target)| {
            is_code(page, target) && !makefile.lines().any(|line| line.starts_with(&format!("{target}:")))
        })
        .collect();
    assert_eq!(missing, []);
}

#[test]
fn what_the_tool_prints_is_what_its_own_tests_run() {
    let tests: String = ["check", "explain"].map(|name| file(&format!("tests/cli/{name}.trycmd"))).concat();
    let shown =
        blocks("console").into_iter().filter(|block| block.text.contains(" byok ") && block.text.lines().count() > 2);
    let of_the_tool: Vec<_> = shown.filter(|block| block.at.starts_with("docs/cli.md")).collect();
    assert_eq!(of_the_tool.len(), 2);
    for block in of_the_tool {
        assert!(tests.contains(&block.text), "{}", block.at);
    }
}

#[test]
fn the_front_door_and_the_architecture_stay_short() {
    assert!(file("README.md").lines().count() <= 200);
    assert!(file("ARCHITECTURE.md").lines().count() <= 120);
}
