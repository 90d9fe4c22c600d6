//! Sending a body, for those who do more than read. Redirects are not followed: what was meant for
//! one address is none of another's business.

use std::time::Duration;

use ureq::http;

use crate::Client;
use crate::client::{is_secure, said};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status, as in `404 Not Found`.
    pub status: String,
    /// Whether the status is a success.
    pub success: bool,
    /// Its body.
    pub body: Vec<u8>,
}

/// Something to send.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// Method, as in `POST`.
    pub method: &'a str,
    /// `http` or `https` URL.
    pub url: &'a str,
    /// Headers.
    pub headers: &'a [(String, String)],
    /// Body.
    pub body: &'a [u8],
    /// Most bytes that the answer may have.
    pub limit: u64,
    /// Longest time that the whole exchange may take.
    pub timeout: Duration,
}

impl Client {
    /// Sends a request and returns the answer, whatever its status.
    ///
    /// # Errors
    /// Says why there is no answer, or why this can be no request.
    pub fn send(&self, sending: &Sending<'_>) -> Result<Answer, String> {
        if !sending.url.starts_with("http://") && !is_secure(sending.url) {
            return Err("only `http://` and `https://` can be sent to".to_owned());
        }
        let agent = self.agent(sending.url)?;
        let mut request = http::Request::builder()
            .method(sending.method)
            .uri(sending.url);
        for (name, value) in sending.headers {
            request = request.header(name, value);
        }
        let request = request
            .body(sending.body)
            .map_err(|error| error.to_string())?;
        let request = agent
            .configure_request(request)
            .timeout_global(Some(sending.timeout))
            .build();
        let mut response = agent.run(request).map_err(said)?;
        let body = response
            .body_mut()
            .with_config()
            .limit(sending.limit)
            .read_to_vec()
            .map_err(said)?;
        Ok(Answer {
            status: response.status().to_string(),
            success: response.status().is_success(),
            body,
        })
    }
}
