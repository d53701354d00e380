use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::http;

pub(super) fn get(address: SocketAddr, path: &str) -> Result<String> {
    let answer = http::get(&format!("http://{address}{path}"), &[])?;
    match answer.status {
        200 => Ok(answer.body),
        status => bail!("Envoy's admin interface answered {status} to {path}: {}", answer.body),
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
