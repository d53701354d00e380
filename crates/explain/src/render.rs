//! An explanation as text for people.

use anstyle::{AnsiColor, Style};

use super::story::{Explanation, Told};
use crate::cli::output::Text;

impl Explanation {
    /// Returns the explanation as text, with the colours of a terminal.
    pub fn to_text(&self) -> String {
        self.text().into_string()
    }

    pub(in crate::cli) fn text(&self) -> Text {
        let mut text = Table::default();
        text.line("request", &self.request);
        text.line("route", &self.route);
        text.told("candidates", &self.candidates);
        text.told("client keys", &self.client_credentials);
        let notes: Vec<Vec<&str>> = self.notes.iter().map(|note| vec![note.as_str()]).collect();
        text.table("notes", &notes);
        let decision = self.record.get("decision").map_or("undecided", String::as_str);
        let reason = self.record.get("reason").map_or("", String::as_str);
        let colour = match decision {
            "allow" => AnsiColor::Green,
            "undecided" => AnsiColor::Yellow,
            _ => AnsiColor::Red,
        };
        let loud = colour.on_default().bold();
        let reason = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
        text.head("decision").styled(loud, decision).add(&reason).end_line();
        if let Some(answer) = &self.refusal {
            text.line("answer", &format!("{}, {}", answer.status, answer.details));
            let headers: Vec<Vec<String>> =
                answer.headers.iter().map(|(name, value)| vec![format!("{name}: {value}")]).collect();
            text.table("", &borrowed(&headers));
            text.line("", &answer.body);
        }
        let edits: Vec<Vec<String>> = self
            .edits
            .iter()
            .map(|edit| {
                let value = edit.value.as_ref().map_or(String::new(), |value| format!(": {value}"));
                vec![format!("{} {}{value}", edit.action, edit.header), edit.reason.clone()]
            })
            .collect();
        if self.upstream.is_some() {
            text.table("edits", &borrowed(&edits));
        }
        if let Some(upstream) = &self.upstream {
            text.line("upstream", &upstream.start);
            for (name, value) in &upstream.headers {
                text.line("", &format!("{name}: {value}"));
            }
            if !upstream.unchanged.is_empty() {
                text.line("", &format!("and as they came: {}", upstream.unchanged.join(", ")));
            }
        }
        let record: Vec<String> = self.record.iter().map(|(part, value)| format!("{part}={value}")).collect();
        if !record.is_empty() {
            text.line("access log", &record.join(" "));
        }
        if let Some(counter) = &self.counter {
            text.line("counter", counter);
        }
        text.0
    }
}

fn borrowed(rows: &[Vec<String>]) -> Vec<Vec<&str>> {
    rows.iter().map(|row| row.iter().map(String::as_str).collect()).collect()
}

/// Lines with a head in a column of its own.
#[derive(Default)]
struct Table(Text);

impl Table {
    fn head(&mut self, head: &str) -> &mut Text {
        self.0.styled(Style::new().bold(), &format!("{head:<11}")).add("  ")
    }

    fn line(&mut self, head: &str, rest: &str) {
        if head.is_empty() {
            self.0.add(&format!("{:13}", ""));
        } else {
            self.head(head);
        }
        self.0.add(rest).end_line();
    }

    /// Writes rows under one head, each column as wide as its widest cell.
    fn table(&mut self, head: &str, rows: &[Vec<&str>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let cell = |row: &[&str], column: usize| row.get(column).map_or(0, |cell| cell.chars().count());
        let widths: Vec<usize> =
            (0..columns).map(|column| rows.iter().map(|row| cell(row, column)).max().unwrap_or_default()).collect();
        for (index, row) in rows.iter().enumerate() {
            let padded: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            self.line(if index == 0 { head } else { "" }, padded.join("  ").trim_end());
        }
    }

    fn told(&mut self, head: &str, values: &[Told]) {
        let mark = |value: &Told| value.fingerprint.as_ref().map_or(String::new(), |print| format!("sha256:{print}…"));
        let rows: Vec<Vec<String>> =
            values.iter().map(|value| vec![value.place.clone(), mark(value), value.fate.clone()]).collect();
        self.table(head, &borrowed(&rows));
    }
}
