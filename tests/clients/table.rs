//! The table, on the terminal and in `docs/clients.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use byok_testkit::root;
use serde_json::Value;

use crate::client::{Client, Program};
use crate::rows::Row;
use crate::worker::Language;

const BEGIN: &str = "<!-- Written by `make test-clients`: -->\n";
const END: &str = "<!-- End of what is written. -->\n";

/// Renders rows with what was seen of each: the credentials that reached the provider, and what the client showed.
pub(crate) fn rendered(rows: &[(&Row, String, String)]) -> String {
    let mut table =
        "| client | is given | calls | the provider gets | the client shows |\n|---|---|---|---|---|\n".to_owned();
    let mut before = None;
    for (row, reached, shows) in rows {
        let name = if before == Some(row.client) { String::new() } else { named(row.client) };
        before = Some(row.client);
        let given: Vec<String> = row.given.iter().map(|(place, letters)| given(place, letters)).collect();
        let (given, calls) = (given.join(", "), row.calls.join("; "));
        writeln!(table, "| {name} | {given} | {calls} | {reached} | {shows} |").expect("a string");
    }
    table
}

/// Compares the page with the table, or writes it with `UPDATE_TABLE=1`.
pub(crate) fn compare(table: &str) -> Result<(), String> {
    let page = root().join("docs/clients.md");
    let text = fs::read_to_string(&page).expect("docs/clients.md");
    let (before, rest) = text.split_once(BEGIN).expect("the beginning of the table");
    let (written, after) = rest.split_once(END).expect("the end of the table");
    if written.trim() == table.trim() {
        return Ok(());
    }
    if std::env::var_os("UPDATE_TABLE").is_some() {
        fs::write(page, format!("{before}{BEGIN}\n{table}\n{END}{after}")).expect("a writable page");
        return Ok(());
    }
    Err("docs/clients.md has another table: make test-clients UPDATE_TABLE=1 writes this one".to_owned())
}

/// What SDKs call the credentials that they are given; all else is the name of a header, parameter or variable.
const PARAMETERS: [&str; 2] = ["API key", "auth token"];

fn given(place: &str, letters: &str) -> String {
    if PARAMETERS.contains(&place) { format!("{place}: {letters}") } else { format!("`{place}`: {letters}") }
}

/// The client with the version that is pinned.
fn named(client: Client) -> String {
    let Some(package) = client.package else { return client.name.to_owned() };
    let directory: PathBuf = root().join("tests/clients");
    let read = |name: &str| fs::read_to_string(directory.join(name)).expect("a list of packages");
    let version = if matches!(client.program, Program::Sdk(Language::Python, _)) {
        let prefix = format!("{package}==");
        read("requirements.txt").lines().find_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
    } else {
        let list: Value = serde_json::from_str(&read("package.json")).expect("a list in JSON");
        list["dependencies"][package].as_str().map(str::to_owned)
    };
    format!("{} {}", client.name, version.unwrap_or_else(|| panic!("{package} is not listed")))
}
