//! Every kind of answer that a service may give, from a good key to none that is HTTP: what comes of it, and that the
//! filter is still there afterwards.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use byok_testkit::corpus::say;
use byok_testkit::service::{ALICE, CONFIGURED, Issuer, Scene, ask, json as answer, path_for};
use serde_json::json;

const YES: (u16, &str) = (200, "");
const NO: (u16, &str) = (401, "unknown_api_key");
const EXPIRED: (u16, &str) = (401, "expired_api_key");
const DISABLED: (u16, &str) = (401, "disabled_api_key");
/// No clear answer: nobody passes, and the service is asked again.
const UNCLEAR: (u16, &str) = (503, "verification_unavailable");

/// What the service sends.
enum Says {
    Bytes(Vec<u8>),
    /// At once the first, then the second byte by byte, one each 100 ms.
    Drip(&'static str, &'static str),
    /// The first, then the second again and again.
    Endless(&'static str, String),
    /// The bytes, and then a reset instead of an end.
    Reset(&'static str),
    /// Nothing, for as long as the other side waits.
    Silence,
}

type Kind = (&'static str, Says, (u16, &'static str));

/// Status 200 and a body.
fn body(body: impl AsRef<[u8]>) -> Says {
    with_headers("content-type: application/json", body)
}

/// Status 200, headers and a body.
fn with_headers(lines: &str, body: impl AsRef<[u8]>) -> Says {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{lines}\r\n\r\n", body.len());
    Says::Bytes([head.as_bytes(), body].concat())
}

/// Status 200 and an object with this in its `info`.
fn info(fields: &str) -> Says {
    body(format!(r#"{{"info":{{{fields}}}}}"#))
}

/// A status line as it stands, and the body of a good key.
fn status(line: &str) -> Says {
    raw(format!("{line}\r\ncontent-length: {}\r\n\r\n{ALICE}", ALICE.len()))
}

fn raw(text: impl Into<Vec<u8>>) -> Says {
    Says::Bytes(text.into())
}

fn nested(depth: usize) -> String {
    format!(r#"{{"info":{{"x":{}{}}}}}"#, "[".repeat(depth), "]".repeat(depth))
}

fn padded(size: usize) -> String {
    let frame = r#"{"info":{},"x":""}"#;
    format!(r#"{{"info":{{}},"x":"{}"}}"#, "x".repeat(size - frame.len()))
}

const MAX_ANSWER_BYTES: usize = 1 << 20;

fn statuses() -> Vec<Kind> {
    vec![
        ("200", status("HTTP/1.1 200 OK"), YES),
        ("200 without a reason", status("HTTP/1.1 200"), YES),
        ("200 of HTTP/1.0", status("HTTP/1.0 200 OK"), YES),
        ("400", status("HTTP/1.1 400 Bad Request"), NO),
        ("404 and the body of a good key", status("HTTP/1.1 404 Not Found"), NO),
        ("100 before 404", raw(format!("HTTP/1.1 100 Continue\r\n\r\n{}", answer(404, ""))), NO),
        ("103 before 200", raw(format!("HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n{}", answer(200, ALICE))), YES),
        ("404, then 200 behind it", raw(format!("{}{}", answer(404, ""), answer(200, ALICE))), NO),
        ("201", status("HTTP/1.1 201 Created"), UNCLEAR),
        ("202", status("HTTP/1.1 202 Accepted"), UNCLEAR),
        ("204", raw("HTTP/1.1 204 No Content\r\n\r\n"), UNCLEAR),
        ("204 with a body", status("HTTP/1.1 204 No Content"), UNCLEAR),
        ("206", status("HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 0-1/2"), UNCLEAR),
        ("301", status("HTTP/1.1 301 Moved Permanently\r\nlocation: /key/info"), UNCLEAR),
        ("302 to itself", status("HTTP/1.1 302 Found\r\nlocation: http://issuer.internal/key/info"), UNCLEAR),
        ("307", status("HTTP/1.1 307 Temporary Redirect\r\nlocation: //127.0.0.1/"), UNCLEAR),
        ("308 nowhere", status("HTTP/1.1 308 Permanent Redirect"), UNCLEAR),
        ("304", raw("HTTP/1.1 304 Not Modified\r\n\r\n"), UNCLEAR),
        ("101", raw("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"), UNCLEAR),
        ("402", status("HTTP/1.1 402 Payment Required"), UNCLEAR),
        ("407", status("HTTP/1.1 407 Proxy Authentication Required"), UNCLEAR),
        ("410", status("HTTP/1.1 410 Gone"), UNCLEAR),
        ("418", status("HTTP/1.1 418 I'm a teapot"), UNCLEAR),
        ("429", status("HTTP/1.1 429 Too Many Requests\r\nretry-after: 3600"), UNCLEAR),
        ("500", status("HTTP/1.1 500 Internal Server Error"), UNCLEAR),
        ("503", status("HTTP/1.1 503 Service Unavailable"), UNCLEAR),
        ("099", status("HTTP/1.1 099 OK"), UNCLEAR),
        ("999", status("HTTP/1.1 999 OK"), UNCLEAR),
        ("1200", status("HTTP/1.1 1200 OK"), UNCLEAR),
        ("2e2", status("HTTP/1.1 2e2 OK"), UNCLEAR),
        ("-200", status("HTTP/1.1 -200 OK"), UNCLEAR),
        ("200 of HTTP/9.9", status("HTTP/9.9 200 OK"), YES),
    ]
}

fn documents() -> Vec<Kind> {
    vec![
        ("a good key", body(ALICE), YES),
        ("an empty object", body("{}"), YES),
        ("blanks around", body(" \r\n\t{} \n"), YES),
        ("nothing", body(""), UNCLEAR),
        ("blanks", body("  \n"), UNCLEAR),
        ("null", body("null"), UNCLEAR),
        ("true", body("true"), UNCLEAR),
        ("a number", body("200"), UNCLEAR),
        ("a text", body(r#""valid""#), UNCLEAR),
        ("a list", body("[{}]"), UNCLEAR),
        ("two objects", body("{}{}"), UNCLEAR),
        ("an object and a NUL", body("{}\0"), UNCLEAR),
        ("a byte order mark", body("\u{feff}{}"), UNCLEAR),
        ("UTF-16", body(b"\xFF\xFE{\0}\0"), UNCLEAR),
        ("a part", body(r#"{"info":{"expires":null"#), UNCLEAR),
        ("a comment", body("{/**/}"), UNCLEAR),
        ("a comma at the end", body(r#"{"info":{},}"#), UNCLEAR),
        ("single quotes", body("{'info':{}}"), UNCLEAR),
        ("HTML", with_headers("content-type: text/html", "<html>ok</html>"), UNCLEAR),
        ("a byte that is not UTF-8", body(b"{\"info\":{\"key_alias\":\"\xFF\"}}"), UNCLEAR),
        ("half a surrogate pair", info(r#""key_alias":"\ud800""#), UNCLEAR),
        ("a NUL in a text", info("\"key_alias\":\"a\0b\""), UNCLEAR),
        ("a line end in a text", info("\"key_alias\":\"a\nb\""), UNCLEAR),
        ("a number out of range", info(r#""x":1e999"#), UNCLEAR),
        ("not a number", info(r#""x":NaN"#), UNCLEAR),
        ("a number of 500 digits", info(&format!(r#""x":{}"#, "9".repeat(500))), UNCLEAR),
        ("100 lists in each other", body(nested(100)), YES),
        ("200 lists in each other", body(nested(200)), UNCLEAR),
        ("100,000 lists in each other", body("[".repeat(100_000)), UNCLEAR),
        ("100,000 objects in each other", body(r#"{"a":"#.repeat(100_000)), UNCLEAR),
        ("100,000 fields", body(format!("{{{}\"z\":0}}", "\"a\":0,".repeat(100_000))), YES),
        ("1 MiB", body(padded(MAX_ANSWER_BYTES)), YES),
        ("1 MiB and a byte", body(padded(MAX_ANSWER_BYTES + 1)), UNCLEAR),
        ("20 MiB", body(padded(20 << 20)), UNCLEAR),
        ("40 MiB", body(padded(40 << 20)), UNCLEAR),
        ("another type of content", with_headers("content-type: image/png", ALICE), YES),
        ("text that says it is gzip", with_headers("content-encoding: gzip", ALICE), YES),
        ("gzip", with_headers("content-encoding: gzip", b"\x1F\x8B\x08\0\0\0\0\0\0\x03\xABV\xCA"), UNCLEAR),
    ]
}

fn fields() -> Vec<Kind> {
    vec![
        ("info: null", body(r#"{"info":null}"#), YES),
        ("info: a list", body(r#"{"info":[{"blocked":true}]}"#), YES),
        ("info: a text", body(r#"{"info":"blocked"}"#), YES),
        ("info: a number", body(r#"{"info":0}"#), YES),
        ("info twice, blocked in the last", body(r#"{"info":{},"info":{"blocked":true}}"#), DISABLED),
        ("INFO", body(r#"{"INFO":{"blocked":true}}"#), YES),
        ("expires: 9999", info(r#""expires":"9999-12-31T23:59:59Z""#), YES),
        ("expires: 1970", info(r#""expires":"1970-01-01T00:00:00Z""#), EXPIRED),
        ("expires: year 10000", info(r#""expires":"10000-01-01T00:00:00Z""#), UNCLEAR),
        ("expires: before our era", info(r#""expires":"-0001-01-01T00:00:00Z""#), UNCLEAR),
        ("expires: no such day", info(r#""expires":"2999-02-30T00:00:00Z""#), UNCLEAR),
        ("expires: no zone", info(r#""expires":"2999-01-01T00:00:00""#), UNCLEAR),
        ("expires: garbage", info(r#""expires":"never""#), UNCLEAR),
        ("expires: an empty text", info(r#""expires":"""#), UNCLEAR),
        ("expires: a number", info(r#""expires":32472144000"#), UNCLEAR),
        ("expires: false", info(r#""expires":false"#), UNCLEAR),
        ("expires: a list", info(r#""expires":["2999-01-01T00:00:00Z"]"#), UNCLEAR),
        ("expires: an object", info(r#""expires":{}"#), UNCLEAR),
        ("expires: 1 MB", info(&format!(r#""expires":"{}""#, "9".repeat(1_000_000))), UNCLEAR),
        ("blocked: true", info(r#""blocked":true"#), DISABLED),
        ("blocked: the text true", info(r#""blocked":"true""#), UNCLEAR),
        ("blocked: the text false", info(r#""blocked":"false""#), UNCLEAR),
        ("blocked: 0", info(r#""blocked":0"#), UNCLEAR),
        ("blocked: 1", info(r#""blocked":1"#), UNCLEAR),
        ("blocked: a list", info(r#""blocked":[]"#), UNCLEAR),
        ("blocked twice, true last", info(r#""blocked":false,"blocked":true"#), DISABLED),
        ("status: unknown", info(r#""status":"pending""#), DISABLED),
        ("status: empty", info(r#""status":"""#), DISABLED),
        ("status: expired", info(r#""status":"expired""#), EXPIRED),
        ("status: a number", info(r#""status":200"#), UNCLEAR),
        ("status: true", info(r#""status":true"#), UNCLEAR),
        ("status: a list", info(r#""status":["active"]"#), UNCLEAR),
        ("key_alias: a number", info(r#""key_alias":7"#), YES),
        ("key_alias: an object", info(r#""key_alias":{"name":"alice"}"#), YES),
        ("key_alias: a NUL", info(r#""key_alias":"\u0000""#), YES),
        ("key_alias: line ends", info(r#""key_alias":"alice\r\nx-consumer-username: root""#), YES),
        ("key_alias: 1 MB", info(&format!(r#""key_alias":"{}""#, "a".repeat(1_000_000))), YES),
    ]
}

fn framings() -> Vec<Kind> {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let bombs = |lines: String| raw(format!("HTTP/1.1 200 OK\r\n{lines}content-length: 2\r\n\r\n{{}}"));
    vec![
        ("chunks", raw(format!("{chunked}1\r\n{{\r\n1\r\n}}\r\n0\r\n\r\n")), YES),
        ("chunks and trailers", raw(format!("{chunked}2\r\n{{}}\r\n0\r\n:status: 404\r\nx: y\r\n\r\n")), UNCLEAR),
        ("a chunk without a size", raw(format!("{chunked}ZZ\r\n")), UNCLEAR),
        ("a chunk of a size beyond 64 bits", raw(format!("{chunked}FFFFFFFFFFFFFFFFF\r\n{{}}")), UNCLEAR),
        ("chunks without an end", raw(format!("{chunked}2\r\n{{}}\r\n")), UNCLEAR),
        (
            "a length and chunks",
            raw(format!("{}2\r\n{{}}\r\n0\r\n\r\n", chunked.replace("\r\n\r\n", "\r\ncontent-length: 2\r\n\r\n"))),
            UNCLEAR,
        ),
        ("two lengths", raw("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} "), UNCLEAR),
        ("a negative length", raw("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}"), UNCLEAR),
        ("too great a length", raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}"), UNCLEAR),
        ("a body that ends with the connection", raw("HTTP/1.1 200 OK\r\n\r\n{}"), YES),
        ("a header without a colon", raw("HTTP/1.1 200 OK\r\nnonsense\r\ncontent-length: 2\r\n\r\n{}"), UNCLEAR),
        ("a header with a NUL", raw("HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 2\r\n\r\n{}"), UNCLEAR),
        ("a status among the headers", raw("HTTP/1.1 200 OK\r\n:status: 404\r\ncontent-length: 2\r\n\r\n{}"), UNCLEAR),
        ("bytes beyond ASCII in a header", with_headers("x-any: \u{ff}\u{fe}", "{}"), YES),
        ("5,000 headers", bombs("x: y\r\n".repeat(5_000)), UNCLEAR),
        ("a header of 1 MB", bombs(format!("x: {}\r\n", "y".repeat(1_000_000))), UNCLEAR),
        ("no HTTP", raw("no HTTP\r\n\r\n"), UNCLEAR),
        ("ICY", raw("ICY 200 OK\r\ncontent-length: 2\r\n\r\n{}"), UNCLEAR),
        ("control bytes", raw("\0\u{1}\u{2}"), UNCLEAR),
        ("HTTP/2", raw(b"\0\0\0\x04\0\0\0\0\0".to_vec()), UNCLEAR),
        ("a TLS alert", raw(b"\x15\x03\x03\0\x02\x02\x28".to_vec()), UNCLEAR),
        ("nothing at all", raw(""), UNCLEAR),
        ("half a status line", raw("HTTP/1.1 20"), UNCLEAR),
        ("a reset", Says::Reset(""), UNCLEAR),
        ("a reset in the head", Says::Reset("HTTP/1.1 200 OK\r\ncontent-le"), UNCLEAR),
        ("a reset in the body", Says::Reset("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}"), UNCLEAR),
    ]
}

fn slow() -> Vec<Kind> {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    vec![
        ("silence", Says::Silence, UNCLEAR),
        ("a head that drips", Says::Drip("", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"), UNCLEAR),
        (
            "a body that drips",
            Says::Drip("HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n", r#"{"info": null}"#),
            UNCLEAR,
        ),
        ("chunks that drip", Says::Drip(chunked, "2\r\n{}\r\n0\r\n\r\n"), UNCLEAR),
        (
            "a refusal that drips",
            Says::Drip("HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\n", "Not Found"),
            UNCLEAR,
        ),
        ("headers without end", Says::Endless("HTTP/1.1 200 OK\r\n", "x: y\r\n".repeat(1_000)), UNCLEAR),
        ("interim answers without end", Says::Endless("", "HTTP/1.1 100 Continue\r\n\r\n".repeat(100)), UNCLEAR),
        ("chunks without end", Says::Endless(chunked, format!("10000\r\n{}\r\n", " ".repeat(0x10000))), UNCLEAR),
        ("a body without end", Says::Endless("HTTP/1.1 200 OK\r\n\r\n", "[".repeat(0x10000)), UNCLEAR),
        ("a refusal without end", Says::Endless("HTTP/1.1 404 Not Found\r\n\r\n", "x".repeat(0x10000)), UNCLEAR),
    ]
}

/// How long the filter waits for the service.
const TIMEOUT: Duration = Duration::from_millis(700);
const CLIENTS: usize = 4;
/// Envoy gives up on an answer of more than 32 MiB; what a few of those took may stay with the allocator.
const MAX_GROWTH_KB: i64 = 512 * 1024;

#[test]
fn whatever_the_service_says_is_a_yes_a_no_or_unclear_and_the_next_request_is_served() {
    let kinds: Vec<Kind> = [statuses(), documents(), fields(), framings(), slow()].into_iter().flatten().collect();
    let expected: Vec<_> = kinds.iter().map(|(name, _, expected)| (*name, *expected)).collect();
    let service = Service::start(kinds);
    let unused = Issuer::start(|_| String::new());
    let timeout = format!("{}ms", TIMEOUT.as_millis());
    let scene = Scene::start_at(&unused, service.address, json!({ "timeout": timeout, "negative_cache_ttl": "1h" }));
    let gateway = scene.address_of("gateway");
    let (memory, begin) = (scene.memory(), Instant::now());

    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while let Some((name, (status, reason))) = expected.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let sent = Instant::now();
                    let answer = ask(gateway, &key(name));
                    let took = sent.elapsed();
                    assert!(took < 10 * TIMEOUT, "{name}: {took:?}");
                    if answer.status != *status {
                        wrong.lock().expect("no panic").push(format!("{name}: {}, expected {status}", answer.status));
                    } else if *status != 200 {
                        scene.assert_refused(&answer, *status, reason);
                    }
                    assert_eq!(ask(gateway, CONFIGURED).status, 200, "after {name}");
                }
            });
        }
    });
    assert_eq!(wrong.into_inner().expect("no panic"), [""; 0], "{}", scene.gateway.explanation());
    let growth = scene.memory() - memory;
    say(&format!("{} kinds of answers in {:.1?}, {growth} kB more", expected.len(), begin.elapsed()));
    assert!(growth < MAX_GROWTH_KB, "{growth} kB");
    let passed = expected.iter().filter(|(_, (status, _))| *status == 200).count();
    assert_eq!(scene.upstream.take().len(), passed + expected.len(), "those who passed, and the configured key's");
    assert_eq!(service.asked(), expected.len(), "each key is asked about once");

    // A clear answer is remembered, an unclear one is not.
    service.recover();
    for (name, (status, _)) in &expected {
        let again = if *status == 503 { 200 } else { *status };
        assert_eq!(ask(gateway, &key(name)).status, again, "{name}, once more");
    }
    let unclear = expected.iter().filter(|(_, kind)| *kind == UNCLEAR).count();
    assert_eq!(service.asked(), expected.len() + unclear);
    let count = |count: usize| u64::try_from(count).expect("a small number");
    let [calls, hits, failures, overflows] = scene.all_counted();
    assert_eq!([calls, failures, overflows], [count(service.asked()), count(unclear), 0]);
    assert_eq!(hits, count(expected.len() - unclear));
}

/// The key about which the service says this.
fn key(name: &str) -> String {
    name.replace(' ', "-")
}

/// Answers about each key as its kind says.
struct Service {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    kinds: HashMap<String, Arc<Says>>,
    asked: usize,
    recovered: bool,
}

impl Service {
    fn start(kinds: Vec<Kind>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let count = kinds.len();
        let kinds: HashMap<_, _> =
            kinds.into_iter().map(|(name, says, _)| (path_for(&key(name)), Arc::new(says))).collect();
        assert_eq!(kinds.len(), count, "two kinds of one name");
        let shared = Arc::new(Mutex::new(Shared { kinds, asked: 0, recovered: false }));
        let service = Self { address, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                // Envoy breaks off whatever it has had enough of.
                thread::spawn(move || drop(serve(connection, &shared)));
            }
        });
        service
    }

    /// Makes every key a good one from now on.
    fn recover(&self) {
        self.shared.lock().expect("no panic in the service").recovered = true;
    }

    fn asked(&self) -> usize {
        self.shared.lock().expect("no panic in the service").asked
    }
}

/// Says of a response that has a head that its connection is never used again, so that Envoy does not do so either.
fn closing(response: &[u8]) -> Vec<u8> {
    let head = response.starts_with(b"HTTP/1.1 ").then(|| response.windows(2).position(|pair| pair == b"\r\n"));
    let Some(Some(end)) = head else { return response.to_vec() };
    let (status, rest) = response.split_at(end);
    [status, b"\r\nconnection: close", rest].concat()
}

/// Answers one call; the connection is never used again.
fn serve(mut connection: TcpStream, shared: &Mutex<Shared>) -> io::Result<()> {
    const DRIP: Duration = Duration::from_millis(100);
    connection.set_nodelay(true)?;
    // What is not read when the connection is closed makes a reset of its end: the last byte stays.
    let mut head = vec![0; 16 * 1024];
    let size = loop {
        let size = connection.peek(&mut head)?;
        if size == 0 {
            return Ok(());
        }
        if head[..size].ends_with(b"\r\n\r\n") {
            break size;
        }
        thread::sleep(Duration::from_millis(1));
    };
    let text = String::from_utf8_lossy(&head[..size]).into_owned();
    let path = text.split(' ').nth(1).unwrap_or_default();
    let says = {
        let mut shared = shared.lock().expect("no panic in the service");
        shared.asked += 1;
        let good = || Arc::new(Says::Bytes(answer(200, ALICE).into_bytes()));
        if shared.recovered { good() } else { Arc::clone(&shared.kinds[path]) }
    };
    if let Says::Reset(bytes) = &*says {
        connection.write_all(bytes.as_bytes())?;
        // Time for the bytes to be read before the reset.
        thread::sleep(DRIP);
        return Ok(());
    }
    connection.read_exact(&mut head[..size])?;
    match &*says {
        Says::Bytes(bytes) => connection.write_all(&closing(bytes))?,
        Says::Drip(first, rest) => {
            connection.write_all(first.as_bytes())?;
            for byte in rest.bytes() {
                thread::sleep(DRIP);
                connection.write_all(&[byte])?;
            }
        }
        Says::Endless(first, rest) => {
            connection.write_all(first.as_bytes())?;
            loop {
                connection.write_all(rest.as_bytes())?;
            }
        }
        Says::Silence => {
            let _closed = connection.read(&mut head)? == 0;
        }
        Says::Reset(_) => {}
    }
    connection.shutdown(Shutdown::Write)
}
