//! The processes of one function, and the invocations that wait for one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use super::error::InvokeError;
use super::settings::Settings;
use crate::arn::Arns;
use crate::model::Function;

/// The most processes of one function that start at the same time.
const STARTING: usize = 8;

/// An invocation waits this long for each process that there is before it gets one more: whichever
/// comes first, a process that gets free or a new one. So a burst of short invocations shares a few
/// processes, as many as a few cores can use, and 64 that all block have one each in 64 times this.
const PATIENCE: Duration = Duration::from_millis(10);

/// Starts a process: of this pool, with this session token and this handle.
pub(super) type Launch = fn(Arc<Pool>, String, Arc<Handle>);

/// What a pool and each of its processes have in common.
#[derive(Default)]
pub(super) struct Handle {
    pub(super) kill: Notify,
    invocation: Mutex<Option<String>>,
}

impl Handle {
    /// The id of the invocation that the process is working on.
    fn invocation(&self) -> Option<String> {
        self.lock().clone()
    }

    pub(super) fn set_invocation(&self, id: Option<String>) {
        *self.lock() = id;
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.invocation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// One invocation.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) payload: Bytes,
    pub(super) trace: String,
    since: Instant,
    reply: oneshot::Sender<Result<Bytes, InvokeError>>,
    /// Its share of the function's and of the account's concurrency, from `submit` on.
    permits: Option<[OwnedSemaphorePermit; 2]>,
}

impl Job {
    pub(super) fn new(
        payload: Bytes,
        trace: String,
        reply: oneshot::Sender<Result<Bytes, InvokeError>>,
    ) -> Self {
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            payload,
            trace,
            since: Instant::now(),
            reply,
            permits: None,
        }
    }

    /// Responds to it. Its concurrency is free before the response can be seen.
    pub(super) fn answer(self, answer: Result<Bytes, InvokeError>) {
        drop(self.permits);
        // The caller may have gone.
        let _ = self.reply.send(answer);
    }
}

/// The processes of one function.
pub(super) struct Pool {
    id: String,
    function: Function,
    arn: String,
    region: String,
    settings: Arc<Settings>,
    launch: Launch,
    limit: usize,
    concurrency: Arc<Semaphore>,
    account: Arc<Semaphore>,
    state: Mutex<State>,
    emptied: Notify,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// Processes that wait for an invocation; the one used last is taken first.
    idle: Vec<oneshot::Sender<Job>>,
    /// How many processes have not asked for their first invocation yet.
    starting: usize,
    /// Whether somebody will look again whether to start one.
    reminded: bool,
    /// How many processes were ever started: their number.
    started: u64,
    /// By session token.
    processes: BTreeMap<String, Arc<Handle>>,
    closed: bool,
}

/// What a process that asks for an invocation gets.
pub(super) enum Next {
    Job(Job),
    Wait(oneshot::Receiver<Job>),
}

impl Pool {
    pub(super) fn new(
        id: &str,
        function: Function,
        arns: &Arns,
        settings: Arc<Settings>,
        launch: Launch,
        account: Arc<Semaphore>,
    ) -> Self {
        let limit = function
            .reserved_concurrency
            .unwrap_or(settings.concurrency) as usize;
        Self {
            id: id.to_owned(),
            arn: arns.function(&function.name),
            region: arns.region().to_owned(),
            function,
            settings,
            launch,
            limit,
            concurrency: Arc::new(Semaphore::new(limit)),
            account,
            state: Mutex::default(),
            emptied: Notify::new(),
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn function(&self) -> &Function {
        &self.function
    }

    pub(super) fn arn(&self) -> &str {
        &self.arn
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many invocations are in progress or wait for a process.
    pub(super) fn under_way(&self) -> usize {
        self.limit
            .saturating_sub(self.concurrency.available_permits())
    }

    /// Hands an invocation to an idle process, or lets it wait for one.
    pub(super) fn submit(pool: &Arc<Self>, mut job: Job) -> Result<(), InvokeError> {
        let [own, account] = [&pool.concurrency, &pool.account].map(Arc::clone);
        let throttled = |_| InvokeError::Throttled;
        job.permits = Some([
            own.try_acquire_owned().map_err(throttled)?,
            account.try_acquire_owned().map_err(throttled)?,
        ]);
        Self::hand_over(pool, job);
        Ok(())
    }

    /// The same for an invocation that already has its share of the concurrency.
    pub(super) fn hand_over(pool: &Arc<Self>, mut job: Job) {
        let mut state = pool.lock();
        if state.closed {
            return; // the caller sees that no response will come
        }
        while let Some(idle) = state.idle.pop() {
            match idle.send(job) {
                Ok(()) => return,
                Err(back) => job = back, // that process has just ended
            }
        }
        state.waiting.push_back(job);
        Self::start(pool, &mut state);
    }

    /// The next invocation for a process. `first` says that it has just come up.
    pub(super) fn next(pool: &Arc<Self>, first: bool) -> Next {
        let mut state = pool.lock();
        if first {
            state.starting = state.starting.saturating_sub(1);
        }
        let Some(job) = state.waiting.pop_front() else {
            let (sender, receiver) = oneshot::channel();
            state.idle.push(sender);
            return Next::Wait(receiver);
        };
        Self::start(pool, &mut state);
        Next::Job(job)
    }

    /// Starts processes for the invocations that have waited long enough.
    fn start(pool: &Arc<Self>, state: &mut State) {
        while !state.closed && state.starting < STARTING.min(state.waiting.len()) {
            let Some(oldest) = state.waiting.front() else {
                return;
            };
            let processes = u32::try_from(state.processes.len()).unwrap_or(u32::MAX);
            let due = oldest.since + PATIENCE.saturating_mul(processes);
            if due > Instant::now() {
                if !state.reminded {
                    state.reminded = true;
                    tokio::spawn(Self::remind(Arc::clone(pool), due));
                }
                return;
            }
            state.starting += 1;
            state.started += 1;
            let token = format!("{}-{}", pool.id, state.started);
            let handle = Arc::new(Handle::default());
            state.processes.insert(token.clone(), Arc::clone(&handle));
            (pool.launch)(Arc::clone(pool), token, handle);
        }
    }

    /// Looks again at a later time.
    async fn remind(pool: Arc<Self>, at: Instant) {
        tokio::time::sleep_until(at).await;
        let mut state = pool.lock();
        state.reminded = false;
        Self::start(&pool, &mut state);
    }

    /// Forgets a process that has ended. If it never came up, the invocation that waits longest is
    /// told why: each of them started one process.
    pub(super) fn ended(pool: &Arc<Self>, token: &str, never_up: Option<InvokeError>) {
        let failed = {
            let mut state = pool.lock();
            state.processes.remove(token);
            let failed = never_up.and_then(|error| {
                state.starting = state.starting.saturating_sub(1);
                state.waiting.pop_front().map(|job| (job, error))
            });
            Self::start(pool, &mut state);
            if state.processes.is_empty() {
                pool.emptied.notify_waiters();
            }
            failed
        };
        if let Some((job, error)) = failed {
            job.answer(Err(error));
        }
    }

    /// Kills the process with this token, if it is one of this pool's.
    pub(super) fn kill(&self, token: &str) -> bool {
        let process = self.lock().processes.get(token).cloned();
        process
            .inspect(|process| process.kill.notify_one())
            .is_some()
    }

    /// The current invocation of the process with this token, if it is one of this pool's.
    pub(super) fn invocation_of(&self, token: &str) -> Option<String> {
        let process = self.lock().processes.get(token).cloned();
        process?.invocation()
    }

    /// Kills all processes, fails what waits, and starts none from here on.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.waiting.clear();
        for process in state.processes.values() {
            process.kill.notify_one();
        }
    }

    /// Resolves once no process is left.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.lock().processes.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
