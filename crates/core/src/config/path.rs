//! JSON paths as errors and warnings show them: the one way in which a name that somebody else chose gets into one.

use std::fmt;

use crate::providers::SECRET_PREFIXES;

/// Where a part of the configuration is.
///
/// Field names are the program's own; a name that the configuration gives can only be added by [`Path::named`].
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    /// A field of the whole.
    Top(&'static str),
    Field(&'a Path<'a>, &'static str),
    Item(&'a Path<'a>, usize),
    Named(&'a Path<'a>, &'a str),
}

impl<'a> Path<'a> {
    pub(super) fn field(&'a self, name: &'static str) -> Self {
        Self::Field(self, name)
    }

    pub(super) fn item(&'a self, index: usize) -> Self {
        Self::Item(self, index)
    }

    /// Adds the name of an entry, which may be anything.
    pub(super) fn named(&'a self, name: &'a str) -> Self {
        Self::Named(self, name)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top(name) => f.write_str(name),
            Self::Field(holder, name) => write!(f, "{holder}.{name}"),
            Self::Item(holder, index) => write!(f, "{holder}[{index}]"),
            Self::Named(holder, name) => write!(f, "{holder}.{}", Shown(name)),
        }
    }
}

/// A name as it may be shown: `?` where it looks like a secret, in quotes where it has more than visible ASCII or
/// would be taken for several parts of a path.
///
/// A name looks like a secret if it is longer than 64 bytes, if a word in it begins as the keys of vendors do, or if 20
/// letters and digits follow each other with a digit among them.
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = *self;
        if looks_like_secret(name.as_bytes()) {
            return f.write_str("?");
        }
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b".[]\"\\?".contains(&byte);
        if !name.is_empty() && name.bytes().all(is_plain) {
            return f.write_str(name);
        }
        f.write_str("\"")?;
        for character in name.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                ' '..='~' => write!(f, "{character}")?,
                _ => write!(f, "{}", character.escape_unicode())?,
            }
        }
        f.write_str("\"")
    }
}

const LONGEST: usize = 64;
const LONGEST_WORD: usize = 20;

fn looks_like_secret(name: &[u8]) -> bool {
    let mut word = 0;
    let mut digits = 0;
    let has_word_of_key = name.iter().enumerate().any(|(at, byte)| {
        if !byte.is_ascii_alphanumeric() {
            (word, digits) = (0, 0);
            return false;
        }
        let rest = name.get(at..).unwrap_or_default();
        let begins = word == 0 && SECRET_PREFIXES.iter().any(|prefix| rest.starts_with(prefix));
        word += 1;
        digits += usize::from(byte.is_ascii_digit());
        begins || (word >= LONGEST_WORD && digits > 0)
    });
    name.len() > LONGEST || has_word_of_key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_name_is_shown_as_it_is() {
        for name in ["anthropic", "azure-openai-eastus2-production", "task-runner", "x_1/b", "deployment_keys"] {
            assert_eq!(Shown(name).to_string(), name);
        }
    }

    #[test]
    fn what_looks_like_a_secret_is_not_shown() {
        let hex = "0a".repeat(10);
        for name in ["sk-ant-api03-EXAMPLE", "Bearer sk-EXAMPLE", "sk_EXAMPLE", "AIzaEXAMPLE", "ya29.EXAMPLE"]
            .into_iter()
            .chain([&*hex, &*format!("byok-{hex}"), &*"n".repeat(65), "\u{1b}sk-EXAMPLE"])
        {
            assert_eq!(Shown(name).to_string(), "?", "{name}");
        }
        assert_eq!(Shown(&"n".repeat(64)).to_string().len(), 64);
    }

    #[test]
    fn a_name_is_one_part_on_one_line_whatever_is_in_it() {
        assert_eq!(Shown("").to_string(), r#""""#);
        assert_eq!(Shown("gpt-4.1").to_string(), r#""gpt-4.1""#);
        assert_eq!(Shown("a b[0]").to_string(), r#""a b[0]""#);
        assert_eq!(Shown("?").to_string(), r#""?""#);
        assert_eq!(
            Shown("a\"\\\r\n\u{1b}[31m\u{9b}é\u{202e}").to_string(),
            r#""a\"\\\u{d}\u{a}\u{1b}[31m\u{9b}\u{e9}\u{202e}""#
        );
    }

    #[test]
    fn a_path_is_its_parts() {
        let consumers = Path::Top("consumers");
        let keys = consumers.item(1);
        let keys = keys.field("deployment_keys");
        assert_eq!(keys.named("a.b").field("value").to_string(), r#"consumers[1].deployment_keys."a.b".value"#);
    }
}
