//! The life of a process: how it is started, followed and ended.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::error::InvokeError;
use super::pool::{Handle, Pool};
use super::process::Process;
use super::{environment, runtime_api};

/// Starts a process of `pool`, which ends when it does by itself, or when its handle kills it.
pub(super) fn launch(pool: Arc<Pool>, token: String, handle: Arc<Handle>) {
    tokio::spawn(run(Arc::new(Process::new(token, pool, handle))));
}

/// Starts the process and follows it to its end.
async fn run(process: Arc<Process>) {
    let error = match start(&process).await {
        Ok((mut child, api)) => {
            let error = supervise(&process, &mut child).await;
            api.abort();
            error
        }
        Err(error) => InvokeError::from_parts(
            "Runtime.InvalidEntrypoint",
            &format!(
                "{} does not start: {error}",
                process.pool().function().binary
            ),
        ),
    };
    process.ended(error);
}

/// Follows the child to its end, and says how its current invocation has failed.
async fn supervise(process: &Process, child: &mut Child) -> InvokeError {
    let error = tokio::select! {
        status = child.wait() => return InvokeError::Exited { status: describe(status) },
        error = process.to_be_killed() => error,
    };
    // It has already ended if it cannot be killed.
    let _ = child.kill().await;
    error
}

async fn start(process: &Arc<Process>) -> io::Result<(Child, JoinHandle<()>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let pool = process.pool();
    let settings = pool.settings();
    let api = listener.local_addr()?.to_string();
    let mut child = Command::new(settings.binaries.join(&pool.function().binary))
        .env_clear()
        .envs(environment::environment(pool, process.token(), &api))
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

/// How a process ended, in Lambda's words.
fn describe(status: io::Result<ExitStatus>) -> String {
    match status.map(|status| (status.code(), status)) {
        Ok((Some(code), _)) => format!("exit status {code}"),
        Ok((None, status)) => status.to_string(),
        Err(error) => error.to_string(),
    }
}
