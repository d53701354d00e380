//! The fixed ports of `envoy/envoy.yaml`.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

/// Checks that nothing listens on the ports that the configuration names.
///
/// Envoys can share a port without a word, and each would get some of the requests: so this is asked first.
///
/// # Errors
/// Names the first port that is in use.
pub(crate) fn ensure_free(config_yaml: &str) -> Result<()> {
    for port in named(config_yaml) {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| {
            format!("port {port} of 127.0.0.1 is in use: stop what listens there (another `make run`?) and try again")
        })?;
    }
    Ok(())
}

fn named(config_yaml: &str) -> Vec<u16> {
    let after_key = config_yaml.split("port_value:").skip(1);
    let digits = after_key.map(|rest| rest.trim_start().chars().take_while(char::is_ascii_digit).collect::<String>());
    let mut ports: Vec<u16> = digits.filter_map(|port| port.parse().ok()).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_named() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = format!("a: {{ port_value: {port} }}");
        let error = ensure_free(&config).unwrap_err().to_string();
        assert!(error.starts_with(&format!("port {port} of 127.0.0.1 is in use")), "{error}");
        drop(listener);
        ensure_free(&config).unwrap();
    }

    #[test]
    fn every_port_is_found_once() {
        assert_eq!(named("x: { port_value: 10001, y: 1 }\n  port_value:   9901\nport_value: 10001"), [9901, 10001]);
    }
}
