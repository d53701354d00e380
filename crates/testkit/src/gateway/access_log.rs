//! The rows of Envoy's access log.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;

use crate::corpus::is_record_part;

/// One request, as Envoy saw it end.
#[derive(Clone, Debug)]
pub struct Row {
    /// The listener's end of the connection, and the client's.
    pub connection: (SocketAddr, SocketAddr),
    pub protocol: String,
    /// With its query.
    pub path: String,
    pub status: u64,
    pub details: String,
    pub record: BTreeMap<String, String>,
}

pub(super) fn rows(text: &str) -> Vec<Row> {
    // The last line may not be whole yet.
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).map(|row| parsed(&row)).collect()
}

fn parsed(row: &Value) -> Row {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let address = |name: &str| text(name).parse().unwrap_or_else(|_| panic!("no address in {row}"));
    let parts = row.as_object().into_iter().flatten().filter(|(name, _)| is_record_part(name));
    let set = parts.filter_map(|(name, value)| Some((name, value.as_str().filter(|value| *value != "-")?)));
    let record = set.map(|(name, value)| (name.clone(), value.to_owned())).collect();
    Row {
        connection: (address("local"), address("remote")),
        protocol: text("protocol"),
        path: text("path"),
        status: row["status"].as_u64().unwrap_or_default(),
        details: text("details"),
        record,
    }
}
