//! The report as text: lines, each with a heading in a column of its own.

use crate::report::Report;

/// The width of the headings' column.
const WIDTH: usize = 13;

impl Report {
    /// Returns the report as text.
    pub fn to_text(&self) -> String {
        self.lines()
            .into_iter()
            .map(|(heading, text)| format!("{heading:<WIDTH$}{text}").trim_end().to_owned() + "\n")
            .collect()
    }

    /// Returns the lines of the text, each with its heading; a line that belongs to the one before has none.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Lines(Vec::new());
        lines.add("request", &self.request);
        lines.add("route", &self.route);
        let candidates = self.candidates.iter().map(|one| (&one.location, &one.fingerprint, &one.outcome));
        lines.table("candidates", &candidates.map(row).collect::<Vec<_>>());
        let credentials = self.client_credentials.iter().map(|one| (&one.location, &one.fingerprint, &one.outcome));
        lines.table("client keys", &credentials.map(row).collect::<Vec<_>>());
        lines.table("notes", &self.notes.iter().map(|note| vec![note.clone()]).collect::<Vec<_>>());
        let part = |name: &str| self.record.get(name).map(String::as_str);
        let reason = part("reason").map_or(String::new(), |reason| format!(" ({reason})"));
        lines.add("decision", &format!("{}{reason}", part("decision").unwrap_or("undecided")));
        if let Some(reply) = &self.reply {
            let headers = reply.headers.iter().map(|(name, value)| format!("{name}: {value}"));
            let status = format!("{}, {}", reply.status, reply.details);
            let rows = [status].into_iter().chain(headers).chain([reply.body.clone()]);
            lines.table("answer", &rows.map(|row| vec![row]).collect::<Vec<_>>());
        }
        let edits = self.edits.iter().map(|edit| {
            let value = edit.value.as_ref().map_or(String::new(), |value| format!(": {value}"));
            vec![format!("{} {}{value}", edit.action, edit.header), edit.reason.clone()]
        });
        lines.table("edits", &edits.collect::<Vec<_>>());
        if let Some(upstream) = &self.upstream {
            let headers = upstream.headers.iter().map(|(name, value)| format!("{name}: {value}"));
            let unchanged =
                (!upstream.unchanged.is_empty()).then(|| format!("and unchanged: {}", upstream.unchanged.join(", ")));
            let rows = [upstream.start.clone()].into_iter().chain(headers).chain(unchanged);
            lines.table("upstream", &rows.map(|row| vec![row]).collect::<Vec<_>>());
        }
        if !self.record.is_empty() {
            let record: Vec<String> = self.record.iter().map(|(part, value)| format!("{part}={value}")).collect();
            lines.add("access log", &record.join(" "));
        }
        if let Some(counter) = &self.counter {
            lines.add("counter", counter);
        }
        lines.0
    }
}

fn row((location, fingerprint, outcome): (&String, &Option<String>, &String)) -> Vec<String> {
    let fingerprint = fingerprint.as_ref().map_or(String::new(), |fingerprint| format!("sha256:{fingerprint}…"));
    vec![location.clone(), fingerprint, outcome.clone()]
}

struct Lines(Vec<(&'static str, String)>);

impl Lines {
    fn add(&mut self, heading: &'static str, text: &str) {
        self.0.push((heading, text.to_owned()));
    }

    /// Adds rows under one heading, each column as wide as its widest cell.
    fn table(&mut self, heading: &'static str, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let cell = |row: &[String], column: usize| row.get(column).map_or(0, |cell| cell.chars().count());
        let widths: Vec<usize> =
            (0..columns).map(|column| rows.iter().map(|row| cell(row, column)).max().unwrap_or_default()).collect();
        for (index, row) in rows.iter().enumerate() {
            let padded: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            self.add(if index == 0 { heading } else { "" }, padded.join("  ").trim_end());
        }
    }
}
