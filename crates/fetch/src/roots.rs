//! The authorities that certificates are checked against.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use ureq::tls::Certificate;

/// Returns the authorities of the system, and those in the PEM file `more`.
pub(crate) fn load(more: Option<&Path>) -> Result<Vec<Certificate<'static>>, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = found.certs;
    if let Some(path) = more {
        let failed = |error| format!("failed to read authorities `{}`: {error}", path.display());
        let file = CertificateDer::pem_file_iter(path).map_err(failed)?;
        for certificate in file {
            roots.push(certificate.map_err(failed)?);
        }
    }
    if roots.is_empty() {
        let why = found
            .errors
            .first()
            .map_or_else(|| "there are none".to_owned(), |error| error.to_string());
        return Err(format!(
            "no certificate authorities of the system are known: {why}"
        ));
    }
    Ok(roots
        .iter()
        .map(|root| Certificate::from_der(root).to_owned())
        .collect())
}
