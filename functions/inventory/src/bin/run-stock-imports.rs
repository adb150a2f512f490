//! The queue of imports of stock: go on with those that its messages are about.

use oxcart_function::{aws, inventory, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let imports = inventory::imports::StockImports::new(&aws)?;
    runtime::serve_queue(&aws, |message| {
        inventory::imports::run_stock_imports(&imports, message)
    })
    .await
}
