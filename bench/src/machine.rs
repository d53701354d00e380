//! Where and with what was measured: figures travel badly.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

/// Returns one line about the machine and the versions of what runs on it.
pub(super) fn describe(envoy: &Path) -> String {
    let cores = thread::available_parallelism().map(usize::from).unwrap_or_default();
    let date = first_line(Command::new("date").args(["-u", "+%F"]));
    let kernel = first_line(Command::new("uname").arg("-sr"));
    let rustc = first_line(Command::new("rustc").arg("--version").current_dir(byok_testkit::root()));
    let rustc = rustc.split(" (").next().unwrap_or_default().to_owned();
    let version = first_line(Command::new(envoy).arg("--version"));
    // `…/envoy  version: <commit>/<version>/<state>/<build>/<TLS library>`
    let version = version.split('/').rev().nth(3).unwrap_or("?").to_owned();
    format!("{date}: Envoy {version}, {rustc}, {kernel}, {cores} cores of {}, load {}", processor(), load_average())
}

fn processor() -> String {
    let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = information.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    model.map_or("an unknown processor", |(_, model)| model).to_owned()
}

/// Returns how many threads wanted to run during the last minute; what else runs disturbs what is measured.
fn load_average() -> String {
    let averages = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    averages.split(' ').next().unwrap_or_default().to_owned()
}

fn first_line(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().find(|line| !line.is_empty()).unwrap_or("?").to_owned()
}
