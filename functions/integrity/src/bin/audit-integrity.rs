//! Every hour, and whenever it is invoked: look whether what was stored still fits together.

use oxcart_function::{integrity, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let audit = integrity::Audit::new(&aws)?;
    lambda::serve_event(|asked| integrity::audit::audit_integrity(&audit, asked)).await
}
