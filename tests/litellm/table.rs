//! The two sides beside each other, on the terminal.

use crate::rows::Row;
use crate::symbols::Seen;

/// One row, ready to be printed.
pub(crate) struct Line {
    cells: [String; 5],
    note: &'static str,
}

impl Line {
    pub(crate) fn of(row: &Row, seen: [&Option<Seen>; 4]) -> Self {
        let [alone, kept, exchanged, direct] = seen.map(|seen| cell(seen.as_ref()));
        let alone = if alone == row.alone { alone } else { format!("{alone} (was {})", row.alone) };
        Self { cells: [row.request.to_owned(), alone, kept, exchanged, direct], note: row.note }
    }
}

/// What a column shows; `-` where the row does not concern it.
pub(crate) fn cell(seen: Option<&Seen>) -> String {
    seen.map_or_else(|| "-".to_owned(), Seen::shown)
}

pub(crate) fn print(lines: &[Line]) {
    const HEADS: [&str; 5] =
        ["the client sends", "LiteLLM alone", "filter, LiteLLM", "filter, LiteLLM (own key)", "filter, provider"];
    let heads = Line { cells: HEADS.map(str::to_owned), note: "" };
    let widths: [usize; 5] = std::array::from_fn(|at| {
        lines.iter().chain([&heads]).map(|line| line.cells[at].chars().count()).max().unwrap_or_default()
    });
    println!(
        "\nWhat reaches the provider. M: proxy key, K: client's Anthropic key, O: client's OAuth token, D: deployment key,\n\
         E: LiteLLM's ANTHROPIC_API_KEY, number: refused with that status\n"
    );
    for line in [&heads].into_iter().chain(lines) {
        let cells: Vec<String> = line.cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("{}  {}", cells.join(" | "), line.note);
    }
    println!();
}
