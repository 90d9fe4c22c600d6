//! Keys and certificates. Keys come as PKCS #8, in PEM.

use std::net::IpAddr;

use data_encoding::BASE64;
use gotmpl::Value;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256,
    RsaKeySize, SanType,
};

use super::args::Args;
use super::strings::items;
use super::{Arity, Function, Outcome, made};
use crate::value::{map, text, to_text};

/// Fuel for making an RSA key, and for a signature.
const RSA: u64 = 40_000_000;
const SIGNATURE: u64 = 1_000_000;

const OF_CA: &str = "func(string, int) (certificate, error)";

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "genPrivateKey",
        Arity::Exactly(1),
        "func(string) string",
        "{{ genPrivateKey \"ed25519\" }}",
        "Makes a private key: rsa (4096 bits), ecdsa (P-256) or ed25519. DSA keys are not made here.",
        |args| {
            private_key(args, args.string(0)?, RsaKeySize::_4096)
                .map(|key| text(key.serialize_pem()))
        },
    ),
    made(
        "buildCustomCert",
        Arity::Exactly(2),
        "func(string, string) (certificate, error)",
        "{{ if false }}{{ buildCustomCert \"base64 of the certificate\" \"base64 of the key\" }}{{ end }}",
        "Makes a certificate object, with Cert and Key, of two PEM texts in base 64.",
        custom,
    ),
    made(
        "genCA",
        Arity::Exactly(2),
        OF_CA,
        "{{ (genCA \"my authority\" 365).Cert }}",
        "Makes an authority by name, for a number of days: an object with Cert and Key.",
        |args| authority(args, &new_key(args)?),
    ),
    made(
        "genCAWithKey",
        Arity::Exactly(3),
        "func(string, int, string) (certificate, error)",
        "{{ (genCAWithKey \"my authority\" 365 (genPrivateKey \"ecdsa\")).Cert }}",
        "Makes an authority with a key that is there.",
        |args| authority(args, &read_key(args, 2)?),
    ),
    made(
        "genSelfSignedCert",
        Arity::Exactly(4),
        "func(string, []interface {}, []interface {}, int) (certificate, error)",
        "{{ (genSelfSignedCert \"web\" (list \"10.0.0.1\") (list \"web.local\") 30).Cert }}",
        "Makes a certificate of a name, addresses, more names and a number of days, signed by itself.",
        |args| self_signed(args, &new_key(args)?),
    ),
    made(
        "genSelfSignedCertWithKey",
        Arity::Exactly(5),
        "func(string, []interface {}, []interface {}, int, string) (certificate, error)",
        "{{ (genSelfSignedCertWithKey \"web\" nil nil 30 (genPrivateKey \"ecdsa\")).Cert }}",
        "Makes a certificate with a key that is there, signed by itself.",
        |args| self_signed(args, &read_key(args, 4)?),
    ),
    made(
        "genSignedCert",
        Arity::Exactly(5),
        "func(string, []interface {}, []interface {}, int, certificate) (certificate, error)",
        "{{ $ca := genCAWithKey \"ca\" 9 (genPrivateKey \"ecdsa\") }}{{ (genSignedCert \"web\" nil (list \"web\") 30 $ca).Cert }}",
        "Makes a certificate that an authority signs.",
        |args| signed(args, &new_key(args)?),
    ),
    made(
        "genSignedCertWithKey",
        Arity::Exactly(6),
        "func(string, []interface {}, []interface {}, int, certificate, string) (certificate, error)",
        "{{ $ca := genCAWithKey \"ca\" 9 (genPrivateKey \"ecdsa\") }}{{ (genSignedCertWithKey \"web\" nil nil 30 $ca (genPrivateKey \"ed25519\")).Cert }}",
        "Makes a certificate with a key that is there, which an authority signs.",
        |args| signed(args, &read_key(args, 5)?),
    ),
];

fn said(error: &rcgen::Error) -> String {
    error.to_string()
}

fn private_key(args: &Args<'_>, kind: &str, size: RsaKeySize) -> Result<KeyPair, String> {
    let made = match kind {
        "rsa" => {
            args.pay(RSA)?;
            KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, size)
        }
        "ecdsa" => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        "ed25519" => KeyPair::generate_for(&PKCS_ED25519),
        "dsa" => {
            return Err("keys for DSA are not made here, use `ed25519` or `ecdsa`".to_owned());
        }
        other => return Err(format!("`{other}` is no kind of key: rsa, ecdsa, ed25519")),
    };
    made.map_err(|error| said(&error))
}

fn new_key(args: &Args<'_>) -> Result<KeyPair, String> {
    private_key(args, "rsa", RsaKeySize::_2048)
}

fn read_key(args: &Args<'_>, index: usize) -> Result<KeyPair, String> {
    KeyPair::from_pem(args.string(index)?)
        .map_err(|error| format!("argument {} is no private key in PEM: {error}", index + 1))
}

/// Returns what a certificate for the name in the first argument says, valid for `days`.
fn parameters(args: &Args<'_>, days: usize) -> Result<CertificateParams, String> {
    args.pay(SIGNATURE)?;
    let mut parameters = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, args.string(0)?);
    parameters.distinguished_name = name;
    let days = args.int(days).clamp(0, 365 * 1000);
    let start = rcgen::date_time_ymd(1970, 1, 1)
        + std::time::Duration::from_secs(u64::try_from(args.frame.run.now).unwrap_or(0));
    parameters.not_before = start;
    parameters.not_after =
        start + std::time::Duration::from_secs(86_400 * u64::try_from(days).unwrap_or(0));
    Ok(parameters)
}

/// Adds the addresses and names in the second and third argument.
fn for_server(args: &Args<'_>) -> Result<CertificateParams, String> {
    let mut parameters = parameters(args, 3)?;
    for address in items(args.value(1)) {
        let address = to_text(&address).into_owned();
        let parsed: IpAddr = address
            .parse()
            .map_err(|_| format!("`{address}` is no address"))?;
        parameters
            .subject_alt_names
            .push(SanType::IpAddress(parsed));
    }
    for name in items(args.value(2)) {
        let name = to_text(&name).into_owned();
        let name = name
            .try_into()
            .map_err(|error: rcgen::Error| said(&error))?;
        parameters.subject_alt_names.push(SanType::DnsName(name));
    }
    parameters.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    parameters.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    Ok(parameters)
}

fn certificate(cert: String, key: String) -> Value {
    map([("Cert", text(cert)), ("Key", text(key))])
}

fn authority(args: &Args<'_>, key: &KeyPair) -> Outcome {
    let mut parameters = parameters(args, 1)?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
        KeyUsagePurpose::KeyCertSign,
    ];
    let made = parameters.self_signed(key).map_err(|error| said(&error))?;
    Ok(certificate(made.pem(), key.serialize_pem()))
}

fn self_signed(args: &Args<'_>, key: &KeyPair) -> Outcome {
    let made = for_server(args)?
        .self_signed(key)
        .map_err(|error| said(&error))?;
    Ok(certificate(made.pem(), key.serialize_pem()))
}

fn signed(args: &Args<'_>, key: &KeyPair) -> Outcome {
    let authority = args.dict(4)?;
    let part = |name: &str| {
        let found = authority.get(name).and_then(Value::as_str);
        found.ok_or_else(|| format!("the authority has no {name}, see genCA"))
    };
    let ca_key = KeyPair::from_pem(part("Key")?)
        .map_err(|error| format!("the key of the authority is not one: {error}"))?;
    let issuer = Issuer::from_ca_cert_pem(part("Cert")?, ca_key)
        .map_err(|error| format!("the certificate of the authority is not one: {error}"))?;
    let made = for_server(args)?
        .signed_by(key, &issuer)
        .map_err(|error| said(&error))?;
    Ok(certificate(made.pem(), key.serialize_pem()))
}

fn custom(args: &Args<'_>) -> Outcome {
    let decode = |index: usize| {
        let bytes = BASE64
            .decode(args.string(index)?.as_bytes())
            .map_err(|error| format!("argument {} is not base 64: {error}", index + 1))?;
        String::from_utf8(bytes).map_err(|_| format!("argument {} is not PEM", index + 1))
    };
    let (cert, key) = (decode(0)?, decode(1)?);
    if !cert.contains("-----BEGIN CERTIFICATE-----") {
        return Err("argument 1 is no certificate in PEM".to_owned());
    }
    KeyPair::from_pem(&key).map_err(|error| format!("argument 2 is no private key: {error}"))?;
    Ok(certificate(cert, key))
}
