//! The one way to the terminal: nothing that comes from a file, its name or the command line can control the terminal or
//! start a line of its own.

use std::fmt;
use std::io::{self, Write as _};

use anstyle::Style;

/// Text for people: all that is added is escaped; styles and line ends come from the program alone.
#[derive(Default)]
pub(crate) struct Text(String);

impl Text {
    /// Adds text; use `write!` for what is formatted.
    pub(crate) fn add(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            if is_unsafe(character) {
                self.0.extend(character.escape_default());
            } else {
                self.0.push(character);
            }
        }
        self
    }

    /// Adds text in a style, which is left out if the output is no terminal.
    pub(crate) fn styled(&mut self, style: Style, text: &str) -> &mut Self {
        self.0.push_str(&style.render().to_string());
        self.add(text);
        self.0.push_str(&style.render_reset().to_string());
        self
    }

    /// Adds lines with styles; everything in them that is not a style is escaped.
    pub(crate) fn add_rendered(&mut self, lines: &str) -> &mut Self {
        for (index, line) in lines.lines().enumerate() {
            if index > 0 {
                self.end_line();
            }
            let mut parts = line.split("\u{1b}[");
            self.add(parts.next().unwrap_or_default());
            for part in parts {
                match part.split_once('m') {
                    Some((style, rest)) if style.bytes().all(|byte| byte.is_ascii_digit() || byte == b';') => {
                        self.0.extend(["\u{1b}[", style, "m"]);
                        self.add(rest);
                    }
                    _ => drop(self.add("\u{1b}[").add(part)),
                }
            }
        }
        self
    }

    pub(crate) fn end_line(&mut self) -> &mut Self {
        self.0.push('\n');
        self
    }

    pub(crate) fn to_stdout(&self) -> io::Result<()> {
        anstream::stdout().lock().write_all(self.0.as_bytes())
    }

    pub(crate) fn to_stderr(&self) -> io::Result<()> {
        anstream::stderr().lock().write_all(self.0.as_bytes())
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.add(text);
        Ok(())
    }
}

/// Writes JSON to standard output.
pub(crate) fn json_to_stdout(json: &str) -> io::Result<()> {
    verbatim_to_stdout(&escaped_json(json))
}

/// Writes text that comes from the program alone.
pub(crate) fn verbatim_to_stdout(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

/// Escapes the characters that are valid in a JSON string and unsafe on a terminal.
pub(crate) fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        // Between values JSON has no control characters other than line ends, and in strings none of the first 32.
        if character != '\n' && is_unsafe(character) {
            let mut units = [0; 2];
            let units = character.encode_utf16(&mut units);
            escaped.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Returns text on one line, without characters that are unsafe on a terminal.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = Text::default();
    escaped.add(text);
    escaped.0
}

/// Whether a character may control a terminal, or change the order or visibility of its neighbours.
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const HOSTILE: &str = "a\u{1b}[31m\r\n\u{7f}\u{9b}2J\u{202e}\u{200b}\u{e0041}é…";

    #[test]
    fn text_reaches_a_terminal_without_what_acts_on_it() {
        let mut text = Text::default();
        text.add(HOSTILE).end_line();
        write!(text, "{HOSTILE}").unwrap();
        let escaped = r"a\u{1b}[31m\r\n\u{7f}\u{9b}2J\u{202e}\u{200b}\u{e0041}é…";
        assert_eq!(text.0, format!("{escaped}\n{escaped}"));
    }

    #[test]
    fn styles_are_the_programs_own() {
        let mut text = Text::default();
        text.styled(Style::new().bold(), "a\u{1b}[0m");
        assert_eq!(text.0, "\u{1b}[1ma\\u{1b}[0m\u{1b}[0m");
    }

    #[test]
    fn of_rendered_lines_only_the_styles_reach_a_terminal() {
        let mut text = Text::default();
        text.add_rendered("\u{1b}[1m\u{1b}[94ma\u{1b}[0m\u{1b}[2J\u{7}\n\u{1b}]0;x\u{1b}[1;31mb\u{1b}[");
        assert_eq!(text.0, "\u{1b}[1m\u{1b}[94ma\u{1b}[0m\\u{1b}[2J\\u{7}\n\\u{1b}]0;x\u{1b}[1;31mb\\u{1b}[");
    }

    #[test]
    fn json_still_says_the_same() {
        let json = serde_json::json!({ HOSTILE: [HOSTILE] });
        let escaped = escaped_json(&format!("{json:#}"));
        assert!(escaped.chars().all(|character| character == '\n' || !is_unsafe(character)), "{escaped}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), json);
    }
}
