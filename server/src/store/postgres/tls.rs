//! TLS towards the database, by rustls with aws-lc.

use crate::store::error::{Result, StoreError};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::error::Error;
use std::io;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// With `verified`, the certificate and its name must be good in the eyes of the authorities in `root_file`, or of
/// the system's.
pub(super) fn connector(verified: bool, root_file: Option<&str>) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().map_err(StoreError::internal)?;
    let config = if verified {
        builder.with_root_certificates(roots(root_file)?).with_no_client_auth()
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))).with_no_client_auth()
    };
    Ok(MakeRustlsConnect::new(config))
}

fn roots(root_file: Option<&str>) -> Result<RootCertStore> {
    let certificates: Vec<CertificateDer<'static>> = match root_file {
        Some(file) => CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect)
            .map_err(|e| StoreError::internal(format!("sslrootcert {file}: {e}")))?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(certificates);
    if added == 0 {
        let place = root_file.unwrap_or("the system's store");
        return Err(StoreError::internal(format!("no certificate of an authority was found in {place}: set sslrootcert")));
    }
    Ok(store)
}

/// What to do about a certificate that was refused, where that is for whoever runs the service to decide.
pub(super) fn advice(error: &(dyn Error + 'static)) -> Option<&'static str> {
    match certificate_error(error)? {
        CertificateError::UnknownIssuer => {
            Some("set sslrootcert in DATABASE_URL to a PEM file of the authority that the server's certificate is of")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Some("DATABASE_URL must name the server by a name that its certificate is for")
        }
        // What rustls says of it has a type of its verifier's own.
        CertificateError::Other(why) if why.to_string().contains("CaUsedAsEndEntity") => Some(
            "the server needs a certificate that an authority has signed, not the authority's own, and sslrootcert in DATABASE_URL that authority's",
        ),
        _ => None,
    }
}

fn certificate_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CertificateError> {
    if let Some(rustls::Error::InvalidCertificate(why)) = error.downcast_ref() {
        return Some(why);
    }
    // An I/O error does not name what it wraps as its source.
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref).map(|inner| inner as &(dyn Error + 'static));
    certificate_error(wrapped.or(error.source())?)
}

/// For `sslmode=prefer`, which does without encryption just as well: whoever can pose as the server can also refuse
/// TLS, so that a check would keep out nobody but servers with certificates of their own making.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::OtherError;

    #[test]
    fn a_refused_certificate_has_advice_and_other_errors_have_none() {
        let advice_on = |why| advice(&io::Error::other(rustls::Error::InvalidCertificate(why)));
        let own_authority = OtherError(Arc::new(io::Error::other("CaUsedAsEndEntity")));
        assert!(advice_on(CertificateError::UnknownIssuer).unwrap().contains("sslrootcert"));
        assert!(advice_on(CertificateError::NotValidForName).unwrap().contains("a name that its certificate is for"));
        assert!(advice_on(CertificateError::Other(own_authority)).unwrap().contains("not the authority's own"));
        assert!(advice_on(CertificateError::Other(OtherError(Arc::new(io::Error::other("else"))))).is_none());
        assert!(advice_on(CertificateError::Expired).is_none());
        assert!(advice(&io::Error::other("the network is down")).is_none());
    }
}
