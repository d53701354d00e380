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
        std::fs::write(&path, updated(&text, &updates)).expect("a writable file");
        for update in updates {
            say(&format!("{}: updated for review: {}", update.at, update.name));
        }
    }
}

/// Returns the text of a file after its updates.
fn updated(text: &str, updates: &[&Update]) -> String {
    let mut document: DocumentMut = text.parse().expect("a file that was read before");
    for kind in ["case", "refused", "warning"] {
        let tables = document.get_mut(kind).and_then(Item::as_array_of_tables_mut);
        for table in tables.into_iter().flat_map(|tables| tables.iter_mut()) {
            let name = table.get("name").and_then(Item::as_str).map(str::to_owned);
            let of_table = updates.iter().filter(|update| Some(&update.name) == name.as_ref());
            of_table.for_each(|update| apply(table, update));
        }
    }
    document.to_string()
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

#[cfg(test)]
mod tests {
    use super::super::{Corpus, Message, load};
    use super::*;

    const TEXT: &str = r#"# A comment.
[configurations]
any = '{}'

[[case]]
name = "says nothing"
config = "any"
request = '''
POST /a
x-own: 1
'''

[[case]] # Another comment.
name = "says something else"
config = "any"
request = 'POST /a'
status   = 403
headers = ['x-own: 1']
record = { reason = "unverified",  consumer = "a" }

[[case]]
name = "is right"
config = "any"
request = 'GET /a'
upstream = 'GET /a'
"#;

    fn corpus(text: &str) -> Corpus {
        load::corpus(vec![("any.toml".to_owned(), text.to_owned())]).unwrap()
    }

    fn record(parts: &[(&str, &str)]) -> BTreeMap<String, String> {
        parts.iter().map(|(part, value)| ((*part).to_owned(), (*value).to_owned())).collect()
    }

    fn outcomes() -> [Outcome; 2] {
        let message = Message::parse("POST /a\nx-own: 1\nx-request-id: 7").unwrap();
        let passed =
            Outcome { verdict: Verdict::Passed(message), record: record(&[("decision", "allow"), ("consumer", "b")]) };
        let refused = Refused {
            status: 401,
            headers: vec![("x-own".to_owned(), "1".to_owned()), ("x-other".to_owned(), "2".to_owned())],
            body: b"{}".to_vec(),
            details: "byok_missing_api_key".to_owned(),
            logged_path: Some(b"/a".to_vec()),
        };
        let record = record(&[("decision", "deny"), ("reason", "missing_api_key")]);
        [passed, Outcome { verdict: Verdict::Refused(refused), record }]
    }

    #[test]
    fn what_is_missing_or_differs_is_written_and_nothing_else() {
        let corpus = corpus(TEXT);
        let [passed, refused] = outcomes();
        let updates = [of_case(&corpus.cases[0], &passed), of_case(&corpus.cases[1], &refused)];
        let expected = TEXT
            .replace(
                "x-own: 1\n'''\n",
                "x-own: 1\n'''\nupstream = '''\nPOST /a\nx-own: 1\n'''\nrecord = { consumer = \"b\" }\n",
            )
            .replace("status   = 403", "status   = 401")
            .replace("\"unverified\",  consumer = \"a\"", "\"missing_api_key\",  consumer = \"-\"");
        let written = updated(TEXT, &updates.iter().collect::<Vec<_>>());
        assert_eq!(written, expected);
    }

    #[test]
    fn a_case_is_right_after_its_update() {
        let before = corpus(TEXT);
        for (at, outcome) in outcomes().into_iter().enumerate() {
            let update = of_case(&before.cases[at], &outcome);
            let after = corpus(&updated(TEXT, &[&update]));
            let outcome = Ok(outcome);
            let report = before.cases[at].report(&outcome).unwrap();
            assert!(report.starts_with(&format!("tests/cases/any.toml:{}: says", [6, 14][at])), "{report}");
            assert_eq!(after.cases[at].report(&outcome), None);
        }
    }
}
