//! One process of a function, and its current invocation.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::error::InvokeError;
use super::pool::{Handle, Job, Next, Pool};

/// How long a process may take to ask for its first invocation. AWS allows 10 seconds; a
/// development machine may be busy compiling.
const INIT: Duration = Duration::from_secs(30);

/// How long a process is kept warm.
const IDLE: Duration = Duration::from_mins(5);

/// One process.
pub(super) struct Process {
    token: String,
    pool: Arc<Pool>,
    /// Whether it has asked for an invocation.
    up: AtomicBool,
    /// What it reported as the reason why it cannot start.
    init_error: Mutex<Option<InvokeError>>,
    work: Mutex<Work>,
    deadline: watch::Sender<Option<Instant>>,
    handle: Arc<Handle>,
}

/// What a process is working on.
#[derive(Default)]
enum Work {
    #[default]
    Nothing,
    Invocation(Running),
    /// It has ended.
    Gone,
}

struct Running {
    job: Job,
    since: Instant,
}

/// An invocation as the process is given it.
pub(super) struct Assignment {
    pub(super) id: String,
    pub(super) payload: Bytes,
    pub(super) trace: String,
    pub(super) timeout: Duration,
    pub(super) arn: String,
}

impl Process {
    pub(super) fn new(token: String, pool: Arc<Pool>, handle: Arc<Handle>) -> Self {
        Self {
            token,
            pool,
            up: AtomicBool::new(false),
            init_error: Mutex::default(),
            work: Mutex::default(),
            deadline: watch::Sender::new(Some(Instant::now() + INIT)),
            handle,
        }
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Waits for the next invocation. `None` if there will be none.
    pub(super) async fn next(&self) -> Option<Assignment> {
        let first = !self.up.swap(true, Ordering::SeqCst);
        self.deadline.send_replace(None);
        let job = match Pool::next(&self.pool, first) {
            Next::Job(job) => job,
            Next::Wait(job) => self.wait(job).await?,
        };
        self.take(job)
    }

    /// Waits for a job; ends the process when none comes for long.
    async fn wait(&self, mut job: oneshot::Receiver<Job>) -> Option<Job> {
        if let Ok(job) = timeout(IDLE, &mut job).await {
            return job.ok();
        }
        job.close();
        // One may have come in the meantime.
        let job = job.try_recv().ok();
        if job.is_none() {
            self.handle.kill.notify_one();
        }
        job
    }

    /// Takes a job, unless the process has ended meanwhile: then another one gets it.
    fn take(&self, job: Job) -> Option<Assignment> {
        let timeout = self.pool.function().timeout;
        let assignment = Assignment {
            id: job.id.clone(),
            payload: job.payload.clone(),
            trace: job.trace.clone(),
            timeout,
            arn: self.pool.arn().to_owned(),
        };
        let since = Instant::now();
        let before = {
            let mut work = lock(&self.work);
            if matches!(*work, Work::Gone) {
                drop(work);
                Pool::hand_over(&self.pool, job);
                return None;
            }
            self.handle.set_invocation(Some(job.id.clone()));
            mem::replace(&mut *work, Work::Invocation(Running { job, since }))
        };
        self.deadline.send_replace(Some(since + timeout));
        if let Work::Invocation(unanswered) = before {
            let status = "it asked for the next invocation instead of answering".to_owned();
            self.close(unanswered, Err(InvokeError::Exited { status }));
        }
        Some(assignment)
    }

    /// Responds to the current invocation; `false` if `id` is not its id.
    pub(super) fn finish(&self, id: &str, answer: Result<Bytes, InvokeError>) -> bool {
        let mut work = lock(&self.work);
        let in_hand = matches!(&*work, Work::Invocation(running) if running.job.id == id);
        let done = if in_hand {
            self.handle.set_invocation(None);
            mem::take(&mut *work)
        } else {
            Work::Nothing
        };
        drop(work);
        let Work::Invocation(running) = done else {
            return false;
        };
        self.deadline.send_replace(None);
        self.close(running, answer);
        true
    }

    /// Takes note of why it cannot start.
    pub(super) fn cannot_start(&self, error: InvokeError) {
        *lock(&self.init_error) = Some(error);
    }

    fn close(&self, running: Running, answer: Result<Bytes, InvokeError>) {
        let memory = self.pool.function().memory_mib;
        let lasted = running.since.elapsed();
        self.pool
            .settings()
            .bill
            .invocation(self.pool.id(), lasted, memory);
        running.job.answer(answer);
    }

    /// Resolves once a deadline has passed.
    async fn overdue(&self) {
        let mut changes = self.deadline.subscribe();
        loop {
            let at = *changes.borrow_and_update();
            // The sender lives as long as `self`: a change always comes, or nothing does.
            let passed = async {
                match at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = passed => return,
                _ = changes.changed() => {}
            }
        }
    }

    /// Resolves once the process is to be killed, with how its current invocation has failed.
    pub(super) async fn to_be_killed(&self) -> InvokeError {
        tokio::select! {
            () = self.overdue() => {
                let up = self.up.load(Ordering::SeqCst);
                let after = if up { self.pool.function().timeout } else { INIT };
                InvokeError::Timeout { after }
            }
            () = self.handle.kill.notified() => InvokeError::Exited { status: "signal: killed".to_owned() },
        }
    }

    /// The process has ended: fails its current invocation, and takes no other.
    pub(super) fn ended(&self, error: InvokeError) {
        self.handle.set_invocation(None);
        let work = mem::replace(&mut *lock(&self.work), Work::Gone);
        if let Work::Invocation(running) = work {
            tracing::warn!(function = self.pool.id(), %error, "a function's process ended");
            self.close(running, Err(error.clone()));
        }
        let never_up = (!self.up.load(Ordering::SeqCst))
            .then(|| lock(&self.init_error).take().unwrap_or(error));
        Pool::ended(&self.pool, &self.token, never_up);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
