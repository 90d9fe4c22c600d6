//! The thread that writes: it takes all that waits, writes it at once, and answers.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{mpsc, oneshot};

use super::compact::{self, Compaction, Policy, Records};
use super::line;
use super::log::Log;
use crate::state::{Batch, State, Transaction};
use crate::{Change, Durability, Revision, StoreError};

/// Commits that may wait for the writer before callers have to wait with theirs.
pub(super) const QUEUE: usize = 1024;

/// Bytes after which a batch is written even if more is waiting; bounds the memory of a burst.
const BATCH_BYTES: usize = 1024 * 1024;

/// How many times its limit a log may grow while a snapshot is being written. Then commits wait
/// for the snapshot: a medium that is that slow must not fill up with the log.
const PATIENCE: u64 = 4;

/// What the writer is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// Commit this.
    Commit(Request),
    /// A snapshot is ready, or has failed.
    Wake,
}

/// A commit that waits for its answer.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) changes: Vec<Change>,
    pub(crate) durability: Durability,
    pub(crate) done: oneshot::Sender<Result<Revision, StoreError>>,
}

/// The only one that changes the state and the log.
#[derive(Debug)]
pub(crate) struct Writer {
    state: Arc<RwLock<State>>,
    log: Log,
    policy: Policy,
    /// Length of the log at which it is compacted.
    limit: u64,
    compaction: Option<Compaction>,
    waker: mpsc::WeakSender<Message>,
    buffer: Vec<u8>,
}

/// What has been judged and is about to be written.
struct Judged {
    transactions: Vec<Transaction>,
    answers: Vec<Answer>,
    durability: Durability,
}

struct Answer {
    done: oneshot::Sender<Result<Revision, StoreError>>,
    result: Result<Revision, StoreError>,
}

impl Writer {
    pub(crate) fn new(
        state: Arc<RwLock<State>>,
        log: Log,
        policy: Policy,
        waker: mpsc::WeakSender<Message>,
    ) -> Self {
        let live = compact::live_bytes(&state.read().unwrap_or_else(PoisonError::into_inner));
        Self {
            state,
            log,
            policy,
            limit: policy.limit(live),
            compaction: None,
            waker,
            buffer: Vec::new(),
        }
    }

    /// Works until all senders are gone and all they have sent is done.
    pub(crate) fn run(mut self, mut receiver: mpsc::Receiver<Message>) {
        let mut messages = Vec::new();
        while receiver.blocking_recv_many(&mut messages, QUEUE) > 0 {
            let mut woken = false;
            let mut queue = VecDeque::with_capacity(messages.len());
            for message in messages.drain(..) {
                match message {
                    Message::Commit(request) => queue.push_back(request),
                    Message::Wake => woken = true,
                }
            }
            while !queue.is_empty() {
                self.commit(&mut queue);
            }
            self.compact(woken);
        }
        if let Some(compaction) = self.compaction.take() {
            compaction.abandon(&self.log);
        }
        if let Err(error) = self.log.write(&[], true) {
            tracing::warn!(log = %self.log.path().display(), %error, "failed to sync the store at its end");
        }
    }

    /// Commits a batch from the front of `queue`.
    fn commit(&mut self, queue: &mut VecDeque<Request>) {
        let judged = self.judge(queue);
        let written = self.trust().and_then(|()| {
            self.log
                .write(&self.buffer, judged.durability == Durability::Synced)
        });
        match written {
            Ok(()) => {
                let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
                for transaction in judged.transactions {
                    state.apply(transaction);
                }
                drop(state);
                for answer in judged.answers {
                    // Nobody waits for the answer of a commit that was given up.
                    answer.done.send(answer.result).ok();
                }
            }
            Err(source) => self.fail(judged.answers, source),
        }
        self.buffer.clear();
        self.buffer.shrink_to(BATCH_BYTES);
    }

    /// Judges requests and encodes those that pass, as long as the batch is small.
    fn judge(&mut self, queue: &mut VecDeque<Request>) -> Judged {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let mut batch = Batch::new(&state);
        let mut judged = Judged {
            transactions: Vec::new(),
            answers: Vec::new(),
            durability: Durability::Buffered,
        };
        while self.buffer.len() < BATCH_BYTES
            && let Some(request) = queue.pop_front()
        {
            let result = if request.changes.is_empty() {
                Ok(batch.revision())
            } else {
                batch.admit(request.changes).map(|transaction| {
                    let revision = transaction.revision;
                    if !transaction.effects.is_empty() {
                        line::encode(&transaction, &mut self.buffer);
                        judged.transactions.push(transaction);
                    }
                    revision
                })
            };
            if result.is_ok() && request.durability == Durability::Synced {
                judged.durability = Durability::Synced;
            }
            judged.answers.push(Answer {
                done: request.done,
                result,
            });
        }
        judged
    }

    /// Writes the log anew if the medium may have lost some of it.
    fn trust(&mut self) -> io::Result<()> {
        if !self.log.is_doubtful() {
            return Ok(());
        }
        if let Some(compaction) = self.compaction.take() {
            compaction.abandon(&self.log);
        }
        let records = Records::of(&self.state.read().unwrap_or_else(PoisonError::into_inner));
        compact::rewrite(&records, &mut self.log)?;
        self.limit = self.policy.limit(self.log.length());
        Ok(())
    }

    fn fail(&self, answers: Vec<Answer>, source: io::Error) {
        let error = StoreError::Write {
            path: self.log.path().to_owned(),
            source: Arc::new(source),
        };
        for Answer { done, result } in answers {
            // A conflict may be with a transaction of this batch, which has not happened.
            let result = match result {
                Ok(_) | Err(StoreError::Conflict { .. }) => Err(error.clone()),
                Err(refused) => Err(refused),
            };
            done.send(result).ok();
        }
    }

    /// Ends a compaction that is ready, and starts one that is due.
    fn compact(&mut self, woken: bool) {
        let too_long = self.log.length() >= self.limit.saturating_mul(PATIENCE);
        if let Some(compaction) = self
            .compaction
            .take_if(|compaction| woken || too_long || compaction.has_ended())
        {
            let before = self.log.length();
            match compaction.finish(&mut self.log) {
                Ok(live) => {
                    self.limit = self.policy.limit(live);
                    tracing::debug!(
                        before,
                        after = self.log.length(),
                        "compacted the store's log"
                    );
                }
                Err(error) => self.give_up(&error),
            }
        }
        if self.compaction.is_some() || self.log.length() < self.limit || self.log.is_doubtful() {
            return;
        }
        // Without a sender the store is about to close: the next opener will compact.
        let Some(waker) = self.waker.upgrade() else {
            return;
        };
        let records = Records::of(&self.state.read().unwrap_or_else(PoisonError::into_inner));
        let wake = move || {
            // The writer outlives its senders, so this fails only if it has panicked.
            waker.blocking_send(Message::Wake).ok();
        };
        match Compaction::start(records, &self.log, wake) {
            Ok(compaction) => self.compaction = Some(compaction),
            Err(error) => self.give_up(&error),
        }
    }

    /// Goes on with the long log, and tries again when it has doubled.
    fn give_up(&mut self, error: &io::Error) {
        tracing::warn!(log = %self.log.path().display(), %error, "failed to compact the store's log");
        compact::remove_temporary(&self.log);
        self.limit = self.log.length().saturating_mul(2).max(self.policy.least);
    }
}
