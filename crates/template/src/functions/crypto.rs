//! Passwords and ciphers.

use aes::Aes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut as _, BlockEncryptMut as _, KeyIvInit as _};
use data_encoding::BASE64;
use hmac::{Hmac, Mac as _};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::args::Args;
use super::random::fill;
use super::{Arity, Function, Outcome, made};
use crate::value::text;

/// Fuel for one hash of a password.
const PASSWORD: u64 = 5_000_000;

pub(super) const FUNCTIONS: &[Function] = &[
    made(
        "bcrypt",
        Arity::Exactly(1),
        "func(string) string",
        "{{ bcrypt \"secret\" }}",
        "Returns a bcrypt hash of a password.",
        |args| hashed(args, 0).map(text),
    ),
    made(
        "htpasswd",
        Arity::Between(2, 3),
        "func(string, string) string",
        "{{ htpasswd \"me\" \"secret\" }}",
        "Returns a line for a password file of a web server. A third argument \"sha\" asks for SHA-1 instead of bcrypt.",
        htpasswd,
    ),
    made(
        "derivePassword",
        Arity::Exactly(5),
        "func(uint32, string, string, string, string) string",
        "{{ derivePassword 1 \"long\" \"password\" \"user\" \"example.com\" }}",
        "Derives a password from a counter, a type (maximum, long, medium, short, basic, pin), a master password, a user and a site.",
        derive_password,
    ),
    made(
        "encryptAES",
        Arity::Exactly(2),
        "func(string, string) (string, error)",
        "{{ encryptAES \"key\" \"secret\" }}",
        "Encrypts the second argument by AES-256 in CBC mode, with the first as key, to base 64.",
        encrypt,
    ),
    made(
        "decryptAES",
        Arity::Exactly(2),
        "func(string, string) (string, error)",
        "{{ encryptAES \"key\" \"secret\" | decryptAES \"key\" }}",
        "Takes back what encryptAES did.",
        decrypt,
    ),
];

fn hashed(args: &Args<'_>, index: usize) -> Result<String, String> {
    let password = args.string(index)?;
    args.pay(PASSWORD)?;
    // Ten rounds, and the letter, are what sprig takes.
    bcrypt::hash_with_result(password, 10)
        .map(|parts| parts.format_for_version(bcrypt::Version::TwoA))
        .map_err(|error| format!("bcrypt: {error}"))
}

fn htpasswd(args: &Args<'_>) -> Outcome {
    let (user, password) = (args.string(0)?, args.string(1)?);
    if user.contains(':') {
        return Err(format!("the user `{user}` may not have a colon"));
    }
    let hash = match args.value(2).as_str().unwrap_or("bcrypt") {
        "bcrypt" => hashed(args, 1)?,
        "sha" => format!("{{SHA}}{}", BASE64.encode(&Sha1::digest(password))),
        other => return Err(format!("`{other}` is neither `bcrypt` nor `sha`")),
    };
    Ok(text(format!("{user}:{hash}")))
}

/// Returns the characters that a letter of a password's pattern stands for.
fn characters(letter: u8) -> &'static [u8] {
    match letter {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'A' => b"AEIOUBCDFGHJKLMNPQRSTVWXYZ",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// Returns the patterns of a type of password.
fn patterns(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        "long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        "medium" => &["CvcnoCvc", "CvcCvcno"],
        "short" => &["Cvcn"],
        "basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        "pin" => &["nnnn"],
        _ => return None,
    })
}

/// The algorithm of Master Password, version 3.
fn derive_password(args: &Args<'_>) -> Outcome {
    const SEED: &[u8] = b"com.lyndir.masterpassword";
    let counter = u32::try_from(args.int(0)).map_err(|_| "the counter is out of range")?;
    let (kind, password) = (args.string(1)?, args.string(2)?);
    let patterns = patterns(kind).ok_or_else(|| {
        format!("`{kind}` is no type of password: maximum, long, medium, short, basic, pin")
    })?;
    let named = |name: &str| {
        let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
        [SEED, &length.to_be_bytes(), name.as_bytes()].concat()
    };
    args.pay(2 * PASSWORD)?;
    let mut key = [0; 64];
    let parameters = scrypt::Params::new(15, 8, 2, 64).map_err(|error| error.to_string())?;
    scrypt::scrypt(
        password.as_bytes(),
        &named(args.string(3)?),
        &parameters,
        &mut key,
    )
    .map_err(|error| error.to_string())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| error.to_string())?;
    mac.update(&named(args.string(4)?));
    mac.update(&counter.to_be_bytes());
    let seed = mac.finalize().into_bytes();
    let pattern = patterns[usize::from(seed[0]) % patterns.len()];
    let derived: String = pattern
        .bytes()
        .zip(&seed[1..])
        .map(|(letter, byte)| {
            let characters = characters(letter);
            char::from(characters[usize::from(*byte) % characters.len()])
        })
        .collect();
    Ok(text(derived))
}

/// Returns the first 32 bytes of a password, filled up with zeros: what sprig takes for a key.
fn key(password: &str) -> [u8; 32] {
    let mut key = [0; 32];
    for (to, from) in key.iter_mut().zip(password.bytes()) {
        *to = from;
    }
    key
}

fn encrypt(args: &Args<'_>) -> Outcome {
    let (password, plain) = (args.string(0)?, args.string(1)?);
    let mut start = [0; 16];
    fill(&mut start)?;
    let cipher = cbc::Encryptor::<Aes256>::new(&key(password).into(), &start.into());
    let mut bytes = start.to_vec();
    bytes.extend(cipher.encrypt_padded_vec_mut::<Pkcs7>(plain.as_bytes()));
    Ok(text(BASE64.encode(&bytes)))
}

fn decrypt(args: &Args<'_>) -> Outcome {
    let bytes = BASE64
        .decode(args.string(1)?.as_bytes())
        .map_err(|error| format!("not base 64: {error}"))?;
    let wrong = || "it was not encrypted with this key".to_owned();
    let (start, rest) = bytes.split_first_chunk::<16>().ok_or_else(wrong)?;
    let cipher = cbc::Decryptor::<Aes256>::new(&key(args.string(0)?).into(), &(*start).into());
    let plain = cipher
        .decrypt_padded_vec_mut::<Pkcs7>(rest)
        .map_err(|_| wrong())?;
    String::from_utf8(plain).map(text).map_err(|_| wrong())
}
