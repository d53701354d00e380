//! The one launcher of LiteLLM, for the tests that put the filter in front of it.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use byok_testkit::http;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Seconds rather than minutes, once Python has compiled everything; the first start takes longest.
const START_TIMEOUT: Duration = Duration::from_secs(240);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(100);

const LOG: &str = "litellm.log";

/// What LiteLLM runs with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options<'a> {
    /// LiteLLM's configuration.
    pub(crate) config_yaml: &'a str,
    /// Python that is run before LiteLLM's own, in its process.
    pub(crate) prelude: &'a str,
    /// Variables beside those that keep LiteLLM off the network; nothing is inherited.
    pub(crate) environment: &'a [(&'a str, &'a str)],
}

/// A running LiteLLM; it is stopped when dropped.
#[derive(Debug)]
pub(crate) struct LiteLlm {
    process: Child,
    directory: TempDir,
    address: SocketAddr,
}

impl LiteLlm {
    /// Starts LiteLLM on a free port of the loopback and waits until it serves.
    ///
    /// # Errors
    /// LITELLM_PYTHON is not set; with its log, when LiteLLM ends or does not serve in time.
    pub(crate) fn start(options: &Options<'_>) -> Result<Self> {
        let python = std::env::var_os("LITELLM_PYTHON").map(PathBuf::from);
        let python = python.context("LITELLM_PYTHON names no Python with LiteLLM: run `make test-litellm`")?;
        let directory = tempfile::Builder::new().prefix("byok-litellm-").tempdir()?;
        fs::write(directory.path().join("config.yaml"), options.config_yaml)?;
        fs::write(directory.path().join("start.py"), format!("{}\n{START}", options.prelude))?;
        let address = free_address()?;
        let process =
            command(&python, directory.path(), address, options)?.spawn().context("could not start LiteLLM")?;
        let mut litellm = Self { process, directory, address };
        litellm.wait_until_serving()?;
        Ok(litellm)
    }

    /// Returns where LiteLLM listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what LiteLLM has logged so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.directory.path().join(LOG)).unwrap_or_default()).into_owned()
    }

    fn wait_until_serving(&mut self) -> Result<()> {
        let url = format!("http://{}/health/liveliness", self.address);
        let deadline = Instant::now() + START_TIMEOUT;
        while Instant::now() < deadline {
            if http::get(&url, &[]).is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("LiteLLM ended ({status}) before it served. Its log:\n{}", self.log());
            }
            thread::sleep(POLL);
        }
        bail!("LiteLLM did not serve within {START_TIMEOUT:?}. Its log:\n{}", self.log());
    }

    fn ends_by_itself(&mut self) -> bool {
        let asked = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let deadline = Instant::now() + STOP_TIMEOUT;
        while asked.is_ok() && Instant::now() < deadline {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return true;
            }
            thread::sleep(POLL);
        }
        false
    }
}

impl Drop for LiteLlm {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) && !self.ends_by_itself() {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

/// Not the script that pip makes: it names a directory that is no more.
const START: &str = "
from litellm import run_server

run_server()
";

fn command(python: &Path, directory: &Path, address: SocketAddr, options: &Options<'_>) -> Result<Command> {
    let log = File::create(directory.join(LOG))?;
    let mut command = Command::new(python);
    command
        .args(["start.py", "--config", "config.yaml", "--host", &address.ip().to_string()])
        .args(["--port", &address.port().to_string(), "--telemetry", "False"])
        .current_dir(directory)
        .env_clear()
        .env("HOME", directory)
        .env("PYTHONUNBUFFERED", "1")
        // LiteLLM fetches price lists and the like at its start; the proxy that nobody serves stops what ignores this.
        .envs([("LITELLM_OFFLINE_MODE", "true"), ("LITELLM_LOCAL_MODEL_COST_MAP", "True")])
        .envs([("HTTPS_PROXY", "http://127.0.0.1:9"), ("NO_PROXY", "127.0.0.1,localhost")])
        .envs(options.environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(command)
}

/// LiteLLM can't be asked which port the system gave it, so one is picked that is free now.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
