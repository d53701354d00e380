use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn get(address: SocketAddr, path: &str) -> Result<String> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).build().into();
    let mut answer = agent.get(format!("http://{address}{path}")).call()?;
    let body = answer.body_mut().read_to_string()?;
    match answer.status().as_u16() {
        200 => Ok(body),
        status => bail!("Envoy's admin interface answered {status} to {path}: {body}"),
    }
}

pub(super) fn listener(listeners: &str, name: &str) -> Result<SocketAddr> {
    let listeners: Value = serde_json::from_str(listeners).context("Envoy's list of listeners is not JSON")?;
    let statuses = listeners.pointer("/listener_statuses").and_then(Value::as_array);
    let status = statuses
        .into_iter()
        .flatten()
        .find(|status| status.pointer("/name").and_then(Value::as_str) == Some(name))
        .with_context(|| format!("Envoy has no listener named {name}"))?;
    socket_address(status).with_context(|| format!("the listener {name} has no IP address"))
}

fn socket_address(status: &Value) -> Option<SocketAddr> {
    let address: IpAddr = status.pointer("/local_address/socket_address/address")?.as_str()?.parse().ok()?;
    let port = status.pointer("/local_address/socket_address/port_value")?.as_u64()?;
    Some(SocketAddr::new(address, u16::try_from(port).ok()?))
}
