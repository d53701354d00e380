//! What reaches the terminal. There is one way out, and nothing that comes from a file, its name or the command line
//! acts on the terminal or begins a line of its own.

use std::fmt;
use std::io::{self, Write as _};

use anstyle::Style;

/// Text for people: all that is added is escaped; styles and line ends are the program's own.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// Adds text; use `write!` for what is formatted.
    pub(super) fn add(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            if is_unsafe(character) {
                self.0.extend(character.escape_default());
            } else {
                self.0.push(character);
            }
        }
        self
    }

    /// Adds text in a style, which a terminal alone sees.
    pub(super) fn styled(&mut self, style: Style, text: &str) -> &mut Self {
        self.0.push_str(&style.render().to_string());
        self.add(text);
        self.0.push_str(&style.render_reset().to_string());
        self
    }

    pub(super) fn end_line(&mut self) -> &mut Self {
        self.0.push('\n');
        self
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }

    pub(super) fn to_stdout(&self) -> io::Result<()> {
        anstream::stdout().lock().write_all(self.0.as_bytes())
    }

    pub(super) fn to_stderr(&self) -> io::Result<()> {
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
pub(super) fn json_to_stdout(json: &str) -> io::Result<()> {
    verbatim_to_stdout(&escaped_json(json))
}

/// Writes text in which all is the program's own.
pub(super) fn verbatim_to_stdout(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

/// Escapes what JSON lets stand in a text and a terminal does not.
pub(super) fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        // Between values JSON has no control character but line ends, and in them none of the first 32.
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

/// Whether a character may act on a terminal, or on the order or visibility of its neighbours.
pub(super) fn is_unsafe(character: char) -> bool {
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
        assert_eq!(text.into_string(), format!("{escaped}\n{escaped}"));
    }

    #[test]
    fn styles_are_the_programs_own() {
        let mut text = Text::default();
        text.styled(Style::new().bold(), "a\u{1b}[0m");
        assert_eq!(text.into_string(), "\u{1b}[1ma\\u{1b}[0m\u{1b}[0m");
    }

    #[test]
    fn json_still_says_the_same() {
        let json = serde_json::json!({ HOSTILE: [HOSTILE] });
        let escaped = escaped_json(&format!("{json:#}"));
        assert!(escaped.chars().all(|character| character == '\n' || !is_unsafe(character)), "{escaped}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), json);
    }
}
