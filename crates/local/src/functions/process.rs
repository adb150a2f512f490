//! One process of a function: its environment, its life, its end.

use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::pool::{Job, Next, Pool};
use super::{InvokeError, runtime_api};

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
    kill: Notify,
}

/// What a process has in hand.
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
    pub(super) fn new(token: String, pool: Arc<Pool>) -> Self {
        Self {
            token,
            pool,
            up: AtomicBool::new(false),
            init_error: Mutex::default(),
            work: Mutex::default(),
            deadline: watch::Sender::new(Some(Instant::now() + INIT)),
            kill: Notify::new(),
        }
    }

    /// Ends it soon.
    pub(super) fn kill(&self) {
        self.kill.notify_one();
    }

    /// The id of the invocation in hand.
    pub(super) fn invocation(&self) -> Option<String> {
        match &*lock(&self.work) {
            Work::Invocation(running) => Some(running.job.id.clone()),
            Work::Nothing | Work::Gone => None,
        }
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
            self.kill();
        }
        job
    }

    /// Takes a job in hand, unless the process has ended meanwhile: then another one gets it.
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
            mem::replace(&mut *work, Work::Invocation(Running { job, since }))
        };
        self.deadline.send_replace(Some(since + timeout));
        if let Work::Invocation(unanswered) = before {
            let status = "it asked for the next invocation instead of answering".to_owned();
            self.close(unanswered, Err(InvokeError::Exited { status }));
        }
        Some(assignment)
    }

    /// Answers the invocation in hand; `false` if `id` is not its id.
    pub(super) fn finish(&self, id: &str, answer: Result<Bytes, InvokeError>) -> bool {
        let mut work = lock(&self.work);
        let in_hand = matches!(&*work, Work::Invocation(running) if running.job.id == id);
        let done = if in_hand {
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

    /// Follows the child to its end, and says how an invocation in hand has failed.
    async fn supervise(&self, child: &mut Child) -> InvokeError {
        let ended = tokio::select! {
            status = child.wait() => return InvokeError::Exited { status: describe(status) },
            () = self.overdue() => {
                let up = self.up.load(Ordering::SeqCst);
                let after = if up { self.pool.function().timeout } else { INIT };
                InvokeError::Timeout { after }
            }
            () = self.kill.notified() => InvokeError::Exited { status: "signal: killed".to_owned() },
        };
        // It has already ended if it cannot be killed.
        let _ = child.kill().await;
        ended
    }
}

/// Starts a process and follows it to its end.
pub(super) async fn run(process: Arc<Process>) {
    let error = match start(&process).await {
        Ok((mut child, api)) => {
            let error = process.supervise(&mut child).await;
            api.abort();
            error
        }
        Err(error) => InvokeError::from_parts(
            "Runtime.InvalidEntrypoint",
            &format!("{} does not start: {error}", process.pool.function().binary),
        ),
    };
    let work = mem::replace(&mut *lock(&process.work), Work::Gone);
    if let Work::Invocation(running) = work {
        tracing::warn!(function = process.pool.id(), %error, "a function's process ended");
        process.close(running, Err(error.clone()));
    }
    let never_up = (!process.up.load(Ordering::SeqCst))
        .then(|| lock(&process.init_error).take().unwrap_or(error));
    Pool::ended(&process.pool, &process.token, never_up);
}

async fn start(process: &Arc<Process>) -> io::Result<(Child, tokio::task::JoinHandle<()>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let pool = &process.pool;
    let settings = pool.settings();
    let api = listener.local_addr()?.to_string();
    let mut child = Command::new(settings.binaries.join(&pool.function().binary))
        .env_clear()
        .envs(environment(pool, &process.token, &api))
        .current_dir(&settings.binaries)
        .stdin(Stdio::null())
        .stdout(settings.log.stdio())
        .stderr(settings.log.stdio())
        // Ctrl-C is for the runner, which then ends its processes.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    if let Some(output) = child.stdout.take() {
        settings.log.follow(pool.id(), output);
    }
    if let Some(output) = child.stderr.take() {
        settings.log.follow(pool.id(), output);
    }
    Ok((
        child,
        tokio::spawn(runtime_api::serve(listener, Arc::clone(process))),
    ))
}

/// The whole environment of a process: what the template declares, and what Lambda itself sets.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
pub(super) fn environment(pool: &Pool, token: &str, api: &str) -> BTreeMap<String, String> {
    let function = pool.function();
    let settings = pool.settings();
    let mut environment = function.environment.clone();
    let set = [
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        (
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            function.memory_mib.to_string(),
        ),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        (
            "AWS_LAMBDA_LOG_GROUP_NAME",
            format!("/aws/lambda/{}", function.name),
        ),
        ("AWS_LAMBDA_LOG_STREAM_NAME", token.to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", api.to_owned()),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
        ("AWS_REGION", pool.region().to_owned()),
        ("AWS_DEFAULT_REGION", pool.region().to_owned()),
        // The logical id and the process: so the endpoint knows who calls.
        ("AWS_ACCESS_KEY_ID", pool.id().to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("AWS_SESSION_TOKEN", token.to_owned()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("LAMBDA_TASK_ROOT", settings.binaries.display().to_string()),
        ("TZ", ":UTC".to_owned()),
        ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
        // What leads to this machine instead of AWS.
        ("AWS_ENDPOINT_URL", settings.endpoint.clone()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ];
    environment.extend(set.map(|(name, value)| (name.to_owned(), value)));
    environment
}

/// How a process ended, in Lambda's words.
fn describe(status: io::Result<ExitStatus>) -> String {
    match status.map(|status| (status.code(), status)) {
        Ok((Some(code), _)) => format!("exit status {code}"),
        Ok((None, status)) => status.to_string(),
        Err(error) => error.to_string(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
