//! All that runs for the test, and what a client's process needs to know of it.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use byok_testkit::certificates::Authority;
use byok_testkit::gateway::Gateway;
use tempfile::TempDir;

use crate::credentials::Vendor;
use crate::provider::Provider;
use crate::{client, gateway};

/// The directory that the clients are installed in.
pub(crate) fn clients() -> PathBuf {
    let directory = env::var_os("CLIENTS").map(PathBuf::from);
    directory.expect("CLIENTS names no directory with the clients: run `make test-clients`")
}

/// Provider, gateway and a home for clients.
pub(crate) struct Stage {
    pub(crate) provider: Provider,
    pub(crate) gateway: Gateway,
    home: TempDir,
}

impl Stage {
    pub(crate) fn start() -> Self {
        let provider = Provider::start();
        let authority = Authority::new().expect("an authority");
        let gateway = gateway::start(provider.address(), &authority);
        let home = tempfile::Builder::new().prefix("byok-clients-").tempdir().expect("a directory");
        fs::write(home.path().join(AUTHORITY), authority.certificate()).expect("a writable directory");
        Self { provider, gateway, home }
    }

    /// Where that listener serves.
    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        let addresses = self.gateway.addresses();
        *addresses.get(listener).unwrap_or_else(|| panic!("no listener {listener}; {}", self.gateway.explanation()))
    }

    /// The URL of a vendor's API, in clear text.
    pub(crate) fn url(&self, vendor: Vendor) -> String {
        format!("http://{}", self.address(vendor.profile()))
    }

    /// The URL of a vendor's API, with TLS.
    pub(crate) fn tls_url(&self, vendor: Vendor) -> String {
        self.tls_url_of(&format!("{}_tls", vendor.profile()))
    }

    /// The URL of a listener with TLS.
    pub(crate) fn tls_url_of(&self, listener: &str) -> String {
        format!("https://localhost:{}", self.address(listener).port())
    }

    /// The certificate to trust, in PEM.
    pub(crate) fn authority(&self) -> PathBuf {
        self.home.path().join(AUTHORITY)
    }

    /// Returns a command with an environment of its own and an empty home, which is named after it.
    pub(crate) fn command(&self, program: impl AsRef<Path>, home: &str) -> (Command, PathBuf) {
        let home = self.home.path().join(home);
        let work = home.join("work");
        fs::create_dir_all(&work).expect("a writable directory");
        let errors = fs::File::create(home.join("stderr")).expect("a writable directory");
        let node = client::node();
        let directories = [clients().join("bin"), node, "/usr/bin".into(), "/bin".into()];
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(work)
            .env_clear()
            .env("PATH", env::join_paths(directories).expect("directories without a colon"))
            .env("HOME", &home)
            .env("TMPDIR", &home)
            .env("CLIENTS", clients())
            .env("NODE_EXTRA_CA_CERTS", self.authority())
            .stderr(Stdio::from(errors));
        (command, home)
    }

    /// How many requests the filter has refused for an unknown key.
    pub(crate) fn refused(&self) -> u64 {
        let counters = self.gateway.counters();
        let refused =
            counters.iter().filter(|(name, _)| name.starts_with("byok.decision.deny.reason.unknown_api_key."));
        refused.map(|(_, count)| count).sum()
    }

    /// Notes that a client shows the first part of an answer, and lets the provider send the rest.
    ///
    /// Returns how long after the provider began it was; `None` where the rest had been sent already.
    pub(crate) fn first_part_is_shown(&self) -> Option<Duration> {
        let held = self.provider.gate().holding_for();
        self.provider.gate().open();
        held
    }
}

const AUTHORITY: &str = "authority.pem";
