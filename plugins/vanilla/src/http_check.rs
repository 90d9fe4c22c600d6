//! Asks for a page over plain HTTP and judges its status. The body is never read.

use bytes::Bytes;
use http::Request;
use http::header::{CONNECTION, HOST, USER_AGENT};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::target::parse_url;

/// Most bytes of a response's head.
const LARGEST_HEAD: usize = 64 * 1024;

/// Asks for `url`; any status of 200 to 399 will do, unless `want` names one.
pub(crate) async fn check(url: &str, want: Option<u16>) -> Result<(), String> {
    let uri = parse_url(url)?;
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(80);
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port))
        .await
        .map_err(|error| format!("no connection: {error}"))?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(LARGEST_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("no HTTP connection: {error}"))?;
    let path = uri
        .path_and_query()
        .map_or("/", http::uri::PathAndQuery::as_str);
    let request = Request::get(path)
        .header(
            HOST,
            uri.port()
                .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
        )
        .header(USER_AGENT, "infrakit")
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("no request: {error}"))?;
    let mut answer = std::pin::pin!(sender.send_request(request));
    let mut connection = std::pin::pin!(connection);
    let mut ended = false;
    let response = loop {
        tokio::select! {
            biased;
            response = &mut answer => break response,
            // Its error, if any, reaches the answer too.
            _ = &mut connection, if !ended => ended = true,
        }
    };
    let status = response
        .map_err(|error| format!("no HTTP answer: {error}"))?
        .status()
        .as_u16();
    match want {
        Some(want) if status != want => Err(format!("status {status}, not {want}")),
        None if !(200..400).contains(&status) => Err(format!("status {status}")),
        Some(_) | None => Ok(()),
    }
}
