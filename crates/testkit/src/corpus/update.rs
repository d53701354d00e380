//! `UPDATE_CASES=1`: writes what the core decides into the files of the corpus, for review. Only expectations that are
//! missing or differ are written; the rest of a file keeps its form.

use std::collections::BTreeMap;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value};

use super::message::escape;
use super::source::FOLDER;
use super::{Case, Expected, Location, Outcome, RECORD_PARTS, Refused, Verdict, say};

/// New values of fields of one case or configuration; `None` removes a field.
pub(super) struct Update {
    at: Location,
    name: String,
    fields: Vec<(&'static str, Option<Item>)>,
}

/// Makes a case expect its outcome. Of headers, body, path and record only what the case gives is replaced.
pub(super) fn of_case(case: &Case, outcome: &Outcome) -> Update {
    let mut fields = Vec::new();
    match &outcome.verdict {
        Verdict::Passed(message) if !case.passes_as(message) => {
            let lines = case.compared_lines(message).join("\n");
            fields.extend(["status", "headers", "body", "logged_path"].map(|field| (field, None)));
            fields.push(("upstream", Some(lines_item(&lines))));
        }
        Verdict::Passed(_) | Verdict::PassedUnseen => {}
        Verdict::Refused(refused) => {
            fields.extend([("upstream", None), ("status", Some(Value::from(i64::from(refused.status)).into()))]);
            fields.extend(refusal(case, refused));
        }
    }
    fields.push(("record", record(case, outcome)));
    Update { at: case.at.clone(), name: case.name.clone(), fields }
}

/// Makes a configuration expect these errors or warnings.
pub(super) fn of_list(at: &Location, name: &str, field: &'static str, values: &[String]) -> Update {
    let list: Array = values.iter().map(String::as_str).collect();
    Update { at: at.clone(), name: name.to_owned(), fields: vec![(field, Some(Value::from(list).into()))] }
}

/// Writes all updates into the files, and says which.
pub(super) fn write(updates: &[Update]) {
    let mut of_file: BTreeMap<&str, Vec<&Update>> = BTreeMap::new();
    for update in updates {
        of_file.entry(&update.at.file).or_default().push(update);
    }
    for (file, updates) in of_file {
        let path = format!("{FOLDER}/{file}");
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let mut document: DocumentMut = text.parse().expect("a file that was read before");
        for update in updates {
            let tables = ["case", "refused", "warning"].into_iter().filter(|kind| document.contains_key(kind));
            let kinds: Vec<&str> = tables.collect();
            for kind in kinds {
                let tables = document[kind].as_array_of_tables_mut().expect("an array of tables");
                let named = tables.iter_mut().find(|table| table["name"].as_str() == Some(&*update.name));
                if let Some(table) = named {
                    apply(table, update);
                }
            }
            say(&format!("{}: updated for review: {}", update.at, update.name));
        }
        std::fs::write(&path, document.to_string()).expect("a writable file");
    }
}

fn apply(table: &mut Table, update: &Update) {
    for (field, item) in &update.fields {
        match (item, table.get_mut(field)) {
            (None, _) => drop(table.remove(field)),
            (Some(item), Some(present)) => replace(present, item),
            (Some(item), None) => drop(table.insert(field, item.clone())),
        }
    }
}

/// Replaces an item by another one, and leaves its form where the value is the same.
fn replace(present: &mut Item, item: &Item) {
    if let (Some(present), Some(table)) = (present.as_inline_table_mut(), item.as_inline_table()) {
        present.retain(|part, _| table.contains_key(part));
        for (part, value) in table {
            match present.get_mut(part) {
                Some(present) if present.as_str() == value.as_str() => {}
                Some(present) => *present = value.clone(),
                None => drop(present.insert(part, value.clone())),
            }
        }
        return;
    }
    let strings =
        |item: &Item| item.as_array().map(|list| list.iter().map(|one| one.as_str().map(str::to_owned)).collect());
    let is_same = item.as_integer().is_some() && item.as_integer() == present.as_integer()
        || item.as_str().is_some() && item.as_str() == present.as_str()
        || strings(item).is_some_and(|list: Vec<_>| Some(list) == strings(present));
    if !is_same {
        *present = item.clone();
    }
}

fn refusal(case: &Case, refused: &Refused) -> Vec<(&'static str, Option<Item>)> {
    let Expected::Refused { headers, body, logged_path, .. } = &case.expected else { return Vec::new() };
    let mut fields = Vec::new();
    if !headers.is_empty() {
        let is_given = |name: &str| headers.iter().any(|(given, _)| given == name);
        let lines = refused.headers.iter().filter(|(name, _)| is_given(name));
        let lines: Array = lines.map(|(name, value)| format!("{name}: {value}")).collect();
        fields.push(("headers", Some(Value::from(lines).into())));
    }
    if body.is_some() {
        let body = String::from_utf8_lossy(&refused.body).replace(&case.request_id(), "REQUEST_ID");
        fields.push(("body", Some(Value::from(body).into())));
    }
    if *logged_path != case.request.path
        && let Some(path) = &refused.logged_path
    {
        fields.push(("logged_path", Some(Value::from(escape(path)).into())));
    }
    fields
}

/// The parts that the case gives, or all that are set if it expects nothing yet.
fn record(case: &Case, outcome: &Outcome) -> Option<Item> {
    let default = if matches!(outcome.verdict, Verdict::Refused(_)) { "deny" } else { "allow" };
    let mut record = InlineTable::new();
    for part in RECORD_PARTS {
        let got = outcome.record.get(part).map(String::as_str);
        let is_given = match case.expected {
            Expected::Missing => got.is_some() || case.record.contains_key(part),
            _ => case.record.contains_key(part),
        };
        if is_given && !(part == "decision" && got == Some(default)) {
            record.insert(part, got.unwrap_or("-").into());
        }
    }
    (!record.is_empty()).then(|| Value::from(record).into())
}

/// A text of several lines as the corpus writes it.
fn lines_item(lines: &str) -> Item {
    let document: DocumentMut = format!("lines = '''\n{lines}\n'''").parse().expect("no line has three quotes");
    document["lines"].clone()
}
