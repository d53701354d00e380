//! As much of Markdown as the documentation uses: fenced blocks, tables, links.

use std::path::Path;

/// A fenced block.
pub(crate) struct Block {
    pub(crate) language: String,
    /// The page, and its first line, counted from 1.
    pub(crate) at: String,
    pub(crate) text: String,
}

/// Reads a file of the repository.
pub(crate) fn file(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the README and the pages below `docs/`, in order.
pub(crate) fn pages() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec!["README.md".to_owned()];
    for directory in ["docs", "docs/reference"] {
        let entries = std::fs::read_dir(root.join(directory)).expect("a directory");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
        names.sort();
        pages.extend(names.into_iter().map(|name| format!("{directory}/{name}")));
    }
    pages
}

/// Returns the blocks of one language on all pages, in order; there is at least one.
pub(crate) fn blocks(language: &str) -> Vec<Block> {
    let all = pages().into_iter().flat_map(|page| all_blocks(&page, &file(&page)));
    let blocks: Vec<Block> = all.filter(|block| block.language == language).collect();
    assert!(!blocks.is_empty(), "no page has a block of {language}");
    blocks
}

/// Returns the rows of the one table on any page whose first heading is `heading`, cell by cell.
pub(crate) fn table(heading: &str) -> Vec<Vec<String>> {
    let of_page = |page: String| {
        let text = file(&page);
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let is_start = |at: &usize| {
            let next = lines.get(at + 1).is_some_and(|next| next.starts_with("|---"));
            next && cells(&lines[*at]).first().is_some_and(|cell| cell == heading)
        };
        let starts: Vec<usize> = (0..lines.len()).filter(is_start).collect();
        starts
            .into_iter()
            .map(|start| {
                lines[start + 2..].iter().take_while(|line| line.starts_with('|')).map(|line| cells(line)).collect()
            })
            .collect::<Vec<Vec<Vec<String>>>>()
    };
    let mut tables: Vec<Vec<Vec<String>>> = pages().into_iter().flat_map(of_page).collect();
    assert_eq!(tables.len(), 1, "tables of `{heading}`");
    tables.remove(0)
}

/// Returns what stands in back-quotes, in order.
pub(crate) fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns the links between files: the page, and the target without its anchor, seen from the page.
pub(crate) fn links() -> Vec<(String, String, String)> {
    let of_page = |page: String| {
        let text = file(&page);
        let targets: Vec<String> =
            text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect();
        targets.into_iter().filter(|target| !target.contains("://")).map(move |target| {
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            (page.clone(), file.to_owned(), anchor.to_owned())
        })
    };
    pages().into_iter().flat_map(of_page).collect()
}

/// Returns the anchors of a page's headings, as they are made of their words.
pub(crate) fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| -> String {
        let kept = heading
            .to_lowercase()
            .chars()
            .filter(|one| one.is_alphanumeric() || " -_".contains(*one))
            .collect::<String>();
        kept.replace(' ', "-")
    };
    headings.map(anchor).collect()
}

fn all_blocks(page: &str, text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (at, line) in text.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                open = true;
                blocks.push(Block {
                    language: language.to_owned(),
                    at: format!("{page}, line {}", at + 2),
                    text: String::new(),
                });
            }
            None if open => {
                let text = &mut blocks.last_mut().unwrap().text;
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
    }
    assert!(!open, "a block of {page} has no end");
    blocks
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}
