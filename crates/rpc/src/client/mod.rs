//! Calling a plugin: one request, one answer or one classified error, within a deadline.

mod answer;
pub(crate) mod connection;
mod pool;
mod request;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::Either;
use infrakit_spi::{Any, Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::discovery::Address;
use answer::Answer;
use connection::{Broken, Connection};
use pool::Pool;

use crate::sse::Subscription;

/// Largest answer to a call that creates, destroys, checks or greets, in bytes: far more than an
/// id, a verdict or the boot script of a machine takes.
const BRIEF: usize = 1 << 20;

/// Bounds on one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time for the whole call, from connecting to the last byte of the answer.
    pub deadline: Duration,
    /// The same for creating, draining and destroying instances, where it differs. That may take minutes, and
    /// what is given up may still come true, so a caller with patience of its own says so here.
    pub effect: Option<Duration>,
    /// Largest answer, in bytes.
    pub response: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(15),
            effect: None,
            response: 64 << 20,
        }
    }
}

/// A client of one plugin. Clones share their connections.
///
/// Nothing is connected before the first call, so a client outlives restarts of its plugin.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
    limits: Limits,
}

#[derive(Debug)]
struct Inner {
    address: Address,
    pool: Pool,
}

impl Client {
    /// Makes a client of the plugin at `address`.
    #[must_use]
    pub fn new(address: Address, limits: Limits) -> Self {
        Self {
            inner: Arc::new(Inner {
                address,
                pool: Pool::default(),
            }),
            limits,
        }
    }

    /// Returns the address of the plugin.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.inner.address
    }

    /// Returns the bounds on each call.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Returns the same client for calls whose answers are short by nature. Many of them run at
    /// once, and a hostile plugin could fill the memory with answers that are each within bounds.
    #[must_use]
    pub(crate) fn brief(&self) -> Self {
        let response = self.limits.response.min(BRIEF);
        Self {
            inner: Arc::clone(&self.inner),
            limits: Limits {
                response,
                ..self.limits
            },
        }
    }

    /// Calls a method and decodes its result.
    ///
    /// # Errors
    /// The plugin's own error, or why there is no answer. [`Error::delivery`] tells whether the
    /// call may have had an effect.
    pub async fn call<P: Serialize, R: DeserializeOwned>(
        &self,
        method: &str,
        params: &P,
    ) -> Result<R> {
        self.call_within(self.limits.deadline, method, params).await
    }

    /// Calls a method as [`call`](Self::call) does, with a deadline of its own.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_within<P: Serialize, R: DeserializeOwned>(
        &self,
        deadline: Duration,
        method: &str,
        params: &P,
    ) -> Result<R> {
        self.ask(deadline, method, params).await?.decode(method)
    }

    /// Calls a method and returns its result as raw JSON.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_raw<P: Serialize>(&self, method: &str, params: &P) -> Result<Any> {
        self.call(method, params).await
    }

    /// Gets a document beside the calls, such as `/info/api.json`.
    ///
    /// # Errors
    /// As [`call`](Self::call); an answer that is no success is refused.
    pub async fn get(&self, path: &str) -> Result<String> {
        let request = request::get(&self.inner.address, path)?;
        let wanted = format!("GET {path}");
        let answer = self
            .exchange(self.limits.deadline, &wanted, request, None)
            .await?;
        answer.document(&wanted)
    }

    /// Subscribes to the events below `topic`. The stream ends when the plugin does.
    ///
    /// # Errors
    /// Why the plugin cannot be reached, or `http-status:<code>`. A plugin of the original
    /// answers only when there is a first event; until then the stream is silent.
    pub async fn events(&self, topic: &str) -> Result<Subscription> {
        let request = request::events(&self.inner.address, topic)?;
        let connecting = Connection::open(&self.inner.address, request::url(&self.inner.address));
        let connection = tokio::time::timeout(self.limits.deadline, connecting)
            .await
            .map_err(|_| Error::not_delivered(self.overdue("events", self.limits.deadline)))?
            .map_err(Error::not_delivered)?;
        Ok(Subscription::new(connection, request))
    }

    /// Calls a method and returns the whole answer, not yet decoded.
    pub(crate) async fn ask<P: Serialize>(
        &self,
        deadline: Duration,
        method: &str,
        params: &P,
    ) -> Result<Answer> {
        let (body, id) = request::body(method, params)?;
        let request = request::post(&self.inner.address, body)?;
        self.exchange(deadline, method, request, Some(id)).await
    }

    async fn exchange(
        &self,
        deadline: Duration,
        method: &str,
        request: http::Request<Bytes>,
        id: Option<u64>,
    ) -> Result<Answer> {
        let until = Instant::now().checked_add(deadline);
        let mut used = Used::default();
        let attempt = self.attempt(request, &mut used);
        let attempt = match until {
            Some(until) => Either::Left(tokio::time::timeout_at(until, attempt)),
            // A deadline beyond what the clock can hold is none.
            None => Either::Right(async { Ok(attempt.await) }),
        };
        match attempt.await {
            Ok(Ok(answer)) => {
                let retry_after = answer.retry_after;
                Ok(Answer::new(answer.status, answer.body, id).asking_for(retry_after))
            }
            Ok(Err(broken)) => Err(broken.into_error(self.limits.response)),
            Err(_) if used.written() => Err(Error::unknown(self.overdue(method, deadline))),
            Err(_) => Err(Error::not_delivered(self.overdue(method, deadline))),
        }
    }

    fn overdue(&self, method: &str, deadline: Duration) -> String {
        let url = request::url(&self.inner.address);
        let address = &self.inner.address;
        format!("Post \"{url}\": {method} got no answer from {address} within {deadline:?}")
    }

    /// Sends a request on a kept connection, or on a new one when there is none, or when the kept
    /// one turns out closed before it took a byte.
    async fn attempt(
        &self,
        request: http::Request<Bytes>,
        used: &mut Used,
    ) -> std::result::Result<connection::Exchanged, Broken> {
        let limit = self.limits.response;
        if let Some(mut connection) = self.inner.pool.take() {
            used.connection = Some(connection.written());
            match connection.exchange(request.clone(), limit).await {
                Ok(answer) => return Ok(self.keep(connection, answer)),
                Err(broken) if broken.nothing_written() => {}
                Err(broken) => return Err(broken),
            }
        }
        used.connection = None;
        let url = request::url(&self.inner.address);
        let mut connection = Connection::open(&self.inner.address, url)
            .await
            .map_err(Broken::not_connected)?;
        used.connection = Some(connection.written());
        let answer = connection.exchange(request, limit).await?;
        Ok(self.keep(connection, answer))
    }

    fn keep(&self, connection: Connection, answer: connection::Exchanged) -> connection::Exchanged {
        if answer.reusable {
            self.inner.pool.put(connection);
        }
        answer
    }
}

/// What a call has touched so far, to be asked when it is given up.
#[derive(Default)]
struct Used {
    connection: Option<connection::Written>,
}

impl Used {
    fn written(&self) -> bool {
        self.connection
            .as_ref()
            .is_some_and(connection::Written::any)
    }
}
