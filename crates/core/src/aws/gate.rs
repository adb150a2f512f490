//! Nothing is changed for a request before it is admitted, though it is handled while it is being counted.
//!
//! What a handler reads, it reads beside the count. Each call that changes something waits here first.

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::Shared;

tokio::task_local! {
    /// Resolves once the request that this task handles is admitted.
    static ADMITTED: Shared<oneshot::Receiver<()>>;
}

/// Runs `handler` beside `admission`, and returns what it returns.
///
/// # Errors
/// The error of `admission`. The handler is dropped then, and has changed nothing.
pub async fn beside<T, E>(
    admission: impl Future<Output = Result<(), E>>,
    handler: impl Future<Output = T>,
) -> Result<T, E> {
    let (admitted, waiting) = oneshot::channel();
    let admission = async move {
        admission.await?;
        // Nobody waits if the handler has returned already.
        let _ = admitted.send(());
        Ok(())
    };
    let handler = ADMITTED.scope(waiting.shared(), handler.map(Ok));
    let ((), response) = futures::future::try_join(admission, handler).await?;
    Ok(response)
}

/// Waits until the request that is handled is admitted. Returns at once where no request has to be.
pub async fn admitted() {
    if let Ok(admitted) = ADMITTED.try_with(Clone::clone) {
        let _ = admitted.await;
    }
}
