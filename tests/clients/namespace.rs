//! A network namespace in which there is nothing but a loopback: clients can't talk to anybody else.

use std::env;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;

use byok_testkit::{root, tools::envoy_binary};
use rustix::process::getuid;

use crate::stage::clients;

/// Set in the namespace.
const INSIDE: &str = "BYOK_TEST_NAMESPACE";

/// Runs a test of that name, with everything that it starts, in a namespace of its own.
pub(crate) fn confined(name: &str, test: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        assert!(!leads_out(), "the network namespace has a route to elsewhere");
        return test();
    }
    // It is installed on first use, for which there is no network inside.
    let envoy = envoy_binary().unwrap_or_else(|error| panic!("{error:#}"));
    let program = clients().join("bin/python");
    let mut probe = unshare();
    let probed = probe.arg("true").output().expect("unshare, of util-linux, is on PATH");
    assert!(
        probed.status.success(),
        "no client was run: they run in a network namespace of their own, and {probe:?} fails here: {} It needs root, or \
         user namespaces (on Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0)",
        String::from_utf8_lossy(&probed.stderr)
    );
    let status = unshare()
        .arg(program)
        .arg(root().join("tests/clients/namespace.py"))
        .arg(env::current_exe().expect("a path of the test"))
        .args([name, "--exact", "--ignored", "--nocapture"])
        .env(INSIDE, "1")
        .env("ENVOY", Path::new(&envoy))
        .status();
    assert!(status.expect("unshare runs").success(), "{name} failed in its network namespace");
}

/// Runs a command in a network namespace of its own.
fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.arg("--net");
    if !getuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command
}

/// Connecting sends nothing: it looks for a route to an address of the documentation's
/// ([RFC 5737](https://www.rfc-editor.org/rfc/rfc5737)).
fn leads_out() -> bool {
    UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.connect("192.0.2.1:9")).is_ok()
}
