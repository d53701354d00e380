//! From a place in the JSON text to the path of the value there: read again only where something is wrong.

/// What the text has been inside of so far.
enum Container<'a> {
    /// With the number of the item.
    Array(usize),
    /// With the name of the field as it is written, in its quotes; empty where it is still to come.
    Object(&'a [u8]),
}

/// Returns the path, as in `consumers[1].keys[0]`, of the value or name that ends or is about to begin at that line
/// and column, both as `serde_json` counts them; empty for the document as a whole.
///
/// The text up to there must be JSON.
pub(super) fn path_at(json: &[u8], line: usize, column: usize) -> String {
    let mut inside: Vec<Container<'_>> = Vec::new();
    let mut rest = before(json, line, column);
    while let Some((byte, after)) = rest.split_first() {
        let (token, after) = if *byte == b'"' { split_string(rest) } else { (&[][..], after) };
        rest = after;
        match (byte, inside.last_mut()) {
            (b'{', _) => inside.push(Container::Object(&[])),
            (b'[', _) => inside.push(Container::Array(0)),
            (b'}' | b']', _) => {
                inside.pop();
            }
            (b',', Some(Container::Array(item))) => *item += 1,
            (b',', Some(Container::Object(name))) => *name = &[],
            (b'"', Some(Container::Object(name))) if name.is_empty() => *name = token,
            _ => {}
        }
    }
    inside.iter().fold(String::new(), |path, container| match container {
        Container::Array(item) => format!("{path}[{item}]"),
        Container::Object([]) => path,
        Container::Object(name) if path.is_empty() => unescaped(name),
        Container::Object(name) => path + "." + &unescaped(name),
    })
}

/// Returns the text before a line and column; columns are bytes and count from 1, those before the place included.
fn before(json: &[u8], line: usize, column: usize) -> &[u8] {
    let lines = json.split(|byte| *byte == b'\n').take(line.saturating_sub(1));
    let start: usize = lines.map(|line| line.len() + 1).sum();
    json.get(..start.saturating_add(column)).unwrap_or(json)
}

/// Splits behind the string that begins here.
fn split_string(text: &[u8]) -> (&[u8], &[u8]) {
    let mut escaped = false;
    let end = text.iter().skip(1).position(|byte| {
        let is_end = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        is_end
    });
    end.and_then(|end| text.split_at_checked(end + 2)).unwrap_or((text, &[]))
}

fn unescaped(name: &[u8]) -> String {
    serde_json::from_slice(name).unwrap_or_else(|_| "?".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_the_path_to_it() {
        let json = br#"{"a": [{"b,}\"": 1, "c\u0041": [2, 3]}, 4], "": "d", "e": 6}"#;
        let path = |until: &str| {
            let text = std::str::from_utf8(json).unwrap();
            path_at(json, 1, text.find(until).unwrap() + until.len())
        };
        assert_eq!(path(": 1"), r#"a[0].b,}""#);
        assert_eq!(path(r#""c\u0041""#), "a[0].cA");
        assert_eq!(path("[2"), "a[0].cA[0]");
        assert_eq!(path(", 3"), "a[0].cA[1]");
        assert_eq!(path("3]"), "a[0].cA");
        assert_eq!(path("3]}"), "a[0]");
        assert_eq!(path("}, 4"), "a[1]");
        assert_eq!(path("4]"), "a");
        assert_eq!(path(r#""d""#), "");
        assert_eq!(path(r#""e": "#), "e");
        assert_eq!(path("6}"), "");
        assert_eq!(path_at(json, 1, 0), "");
        assert_eq!(path_at(json, 9, 9), "");
    }

    #[test]
    fn lines_are_counted_from_one() {
        let json = b"{\n  \"a\":\n  [\n1,\n2]}";
        assert_eq!(path_at(json, 2, 5), "a");
        assert_eq!(path_at(json, 4, 1), "a[0]");
        assert_eq!(path_at(json, 5, 1), "a[1]");
    }
}
