//! A client with a certificate: one request over TLS.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use byok_testkit::certificates::Issued;
use byok_testkit::gateway::{PATIENCE, Response};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

/// Sends header lines over a connection of its own, with a client certificate or without one.
pub(crate) fn exchange(
    address: SocketAddr,
    authority: &str,
    client: Option<&Issued>,
    lines: &[(&str, &str)],
) -> Result<Response, String> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(authority)).expect("a certificate of an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let builder = builder.with_root_certificates(roots);
    let config = match client {
        Some(Issued { certificate: own, key }) => {
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
            builder.with_client_auth_cert(vec![certificate(own)], key).expect("a certificate and its key")
        }
        None => builder.with_no_client_auth(),
    };
    let name = ServerName::try_from("localhost").expect("a name");
    let mut connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    let mut socket = TcpStream::connect(address).map_err(|error| error.to_string())?;
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let client = socket.local_addr().expect("an address");
    let mut stream = Stream::new(&mut connection, &mut socket);
    let lines: String = lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!("GET /v1/messages HTTP/1.1\r\nhost: llm.example.com\r\nconnection: close\r\n{lines}\r\n");
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    // Envoy ends the connection without a goodbye of TLS's.
    drop(stream.read_to_end(&mut answer));
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("no answer")?;
    Ok(Response { client, status, headers: Vec::new(), body: answer.into_bytes() })
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
}
