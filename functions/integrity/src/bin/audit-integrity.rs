//! Every hour, and whenever it is invoked: look whether what was stored still fits together.

use oxcart_function::{aws, integrity, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let audit = integrity::audit::Audit::new(&aws)?;
    runtime::serve_event(|asked| integrity::audit::audit_integrity(&audit, asked)).await
}
