//! Certificates for mTLS: an authority of the moment, and what it issues. No key of theirs is ever written into the repository.

use std::fs;
use std::path::Path;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};

/// A certificate and its private key, in PEM.
pub struct Issued {
    pub certificate: String,
    pub key: String,
}

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// Returns a new one.
    ///
    /// # Errors
    /// No key can be made.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "byok-filter example authority");
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// Returns the authority's own certificate, in PEM.
    pub fn certificate(&self) -> String {
        self.0.pem()
    }

    /// Issues a certificate for a host.
    ///
    /// # Errors
    /// The name is not one of a host.
    pub fn server(&self, name: &str) -> Result<Issued> {
        self.issue(name, vec![SanType::DnsName(name.try_into()?)])
    }

    /// Issues a certificate for a workload, with its SPIFFE ID
    /// (<https://spiffe.io/docs/latest/spiffe-about/spiffe-concepts/>).
    ///
    /// # Errors
    /// The id is not ASCII.
    pub fn workload(&self, id: &str) -> Result<Issued> {
        self.issue("workload", vec![SanType::URI(id.try_into()?)])
    }

    fn issue(&self, name: &str, subject_alt_names: Vec<SanType>) -> Result<Issued> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names = subject_alt_names;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?;
        Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
    }
}

/// Writes what `envoy/mtls/envoy.yaml` needs, and certificates of two workloads, into a directory.
///
/// # Errors
/// The directory can't be written.
pub fn write_example(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    let authority = Authority::new()?;
    fs::write(directory.join("ca.pem"), authority.certificate())?;
    let issued = [
        ("server", authority.server("localhost")?),
        ("team-a", authority.workload("spiffe://example.com/ns/a/agent")?),
        ("other", authority.workload("spiffe://example.com/ns/other/agent")?),
    ];
    for (name, Issued { certificate, key }) in issued {
        fs::write(directory.join(format!("{name}.pem")), certificate)?;
        fs::write(directory.join(format!("{name}-key.pem")), key)?;
    }
    Ok(())
}
