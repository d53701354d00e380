//! The one launcher of Envoy: for the demo, the tests and the benchmarks.

mod admin;

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::root;

const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// How to start Envoy; the default is one worker, an empty environment and log level `info`.
#[derive(Debug, Clone)]
pub struct Options {
    /// The number of worker threads.
    pub concurrency: u32,
    /// The whole environment of the process: nothing is inherited.
    pub environment: Vec<(String, OsString)>,
    /// The log level of all components.
    pub log_level: String,
    /// Log levels of single components, for one `("wasm", "debug")`.
    pub component_log_levels: Vec<(String, String)>,
    /// Further arguments of Envoy.
    pub arguments: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            concurrency: 1,
            environment: Vec::new(),
            log_level: "info".to_owned(),
            component_log_levels: Vec::new(),
            arguments: Vec::new(),
        }
    }
}

/// A running Envoy; it is stopped when dropped.
#[derive(Debug)]
pub struct Envoy {
    process: Child,
    directory: TempDir,
}

impl Envoy {
    /// Starts Envoy in the repository's root and waits until it serves.
    ///
    /// # Errors
    /// With Envoy's log, when Envoy ends or does not serve within a minute.
    pub fn start(binary: &Path, config_yaml: &str, options: &Options) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("byok-envoy-").tempdir()?;
        fs::write(directory.path().join(CONFIG), config_yaml)?;
        let process = command(binary, directory.path(), options)?
            .spawn()
            .with_context(|| format!("could not start {}", binary.display()))?;
        let mut envoy = Self { process, directory };
        envoy.wait_until_serving()?;
        Ok(envoy)
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Returns what Envoy has logged so far.
    pub fn log(&self) -> String {
        read(&self.directory.path().join(LOG))
    }

    /// Returns what Envoy has written to its standard output so far: access logs that go to stdout.
    pub fn stdout(&self) -> String {
        read(&self.directory.path().join(STDOUT))
    }

    /// Returns the temporary directory of this run, removed with it.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the address of the listener of that name; the configuration may say `port_value: 0`.
    ///
    /// # Errors
    /// The configuration has no `admin` or no such listener.
    pub fn listener(&self, name: &str) -> Result<SocketAddr> {
        admin::listener(&self.admin_get("/listeners?format=json")?, name)
    }

    /// Returns the body of a `GET` on Envoy's admin interface.
    ///
    /// # Errors
    /// The configuration has no `admin`, or the answer is not 200.
    pub fn admin_get(&self, path: &str) -> Result<String> {
        admin::get(self.admin_address()?, path)
    }

    /// Returns the address of the admin interface.
    ///
    /// # Errors
    /// The configuration has no `admin`.
    pub fn admin_address(&self) -> Result<SocketAddr> {
        let text = read(&self.directory.path().join(ADMIN));
        text.trim().parse().context("Envoy has no admin address: the configuration has no `admin`")
    }

    /// Reports whether Envoy is still running.
    pub fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Asks Envoy to end, insists after ten seconds, and returns how it ended.
    ///
    /// # Errors
    /// The process can't be waited for.
    pub fn stop(mut self) -> Result<ExitStatus> {
        self.terminate()
    }

    fn wait_until_serving(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            if self.log().contains("starting main dispatch loop") {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("Envoy ended ({status}) before it served. Its log:\n{}", self.log_end());
            }
            thread::sleep(POLL);
        }
        bail!("Envoy did not serve within {START_TIMEOUT:?}. Its log:\n{}", self.log_end());
    }

    /// Returns the last lines of Envoy's log, for an error message.
    pub fn log_end(&self) -> String {
        let log = self.log();
        // Indented is the catalogue of everything linked in, a screen of lines at each start.
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains("]   ")).collect();
        let (_, end) = lines.split_at(lines.len().saturating_sub(40));
        end.join("\n")
    }

    /// Does as [`Envoy::stop`] does; the log can still be read afterwards.
    ///
    /// # Errors
    /// The process can't be waited for.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        if let Some(status) = self.process.try_wait()? {
            return Ok(status);
        }
        kill_process(Pid::from_child(&self.process), Signal::TERM)?;
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            thread::sleep(POLL);
        }
        self.process.kill()?;
        Ok(self.process.wait()?)
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        if self.terminate().is_err() {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

const CONFIG: &str = "envoy.yaml";
const LOG: &str = "envoy.log";
const STDOUT: &str = "stdout.log";
const ADMIN: &str = "admin-address";

fn command(binary: &Path, directory: &Path, options: &Options) -> Result<Command> {
    // The level of `main` is fixed: readiness is read off its log.
    let levels = options.component_log_levels.iter().map(|(component, level)| format!(",{component}:{level}"));
    let levels: String = std::iter::once("main:info".to_owned()).chain(levels).collect();

    let mut command = Command::new(binary);
    command
        .args(["-c".as_ref(), directory.join(CONFIG).as_os_str()])
        .args(["--admin-address-path".as_ref(), directory.join(ADMIN).as_os_str()])
        // Many Envoys on one machine: with hot restart each needs a base id of its own, and one that
        // is killed leaves shared memory behind.
        .arg("--disable-hot-restart")
        .args(["--file-flush-interval-msec", "100"])
        .args(["--concurrency", &options.concurrency.to_string()])
        .args(["--log-level", &options.log_level])
        .args(["--component-log-level", &levels])
        .args(&options.arguments)
        .current_dir(root())
        .env_clear()
        .envs(options.environment.iter().map(|(name, value)| (name, value)))
        .stdin(std::process::Stdio::null())
        .stdout(File::create(directory.join(STDOUT))?)
        .stderr(File::create(directory.join(LOG))?);
    Ok(command)
}

fn read(path: &PathBuf) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}
