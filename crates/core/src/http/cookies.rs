//! Cookies ([RFC 6265](https://www.rfc-editor.org/rfc/rfc6265)): split at `;`, passed on byte for byte.

use super::trim;

/// One cookie of a `cookie` line, without surrounding whitespace.
#[derive(Clone, Copy)]
pub struct Cookie<'a> {
    raw: &'a [u8],
}

impl<'a> Cookie<'a> {
    /// Whether this is the name, by its case.
    pub fn is_named(self, name: &str) -> bool {
        self.split().0 == name.as_bytes()
    }

    /// Returns the value without surrounding double quotes.
    pub fn value(self) -> &'a [u8] {
        let value = self.split().1;
        value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
    }

    fn split(self) -> (&'a [u8], &'a [u8]) {
        match self.raw.iter().position(|byte| *byte == b'=').and_then(|at| self.raw.split_at_checked(at)) {
            Some((name, value)) => (trim(name), trim(value.strip_prefix(b"=").unwrap_or_default())),
            None => (&[], self.raw),
        }
    }
}

/// Returns the cookies of all `cookie` lines in order.
pub fn cookies<'a>(lines: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = Cookie<'a>> {
    lines.flat_map(|line| line.split(|byte| *byte == b';')).map(|raw| Cookie { raw: trim(raw) })
}

/// Returns the cookies that `cut` does not select as one line, or `None` if it selects none.
///
/// They stay byte for byte; several lines are joined as in
/// [RFC 9113, 8.2.3](https://www.rfc-editor.org/rfc/rfc9113#section-8.2.3).
pub fn without<'a>(lines: impl Iterator<Item = &'a [u8]>, mut cut: impl FnMut(Cookie<'a>) -> bool) -> Option<Vec<u8>> {
    let mut picked = false;
    let mut keeps = |raw: &&'a [u8]| {
        let goes = cut(Cookie { raw: trim(raw) });
        picked |= goes;
        !goes
    };
    let rest: Vec<Vec<u8>> = lines
        .map(|line| line.split(|byte| *byte == b';').filter(&mut keeps).collect::<Vec<_>>().join(&b';'))
        .map(|line| trim(&line).to_vec())
        .filter(|line| !line.is_empty())
        .collect();
    picked.then(|| rest.join(&b"; "[..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_cut_stays_in_one_line() {
        let cut = |lines: &[&'static str]| {
            without(lines.iter().map(|line| line.as_bytes()), |cookie| cookie.is_named("k"))
                .map(|rest| String::from_utf8(rest).unwrap())
        };
        assert_eq!(cut(&["a=1; k=x;b=\"2\"", "c = 3"]), Some("a=1;b=\"2\"; c = 3".into()));
        assert_eq!(cut(&["k=x", "k = y"]), Some(String::new()));
        assert_eq!(cut(&["k; a=k"]), None);
        assert_eq!(cut(&[]), None);
    }

    #[test]
    fn quotes_around_a_value_do_not_belong_to_it() {
        let value = |line: &'static str| cookies(std::iter::once(line.as_bytes())).next().unwrap().value();
        assert_eq!(value("k=\"x\""), b"x");
        assert_eq!(value("k=\"x"), b"\"x");
        assert_eq!(value("k=a=b"), b"a=b");
    }
}
