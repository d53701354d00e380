//! As much of Markdown as the README uses: fenced blocks, tables, links.

/// A fenced block.
pub(crate) struct Block {
    pub(crate) language: String,
    /// Of its first line, counted from 1.
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// Reads a file of the repository.
pub(crate) fn file(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the README's blocks of one language, in order; there is at least one.
pub(crate) fn blocks(language: &str) -> Vec<Block> {
    let blocks: Vec<Block> =
        all_blocks(&file("README.md")).into_iter().filter(|block| block.language == language).collect();
    assert!(!blocks.is_empty(), "the README has no block of {language}");
    blocks
}

/// Returns the rows of the README's one table whose first heading is `heading`, cell by cell.
pub(crate) fn table(heading: &str) -> Vec<Vec<String>> {
    let text = file("README.md");
    let lines: Vec<&str> = text.lines().collect();
    let starts: Vec<usize> = (0..lines.len())
        .filter(|at| {
            let next = lines.get(at + 1).is_some_and(|next| next.starts_with("|---"));
            next && cells(lines[*at]).first().is_some_and(|cell| cell == heading)
        })
        .collect();
    let [start] = starts[..] else { panic!("the README has {} tables of `{heading}`", starts.len()) };
    lines[start + 2..].iter().take_while(|line| line.starts_with('|')).map(|line| cells(line)).collect()
}

/// Returns what stands in back-quotes, in order.
pub(crate) fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns the targets of the README's links that are files of the repository.
pub(crate) fn linked_files() -> Vec<String> {
    let text = file("README.md");
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.starts_with('#') && !target.contains("://")).map(str::to_owned).collect()
}

fn all_blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (at, line) in text.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                open = true;
                blocks.push(Block { language: language.to_owned(), line: at + 2, text: String::new() });
            }
            None if open => {
                let text = &mut blocks.last_mut().unwrap().text;
                text.push_str(line);
                text.push('\n');
            }
            None => {}
        }
    }
    assert!(!open, "a block of the README has no end");
    blocks
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}
