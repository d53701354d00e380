//! The external authorization service that `make bench` compares with: what one writes with tonic in an afternoon.
//!
//! It does the job of the filter for one provider: a table of clear-text keys, three headers that may carry one, headers to
//! remove, and the deployment key where the client sent no key of its own. It runs on one thread, as Envoy's worker does.
//!
//! Reads one proxy key per line from standard input, prints the port that it listens on, and serves until it is ended.

mod messages;
mod service;

use std::collections::HashSet;
use std::io::Write as _;
use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use service::{Authorization, Table};

/// The environment variable that the deployment key is read from.
const DEPLOYMENT_KEY: &str = "DEPLOYMENT_KEY";

fn main() -> Result<()> {
    let deployment_key = std::env::var(DEPLOYMENT_KEY).with_context(|| format!("{DEPLOYMENT_KEY} is not set"))?;
    let keys: HashSet<String> = std::io::stdin().lines().collect::<Result<_, _>>()?;
    let authorization = Authorization::new(Table { keys, deployment_key });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{}", listener.local_addr()?.port())?;
        stdout.flush()?;
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        Ok(Server::builder().serve_with_incoming(authorization, incoming).await?)
    })
}
