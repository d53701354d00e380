//! Tables for the terminal that are Markdown too.

/// Writes rows under a head, all columns as wide as they need; numbers stand to the right.
pub(super) fn markdown(head: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain(head.get(column).map(|cell| cell.chars().count())).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: Vec<String>| {
        let cells: Vec<String> = cells
            .iter()
            .zip(&widths)
            .enumerate()
            .map(
                |(column, (cell, width))| {
                    if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = widths.iter().enumerate().map(|(column, width)| match column {
        0 => "-".repeat(*width),
        _ => format!("{}:", "-".repeat(width.saturating_sub(1))),
    });
    let head = line(head.iter().map(|cell| (*cell).to_owned()).collect());
    let rule = line(rule.collect());
    let rows: String = rows.iter().cloned().map(line).collect();
    head + &rule + &rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["µs".to_owned(), "1.5".to_owned()], vec!["longer".to_owned(), "10.25".to_owned()]];
        assert_eq!(
            markdown(&["a", "b"], &rows),
            "| a      |     b |\n| ------ | ----: |\n| µs     |   1.5 |\n| longer | 10.25 |\n"
        );
    }
}
