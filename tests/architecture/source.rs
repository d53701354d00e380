//! Rust sources as tokens: comments are gone, code for tests is left out, and each path has its line.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A source file.
pub(crate) struct Source {
    /// Its path below the repository, with `/`.
    pub(crate) path: String,
    /// The modules that lead to it below `src/`: `["config", "compile"]`; none for `lib.rs`.
    pub(crate) module: Vec<String>,
    pub(crate) tokens: Vec<Token>,
    /// Every path with `::` in it, `use` lists written out: `crate::http::path`.
    pub(crate) paths: Vec<(Vec<String>, usize)>,
}

/// An identifier, punctuation mark or literal, without what it is nested in.
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Token {
    /// Returns the content of a string or byte string literal; escapes are left as they are.
    pub(crate) fn string(&self) -> Option<&str> {
        let (prefix, rest) = self.text.split_once('"')?;
        let is_string = matches!(prefix.trim_end_matches('#'), "" | "b" | "c" | "r" | "br" | "cr");
        is_string.then(|| rest.trim_end_matches('#').trim_end_matches('"'))
    }
}

/// Reads the Rust files below a directory of the repository, without `target` and without modules for tests.
pub(crate) fn sources(directory: &str) -> Vec<Source> {
    let mut files = Vec::new();
    collect(&crate::root().join(directory), &mut files);
    let mut test_modules = BTreeSet::new();
    let mut sources = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let path = file.strip_prefix(crate::root()).unwrap().to_str().unwrap().replace('\\', "/");
        sources.push(read(path, &text, &mut test_modules));
    }
    sources.retain(|source| {
        let (folder, _) = source.path.rsplit_once("/src/").unwrap_or((&source.path, ""));
        (1..=source.module.len()).all(|length| {
            let module = source.module.iter().take(length).cloned().collect::<Vec<_>>().join("::");
            !test_modules.contains(&format!("{folder}: {module}"))
        })
    });
    sources
}

fn collect(directory: &Path, files: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() && entry.file_name().is_some_and(|name| name != "target") {
            collect(&entry, files);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
}

/// Reads one file; names of modules that are for tests only go into `test_modules`, as `crates/core: config::sentinel`.
pub(crate) fn read(path: String, text: &str, test_modules: &mut BTreeSet<String>) -> Source {
    let (folder, below) = path.rsplit_once("/src/").unwrap_or((&path, ""));
    let mut module: Vec<String> = below.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    module.retain(|name| !["", "lib", "main", "mod"].contains(&&**name));
    let folder = folder.to_owned();
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut source = Source { path, module, tokens: Vec::new(), paths: Vec::new() };
    for module in source.walk(tokens) {
        let parents = source.module.iter().map(|parent| format!("{parent}::")).collect::<String>();
        test_modules.insert(format!("{folder}: {parents}{module}"));
    }
    source
}

impl Source {
    /// Returns the names of the `mod` items that are for tests only.
    fn walk(&mut self, tokens: TokenStream) -> Vec<String> {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut test_modules = Vec::new();
        let mut at = 0;
        while let Some(tree) = trees.get(at) {
            let attribute = match (text(tree).as_str(), trees.get(at + 1)) {
                ("#", Some(TokenTree::Group(group))) => Some(group),
                _ => None,
            };
            if let Some(attribute) = attribute.map(Group::stream).map(|stream| stream.to_string()) {
                if attribute == "cfg (test)" || attribute == "test" {
                    let item = &trees[at + 2..];
                    let ends = |tree: &TokenTree| {
                        text(tree) == ";" || group(tree).is_some_and(|g| g.delimiter() == Delimiter::Brace)
                    };
                    let length = item.iter().position(ends).unwrap_or(item.len().saturating_sub(1));
                    let names = item.windows(2).take(length).filter(|pair| text(&pair[0]) == "mod");
                    test_modules.extend(names.map(|pair| text(&pair[1])));
                    at += 2 + length + 1;
                    continue;
                }
                if attribute.starts_with("doc =") {
                    at += 2;
                    continue;
                }
            }
            let follows_path = at >= 2 && text(&trees[at - 1]) == ":" && text(&trees[at - 2]) == ":";
            if !follows_path && is_path_separator(&trees, at + 1) {
                self.paths_from(&trees[at..], &[]);
            }
            match tree {
                TokenTree::Group(group) => test_modules.extend(self.walk(group.stream())),
                other => self.tokens.push(Token { text: text(other), line: other.span().start().line }),
            }
            at += 1;
        }
        test_modules
    }

    /// Records the path that begins here, and each path of a list in braces.
    fn paths_from(&mut self, trees: &[TokenTree], before: &[String]) {
        let mut path = before.to_vec();
        let mut at = 0;
        while let Some(tree) = trees.get(at) {
            if let Some(group) = group(tree) {
                if group.delimiter() == Delimiter::Brace {
                    let list: Vec<TokenTree> = group.stream().into_iter().collect();
                    for item in list.split(|tree| text(tree) == ",").filter(|item| !item.is_empty()) {
                        self.paths_from(item, &path);
                    }
                }
                return;
            }
            path.push(text(tree));
            if !is_path_separator(trees, at + 1) {
                self.paths.push((path, tree.span().start().line));
                return;
            }
            at += 3;
        }
    }
}

fn is_path_separator(trees: &[TokenTree], at: usize) -> bool {
    trees.get(at..at + 2).is_some_and(|pair| pair.iter().all(|tree| text(tree) == ":"))
}

fn group(tree: &TokenTree) -> Option<&Group> {
    match tree {
        TokenTree::Group(group) => Some(group),
        _ => None,
    }
}

/// Returns the text of a token; nothing for a group.
fn text(tree: &TokenTree) -> String {
    match tree {
        TokenTree::Group(_) => String::new(),
        other => other.to_string(),
    }
}
