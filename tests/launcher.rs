//! The launcher, against the real Envoy.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use byok_testkit::envoy::{Envoy, Options};
use byok_testkit::tools;
use rustix::process::{Pid, test_kill_process};

/// Answers 200 on a port of the system's choice, and logs each request to stdout.
const CONFIG: &str = r#"
admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }
static_resources:
  listeners:
  - name: front
    address: { socket_address: { address: 127.0.0.1, port_value: 0 } }
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: front
          access_log:
          - name: stdout
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog
              log_format: { text_format_source: { inline_string: "%REQ(:path)% %ENVIRONMENT(GREETING)%\n" } }
          http_filters:
          - name: router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{ match: { prefix: / }, direct_response: { status: 200 } }]
"#;

#[test]
fn envoy_serves_logs_and_ends() {
    let options = Options { environment: vec![("GREETING".into(), "hello".into())], ..Options::default() };
    let mut envoy = start(CONFIG, &options).unwrap();
    let address = envoy.listener("front").unwrap();

    assert!(get(address, "/a").unwrap().starts_with("HTTP/1.1 200 OK"));
    assert!(eventually(|| envoy.stdout() == "/a hello\n"), "{}", envoy.stdout());
    assert!(envoy.admin_get("/server_info").unwrap().contains("\"concurrency\": 1"));
    assert!(envoy.listener("back").unwrap_err().to_string().contains("no listener named back"));
    assert!(envoy.is_running());

    let pid = Pid::from_raw(i32::try_from(envoy.pid()).unwrap()).unwrap();
    assert!(envoy.stop().unwrap().success());
    assert!(test_kill_process(pid).is_err(), "Envoy is still there");
}

#[test]
fn a_refused_configuration_is_an_error_with_envoys_log() {
    let begun = Instant::now();
    let error = start("static_resources: { listners: [] }", &Options::default()).unwrap_err().to_string();
    assert!(error.contains("before it served"), "{error}");
    assert!(error.contains("listners"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_dropped_envoy_is_gone() {
    let envoy = start(CONFIG, &Options::default()).unwrap();
    let pid = Pid::from_raw(i32::try_from(envoy.pid()).unwrap()).unwrap();
    let directory = envoy.directory().to_owned();
    drop(envoy);
    assert!(test_kill_process(pid).is_err(), "Envoy is still there");
    assert!(!directory.exists());
}

fn start(config: &str, options: &Options) -> anyhow::Result<Envoy> {
    Envoy::start(&tools::envoy_binary()?, config, options)
}

fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")?;
    io::read_to_string(stream)
}

fn eventually(condition: impl Fn() -> bool) -> bool {
    (0..250).any(|_| {
        condition() || {
            thread::sleep(Duration::from_millis(20));
            false
        }
    })
}
