//! The client: one exchange after another, until an answer is no redirect.

use std::net::{IpAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use infrakit_template::{Fetch, Request, resolve};
use ureq::http::{Response, StatusCode};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

use crate::{roots, unix};

/// Most redirects that are followed.
const MOST_REDIRECTS: usize = 5;
/// Longest time that a name is looked up.
const LOOKUP: Duration = Duration::from_secs(5);
/// What servers see as the caller.
const USER_AGENT: &str = concat!("infrakit/", env!("CARGO_PKG_VERSION"));

/// Fetches over the network and over unix sockets.
#[derive(Debug, Default)]
pub struct Client {
    authorities: Option<PathBuf>,
    agent: OnceLock<Result<Agent, String>>,
}

impl Client {
    /// Returns a client that trusts the authorities of the system. `SSL_CERT_FILE` names others.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts the authorities in the PEM file at `path` as well.
    #[must_use]
    pub fn with_authorities(mut self, path: impl Into<PathBuf>) -> Self {
        self.authorities = Some(path.into());
        self
    }

    /// Returns the agent for `url`.
    pub(crate) fn agent(&self, url: &str) -> Result<&Agent, String> {
        if is_secure(url) {
            self.secure_agent()
        } else {
            Ok(Self::plain_agent())
        }
    }

    fn secure_agent(&self) -> Result<&Agent, String> {
        let made = self.agent.get_or_init(|| {
            let roots = roots::load(self.authorities.as_deref())?;
            let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let tls = TlsConfig::builder()
                .unversioned_rustls_crypto_provider(provider)
                .root_certs(RootCerts::new_with_certs(&roots))
                .build();
            Ok(plain().tls_config(tls).build().new_agent())
        });
        made.as_ref().map_err(Clone::clone)
    }

    /// Returns the agent for plain `http`, for which no certificate is read.
    fn plain_agent() -> &'static Agent {
        static AGENT: OnceLock<Agent> = OnceLock::new();
        AGENT.get_or_init(|| plain().build().new_agent())
    }

    fn follow(&self, request: &Request<'_>) -> Result<Vec<u8>, String> {
        let deadline = Instant::now() + request.timeout;
        let mut url = request.url.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let agent = self.agent(&url)?;
            // What was meant for one server is none of another's business.
            let headers = if origin(&url) == origin(request.url) {
                request.headers
            } else {
                &[]
            };
            let mut response = exchange(agent, &url, headers, deadline)?;
            let Some(next) = redirect(&response) else {
                return body(&mut response, request.limit);
            };
            let next = resolve(&url, &next);
            if is_secure(&url) && !is_secure(&next) {
                return Err("it redirects from `https` to something less safe".to_owned());
            }
            if !next.starts_with("http://") && !is_secure(&next) {
                return Err("it redirects to something that is not HTTP".to_owned());
            }
            url = next;
        }
        Err(format!("it redirects more than {MOST_REDIRECTS} times"))
    }
}

impl Fetch for Client {
    fn fetch(&self, request: &Request<'_>) -> Result<Vec<u8>, String> {
        if let Some(rest) = request.url.strip_prefix("unix://") {
            let deadline = Instant::now() + request.timeout;
            let (socket, path) = unix::split(rest)?;
            let agent = unix::agent(socket, plain().build());
            // Servers on sockets care for no host.
            let url = format!("http://localhost{path}");
            let mut response = exchange(&agent, &url, request.headers, deadline)?;
            return match redirect(&response) {
                Some(_) => Err("a server on a unix socket may not redirect".to_owned()),
                None => body(&mut response, request.limit),
            };
        }
        self.follow(request)
    }

    fn resolve(&self, host: &str) -> Result<String, String> {
        let (sender, found) = mpsc::channel();
        let name = host.to_owned();
        // The system's resolver knows no deadline, so it is left behind when it takes too long.
        std::thread::spawn(move || {
            let addresses = (name.as_str(), 0).to_socket_addrs();
            let addresses = addresses.map(|list| list.map(|one| one.ip()).collect::<Vec<IpAddr>>());
            // Nobody may be waiting any more.
            let _ = sender.send(addresses);
        });
        let failed = |why: &str| format!("failed to look up `{host}`: {why}");
        let addresses = found
            .recv_timeout(LOOKUP)
            .map_err(|_| failed("no answer within 5 s"))?
            .map_err(|error| failed(&error.to_string()))?;
        let first = addresses.iter().find(|one| one.is_ipv4());
        first
            .or_else(|| addresses.first())
            .map(ToString::to_string)
            .ok_or_else(|| failed("it has no address"))
    }
}

fn plain() -> ureq::config::ConfigBuilder<ureq::typestate::AgentScope> {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(USER_AGENT)
        .max_response_header_size(64 * 1024)
}

pub(crate) fn is_secure(url: &str) -> bool {
    url.starts_with("https://")
}

/// Returns scheme, host and port of a URL.
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| start + at);
    &url[..end]
}

fn exchange(
    agent: &Agent,
    url: &str,
    headers: &[(String, String)],
    deadline: Instant,
) -> Result<Response<Body>, String> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err("it takes too long".to_owned());
    }
    let mut request = agent.get(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request
        .config()
        .timeout_global(Some(left))
        .build()
        .call()
        .map_err(said)
}

/// Returns in words why there is no answer.
pub(crate) fn said(error: ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "it takes too long".to_owned(),
        other => other.to_string(),
    }
}

/// Returns where the answer sends us, if it does.
fn redirect(response: &Response<Body>) -> Option<String> {
    let sends = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = response.headers().get("location")?.to_str().ok()?;
    sends.then(|| location.to_owned())
}

fn body(response: &mut Response<Body>, limit: usize) -> Result<Vec<u8>, String> {
    let status = response.status();
    if !status.is_success() {
        return Err(format!("the server answers {status}"));
    }
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    response
        .body_mut()
        .with_config()
        .limit(most)
        .read_to_vec()
        .map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => {
                format!("the answer is larger than {limit} bytes")
            }
            other => said(other),
        })
}
