//! A curl command line, read for the request that it would send.

use std::ffi::{OsStr, OsString};

use byok_explain::Request;

use super::{bytes, header};
use crate::CliError;

/// Options with an argument that says nothing about the request's head.
const WITH_ARGUMENT: [&str; 17] = [
    "-o",
    "--output",
    "-m",
    "--max-time",
    "--connect-timeout",
    "--retry",
    "-w",
    "--write-out",
    "--cacert",
    "--cert",
    "--key",
    "--resolve",
    "-x",
    "--proxy",
    "-D",
    "--dump-header",
    "--limit-rate",
];
/// Options that send a body, by POST unless another method is named.
const WITH_BODY: [&str; 8] =
    ["-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--data-urlencode", "-F", "--form"];
/// Short options without an argument.
const FLAGS: &str = "sSvVikLNfgnq0146#";

/// Returns the request that curl would send.
///
/// # Errors
/// Names an option that is not known, or says what is missing; never a value.
pub(super) fn request(words: &[OsString]) -> Result<Request, CliError> {
    let split = match words {
        // A command line in quotes, as browsers copy it.
        [whole] => shlex::split(&whole.to_string_lossy().replace("\\\n", " "))
            .ok_or_else(|| failure("the quotes are not closed"))?
            .into_iter()
            .map(OsString::from)
            .collect(),
        words => words.to_vec(),
    };
    let mut line = Line::default();
    let mut words = split.into_iter().skip_while(|word| word == "curl");
    while let Some(word) = words.next() {
        let text = word.to_string_lossy().into_owned();
        if text.starts_with("--") {
            line.long(&text, &mut || words.next())?;
        } else if text.len() > 1 && text.starts_with('-') {
            line.short(&word, &mut || words.next())?;
        } else {
            line.url = Some(word);
        }
    }
    line.request()
}

#[derive(Default)]
struct Line {
    url: Option<OsString>,
    method: Option<String>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    has_body: bool,
    is_json: bool,
    is_form: bool,
    is_get: bool,
    is_head: bool,
}

type Next<'a> = &'a mut dyn FnMut() -> Option<OsString>;

impl Line {
    fn long(&mut self, text: &str, next: Next<'_>) -> Result<(), CliError> {
        self.option(text, next)
    }

    /// Reads one word of short options: flags, then perhaps one with its argument behind it.
    fn short(&mut self, word: &OsStr, next: Next<'_>) -> Result<(), CliError> {
        let word = bytes(word);
        let mut rest = word.get(1..).unwrap_or_default();
        while let Some((letter, after)) = rest.split_first() {
            let letter = char::from(*letter);
            if FLAGS.contains(letter) {
                rest = after;
                continue;
            }
            if letter == 'I' || letter == 'G' {
                self.option(&format!("-{letter}"), next)?;
                rest = after;
                continue;
            }
            let mut behind = (!after.is_empty()).then(|| from_bytes(after));
            return self.option(&format!("-{letter}"), &mut || behind.take().or_else(&mut *next));
        }
        Ok(())
    }

    fn option(&mut self, option: &str, next: Next<'_>) -> Result<(), CliError> {
        let mut argument = || next().ok_or_else(|| failure(&format!("{option} lacks its argument")));
        match option {
            "-X" | "--request" => self.method = Some(argument()?.to_string_lossy().into_owned()),
            "-H" | "--header" => {
                let line = argument()?;
                // `Name:` takes a header out, `Name;` sends an empty one.
                let text = bytes(&line);
                match text.strip_suffix(b";") {
                    Some(name) if !text.contains(&b':') => self.headers.push((name.to_vec(), Vec::new())),
                    _ => {
                        let (name, value) = header(&line)?;
                        if !value.is_empty() {
                            self.headers.push((name, value));
                        }
                    }
                }
            }
            "--url" => self.url = Some(argument()?),
            "-A" | "--user-agent" => self.header("user-agent", bytes(&argument()?)),
            "-e" | "--referer" => self.header("referer", bytes(&argument()?)),
            "-b" | "--cookie" => self.header("cookie", bytes(&argument()?)),
            "--oauth2-bearer" => {
                let token = bytes(&argument()?);
                self.header("authorization", [b"Bearer ", &*token].concat());
            }
            "-u" | "--user" => {
                // The value would be encoded; that it is no bearer token is all that counts.
                argument()?;
                self.header("authorization", b"Basic bm90LXNob3du".to_vec());
            }
            "--json" => {
                argument()?;
                (self.has_body, self.is_json) = (true, true);
            }
            "-I" | "--head" => self.is_head = true,
            "-G" | "--get" => self.is_get = true,
            _ if WITH_BODY.contains(&option) => {
                argument()?;
                self.has_body = true;
                self.is_form |= matches!(option, "-F" | "--form");
            }
            _ if WITH_ARGUMENT.contains(&option) => drop(argument()?),
            _ if option.starts_with("--") => match option {
                "--silent"
                | "--show-error"
                | "--verbose"
                | "--include"
                | "--insecure"
                | "--location"
                | "--no-buffer"
                | "--fail"
                | "--fail-with-body"
                | "--globoff"
                | "--compressed"
                | "--http1.1"
                | "--http2"
                | "--http3"
                | "--http2-prior-knowledge"
                | "--no-progress-meter"
                | "--ipv4"
                | "--ipv6"
                | "--path-as-is" => {}
                _ => return Err(failure("an option that is not known: leave it out")),
            },
            _ => return Err(failure("an option that is not known: leave it out")),
        }
        Ok(())
    }

    fn header(&mut self, name: &str, value: Vec<u8>) {
        self.headers.push((name.as_bytes().to_vec(), value));
    }

    fn request(mut self) -> Result<Request, CliError> {
        let url = bytes(&self.url.take().ok_or_else(|| failure("expected an address"))?);
        let after_scheme =
            url.windows(3).position(|window| window == b"://").and_then(|at| url.get(at + 3..)).unwrap_or(&url);
        let end = after_scheme.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(after_scheme.len());
        let (authority, target) = after_scheme.split_at_checked(end).unwrap_or((after_scheme, b""));
        let host = authority.rsplit(|byte| *byte == b'@').next().unwrap_or_default().to_vec();
        let target = target.split(|byte| *byte == b'#').next().unwrap_or_default();
        let path = if target.starts_with(b"/") { target.to_vec() } else { [b"/", target].concat() };
        let own_host = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"host"));
        let host = own_host.map_or(host, |(_, value)| value.clone());
        let method = match self.method.take() {
            Some(method) => method,
            None if self.is_head => "HEAD".to_owned(),
            None if self.has_body && !self.is_get => "POST".to_owned(),
            None => "GET".to_owned(),
        };
        let has = |headers: &[(Vec<u8>, Vec<u8>)], wanted: &str| {
            headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()))
        };
        if self.has_body && !self.is_get && !has(&self.headers, "content-type") {
            let kind = match (self.is_json, self.is_form) {
                (true, _) => "application/json",
                (_, true) => "multipart/form-data",
                _ => "application/x-www-form-urlencoded",
            };
            self.header("content-type", kind.as_bytes().to_vec());
        }
        if !has(&self.headers, "accept") {
            self.header("accept", if self.is_json { b"application/json".to_vec() } else { b"*/*".to_vec() });
        }
        Ok(Request { method: method.into_bytes(), host, path: Some(path), headers: self.headers }.with_id())
    }
}

fn failure(what: &str) -> CliError {
    CliError(format!("curl: {what}"))
}

fn from_bytes(bytes: &[u8]) -> OsString {
    #[cfg(unix)]
    return <OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes).to_os_string();
    #[cfg(not(unix))]
    return String::from_utf8_lossy(bytes).into_owned().into();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> String {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let request = request(&words).unwrap_or_else(|CliError(message)| panic!("{message}"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut lines =
            vec![format!("{} {} {}", text(&request.method), text(&request.host), text(&request.path.unwrap()))];
        let own = request.headers.iter().filter(|(name, _)| !matches!(&**name, b"x-request-id" | b"accept"));
        lines.extend(own.map(|(name, value)| format!("{}: {}", text(name), text(value))));
        lines.join("\n")
    }

    #[test]
    fn the_request_is_the_one_that_curl_would_send() {
        let words =
            ["curl", "-sSXPUT", "https://me@llm.example.com:8443/v1/messages?a=b#c", "-H", "x-api-key: k", "-HA: b"];
        assert_eq!(read(&words), "PUT llm.example.com:8443 /v1/messages?a=b\nx-api-key: k\nA: b");
        assert_eq!(read(&["curl", "--json", "{}", "host?a"]), "POST host /?a\ncontent-type: application/json");
        assert_eq!(read(&["-I", "host/x", "-b", "k=v"]), "HEAD host /x\ncookie: k=v");
        assert_eq!(read(&["-G", "-d", "a=b", "host", "--oauth2-bearer", "t"]), "GET host /\nauthorization: Bearer t");
        assert_eq!(
            read(&["host", "-H", "Host: other", "-H", "x-gone:", "-H", "x-empty;"]),
            "GET other /\nHost: other\nx-empty: "
        );
    }

    #[test]
    fn one_word_is_a_whole_command_line() {
        assert_eq!(read(&["curl 'https://host/x' \\\n  -H 'a: b c' --compressed"]), "GET host /x\na: b c");
    }

    #[test]
    fn what_is_not_known_is_an_error_without_its_value() {
        for words in [&["curl"][..], &["curl", "--frobnicate", "host"], &["curl", "-H"], &["curl 'open"]] {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert!(request(&words).is_err(), "{words:?}");
        }
    }
}
