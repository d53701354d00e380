//! `include`: other files that are part of LiteLLM's configuration.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};

use byok_core::config::Shown;

use super::files::parse;
use crate::document::{Entry, Node, Value};
use crate::{CliError, LARGEST, read};

/// How many files a configuration may include.
const MOST_FILES: usize = 100;

/// Reads the files that a configuration includes, and those that they include, each once.
pub(super) struct Includes<'a> {
    root: &'a Path,
    /// How much has been read, in bytes.
    size: usize,
    /// Files of the same ConfigMap.
    neighbours: Vec<Entry>,
    /// Those of them that are included.
    pub(super) neighbours_read: BTreeSet<String>,
    files_read: BTreeSet<PathBuf>,
}

/// A file that is to be read.
struct Pending {
    name: String,
    /// The folder of the file that includes it.
    folder: PathBuf,
}

impl<'a> Includes<'a> {
    pub(super) fn new(root: &'a Path, size: usize, neighbours: Vec<Entry>) -> Self {
        let neighbours_read = BTreeSet::new();
        Self { root, size, neighbours, neighbours_read, files_read: BTreeSet::from([identity(root)]) }
    }

    /// Merges as LiteLLM does (`litellm/proxy/common_utils/config_includes.py`): lists of the same name are joined, any
    /// other section of an included file replaces the one before.
    pub(super) fn resolve(&mut self, configuration: Node) -> Result<Node, CliError> {
        let mut pending = VecDeque::new();
        let mut merged = self.without_includes(configuration, &folder_of(self.root), &mut pending)?;
        while let Some(next) = pending.pop_front() {
            let Some((included, folder)) = self.load(&next)? else { continue };
            merge(&mut merged, self.without_includes(included, &folder, &mut pending)?);
        }
        Ok(merged)
    }

    /// Removes `include`, and adds its files to those that are to be read.
    fn without_includes(
        &self,
        mut node: Node,
        folder: &Path,
        pending: &mut VecDeque<Pending>,
    ) -> Result<Node, CliError> {
        let Value::Map(entries) = &mut node.value else { return Ok(node) };
        let Some(at) = entries.iter().position(|entry| entry.name == "include") else { return Ok(node) };
        let include = entries.remove(at).value;
        let names: Option<Vec<&str>> = include.items().iter().map(Node::text).collect();
        let names = names.filter(|_| matches!(include.value, Value::List(_)));
        let names = names.ok_or_else(|| self.error("include: expected a list of files"))?;
        if names.len() > MOST_FILES {
            return Err(self.too_many());
        }
        pending.extend(names.into_iter().map(|name| Pending { name: name.to_owned(), folder: folder.to_owned() }));
        Ok(node)
    }

    /// Reads an included file, unless it has been read; returns the folder that its own includes are relative to, too.
    fn load(&mut self, Pending { name, folder }: &Pending) -> Result<Option<(Node, PathBuf)>, CliError> {
        if self.files_read.len() + self.neighbours_read.len() > MOST_FILES {
            return Err(self.too_many());
        }
        if let Some(neighbour) = self.neighbours.iter().find(|entry| entry.name == *name) {
            if !self.neighbours_read.insert(name.clone()) {
                return Ok(None);
            }
            let text = neighbour.value.text().unwrap_or_default();
            return Ok(Some((self.only_document(name, text)?, folder.clone())));
        }
        // LiteLLM also finds a file that is next to the first one.
        let mut file = folder.join(name);
        if !file.exists() && folder_of(self.root).join(name).exists() {
            file = folder_of(self.root).join(name);
        }
        if !self.files_read.insert(identity(&file)) {
            return Ok(None);
        }
        if !file.is_file() {
            return Err(self.error(&format!("include: expected a file: {}", Shown(name))));
        }
        let text = read(&file)?;
        self.size = self.size.saturating_add(text.len());
        if self.size as u64 > LARGEST {
            return Err(self.error(&format!("expected at most {} MiB with all that is included", LARGEST >> 20)));
        }
        let document = self.only_document(&file.to_string_lossy(), &text)?;
        Ok(Some((document, folder_of(&file))))
    }

    fn only_document(&self, name: &str, text: &str) -> Result<Node, CliError> {
        let document = parse(name, text)?.into_iter().next().filter(Node::is_map);
        document.ok_or_else(|| self.error(&format!("include: expected a configuration of LiteLLM in {name}")))
    }

    fn too_many(&self) -> CliError {
        self.error(&format!("include: expected at most {MOST_FILES} files"))
    }

    fn error(&self, message: &str) -> CliError {
        CliError(format!("{}: {message}", self.root.display()))
    }
}

fn merge(merged: &mut Node, included: Node) {
    let (Value::Map(entries), Value::Map(new)) = (&mut merged.value, included.value) else { return };
    let mut known: HashMap<String, usize> = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        known.entry(entry.name.clone()).or_insert(at);
    }
    for entry in new {
        match known.get(&entry.name).and_then(|at| entries.get_mut(*at)) {
            None => {
                known.insert(entry.name.clone(), entries.len());
                entries.push(entry);
            }
            Some(known) => match (&mut known.value.value, entry.value.value) {
                (Value::List(items), Value::List(more)) => items.extend(more),
                (known, value) => *known = value,
            },
        }
    }
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().map(Path::to_owned).unwrap_or_default()
}

/// The same for all paths that lead to a file.
fn identity(file: &Path) -> PathBuf {
    file.canonicalize().unwrap_or_else(|_| file.to_owned())
}
