//! The client against small servers: over TCP, TLS and unix sockets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use infrakit_fetch::Client;
use infrakit_template::{Fetch, Request};

/// Reads the head of one request, and writes `answer`.
fn serve(mut stream: impl Read + Write, answer: &str) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
        head.push(byte[0]);
    }
    let _ = stream.write_all(answer.as_bytes());
    String::from_utf8(head).unwrap()
}

/// Answers one connection after another; hands out what was asked.
fn server(answers: Vec<String>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, asked) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let _ = sender.send(serve(stream, &answer));
        }
    });
    (address, asked)
}

fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn found(location: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

fn get_with(
    client: &Client,
    url: &str,
    headers: &[(&str, &str)],
    timeout: Duration,
) -> Result<String, String> {
    let headers: Vec<(String, String)> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let request = Request {
        url,
        headers: &headers,
        limit: 100,
        timeout,
    };
    client
        .fetch(&request)
        .map(|bytes| String::from_utf8(bytes).unwrap())
}

fn get(url: &str) -> Result<String, String> {
    get_with(&Client::new(), url, &[], Duration::from_secs(5))
}

#[test]
fn fetches_with_headers_of_its_own() {
    let (host, asked) = server(vec![ok("one"), ok("two")]);
    let client = Client::new();
    let url = format!("http://{host}/a/b?c=d");
    let headers = [("X-Key", "1")];
    let timeout = Duration::from_secs(5);
    assert_eq!(get_with(&client, &url, &headers, timeout).unwrap(), "one");
    assert_eq!(get_with(&client, &url, &[], timeout).unwrap(), "two");
    let (first, second) = (asked.recv().unwrap(), asked.recv().unwrap());
    assert!(first.starts_with("GET /a/b?c=d HTTP/1.1\r\n"), "{first}");
    assert!(first.to_lowercase().contains("x-key: 1\r\n"), "{first}");
    assert!(first.contains("infrakit/"), "{first}");
    assert!(!second.to_lowercase().contains("x-key"), "{second}");
}

#[test]
fn redirects_are_few_and_carry_no_headers_elsewhere() {
    let (other, asked) = server(vec![ok("there")]);
    let (host, first) = server(vec![found("/b"), found(&format!("http://{other}/c"))]);
    let url = format!("http://{host}/a");
    let got = get_with(
        &Client::new(),
        &url,
        &[("Authorization", "x")],
        Duration::from_secs(5),
    );
    assert_eq!(got.unwrap(), "there");
    assert!(
        first
            .recv()
            .unwrap()
            .to_lowercase()
            .contains("authorization")
    );
    assert!(first.recv().unwrap().starts_with("GET /b "));
    let elsewhere = asked.recv().unwrap();
    assert!(
        elsewhere.starts_with("GET /c ") && !elsewhere.to_lowercase().contains("authorization")
    );

    let (host, _asked) = server((0..9).map(|_| found("/again")).collect());
    let error = get(&format!("http://{host}/")).unwrap_err();
    assert_eq!(error, "it redirects more than 5 times");
    let (host, _asked) = server(vec![found("file:///etc/passwd")]);
    let error = get(&format!("http://{host}/")).unwrap_err();
    assert_eq!(error, "it redirects to something that is not HTTP");
}

#[test]
fn refusals_say_why() {
    let (host, _asked) = server(vec![
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
    ]);
    assert_eq!(
        get(&format!("http://{host}/")).unwrap_err(),
        "the server answers 404 Not Found"
    );
    let (host, _asked) = server(vec![ok(&"x".repeat(101))]);
    assert_eq!(
        get(&format!("http://{host}/")).unwrap_err(),
        "the answer is larger than 100 bytes"
    );
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert!(
        get(&format!("http://{free}/"))
            .unwrap_err()
            .contains("refused")
    );
    assert!(get("http://").is_err());
}

#[test]
fn a_mute_server_is_left_after_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("s");
    let _mute = UnixListener::bind(&socket).unwrap();
    for url in [url, format!("unix://{}/x", socket.display())] {
        let start = Instant::now();
        let error = get_with(&Client::new(), &url, &[], Duration::from_millis(300));
        assert_eq!(error.unwrap_err(), "it takes too long");
        assert!(start.elapsed() < Duration::from_secs(3));
    }
}

#[test]
fn speaks_over_unix_sockets() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("a.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let (sender, asked) = channel();
    std::thread::spawn(move || {
        for answer in [ok("socket"), ok("root"), found("http://host/")] {
            let (stream, _) = listener.accept().unwrap();
            let _ = sender.send(serve(stream, &answer));
        }
    });
    let url = format!("unix://{}", socket.display());
    let got = get_with(
        &Client::new(),
        &format!("{url}/info/api.json?x=1"),
        &[("X-Key", "1")],
        Duration::from_secs(5),
    );
    assert_eq!(got.unwrap(), "socket");
    assert_eq!(get(&url).unwrap(), "root");
    assert!(get(&url).unwrap_err().contains("may not redirect"));
    let head = asked.recv().unwrap();
    assert!(
        head.starts_with("GET /info/api.json?x=1 HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(head.to_lowercase().contains("x-key: 1"), "{head}");
    let none = get(&format!("unix://{}/none/x", home.path().display()));
    assert!(none.unwrap_err().contains("no socket on this path"));
}

#[test]
fn tls_is_checked_against_an_authority_that_was_added() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let home = tempfile::tempdir().unwrap();
    let authorities = home.path().join("ca.pem");
    std::fs::write(&authorities, cert.pem()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(
        vec![cert.der().clone()],
        rustls::pki_types::PrivateKeyDer::Pkcs8(signing_key.serialize_der().into()),
    )
    .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for _ in 0..2 {
            let (stream, _) = listener.accept().unwrap();
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            serve(rustls::StreamOwned::new(connection, stream), &ok("safe"));
        }
    });
    let url = format!("https://localhost:{port}/");
    let stranger = get(&url).unwrap_err();
    assert!(
        stranger.contains("ertificate") || stranger.contains("authorities"),
        "{stranger}"
    );
    let client = Client::new().with_authorities(&authorities);
    let got = get_with(&client, &url, &[], Duration::from_secs(5));
    // Where the system has no authorities, the first client never got as far as connecting.
    assert_eq!(got.unwrap(), "safe");
    let missing = Client::new().with_authorities(home.path().join("none"));
    let error = get_with(&missing, &url, &[], Duration::from_secs(5)).unwrap_err();
    assert!(error.contains("failed to read authorities"), "{error}");
}

#[test]
fn names_are_looked_up() {
    let client = Client::new();
    assert_eq!(client.resolve("localhost").unwrap(), "127.0.0.1");
    let error = client.resolve("nowhere.invalid").unwrap_err();
    assert!(
        error.contains("failed to look up `nowhere.invalid`"),
        "{error}"
    );
}
