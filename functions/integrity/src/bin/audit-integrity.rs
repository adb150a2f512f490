//! Audits, every hour and whenever it is invoked, whether the data of the shop is consistent.

use oxcart_function::{aws, integrity, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let audit = integrity::resources::Audit::new(&aws)?;
    runtime::serve_event(&aws, |asked| {
        integrity::audit::audit_integrity(&audit, asked)
    })
    .await
}
