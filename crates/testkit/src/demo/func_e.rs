//! `envoy/envoy.yaml` under a real func-e, started as the README says.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::{demo, module, ports, root, tools};

const TIMEOUT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// Runs func-e, checks the five answers of the demo, interrupts it, and checks that nothing stays behind.
///
/// # Errors
/// An answer is wrong, or func-e or its Envoy does not end well.
pub fn test(func_e: &Path) -> Result<()> {
    module::path();
    let envoy = tools::envoy_binary()?;
    ports::ensure_free(&fs::read_to_string(root().join(demo::CONFIG))?)?;

    let home = tempfile::tempdir()?;
    let log = home.path().join("console.log");
    println!("ENVOY_PATH={} func-e run -c {}", envoy.display(), demo::CONFIG);
    let mut process = Running(
        Command::new(func_e)
            .args(["run", "-c", demo::CONFIG])
            .current_dir(root())
            .env("HOME", home.path())
            .env("ENVOY_PATH", envoy)
            .env("ANTHROPIC_API_KEY", demo::DEPLOYMENT_KEY)
            .stdin(Stdio::null())
            .stdout(File::create(&log)?)
            .stderr(File::options().append(true).open(&log)?)
            .spawn()?,
    );
    let console = || fs::read_to_string(&log).unwrap_or_default();
    process.check(&log).with_context(|| format!("func-e and Envoy said:\n{}", console()))
}

/// func-e; dropped, it is interrupted, and takes its Envoy along.
struct Running(Child);

impl Running {
    fn check(&mut self, log: &Path) -> Result<()> {
        self.wait_until_serving(log)?;
        let envoy = self.envoy()?;
        demo::ask()?;
        self.interrupt()?;
        let status = self.wait()?;
        ensure!(status.success(), "func-e did not end well when interrupted: {status}");
        ensure!(test_kill_process(envoy).is_err(), "func-e has ended, but its Envoy has not");
        println!("\nfunc-e and its Envoy have ended.");
        Ok(())
    }

    fn wait_until_serving(&mut self, log: &Path) -> Result<()> {
        let deadline = Instant::now() + TIMEOUT;
        while Instant::now() < deadline {
            if fs::read_to_string(log)?.contains("starting main dispatch loop") {
                return Ok(());
            }
            if let Some(status) = self.0.try_wait()? {
                bail!("func-e ended before Envoy served: {status}");
            }
            thread::sleep(POLL);
        }
        bail!("Envoy did not serve within {TIMEOUT:?}");
    }

    /// Returns func-e's child.
    fn envoy(&self) -> Result<Pid> {
        let processes = Command::new("ps").args(["-A", "-o", "ppid=", "-o", "pid="]).output()?;
        let processes = String::from_utf8_lossy(&processes.stdout).into_owned();
        let parent = self.0.id().to_string();
        let child = processes.lines().find_map(|line| {
            let (ppid, pid) = line.trim().split_once(' ')?;
            (ppid == parent).then(|| pid.trim().parse().ok().and_then(Pid::from_raw))?
        });
        child.context("func-e has no child process")
    }

    fn interrupt(&self) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.0), Signal::INT)?)
    }

    fn wait(&mut self) -> Result<ExitStatus> {
        let deadline = Instant::now() + TIMEOUT;
        while Instant::now() < deadline {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            thread::sleep(POLL);
        }
        bail!("func-e did not end within {TIMEOUT:?} after an interrupt");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = self.interrupt();
            let _ = self.wait();
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}
