//! `oxcart relist`: gives products of earlier releases their places in lists.

use oxcart_core::catalog::store::ProductStore;

use crate::{Error, admin};

/// The most items that are read at once.
const PIECE: i32 = 500;

/// `oxcart relist`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shop: admin::Shop,
}

/// Gives every product that has none its places in the lists by name and by price, and says how many there were.
///
/// # Errors
/// If the table cannot be read or written. What was done stays, and the command goes on from there.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Error> {
    let aws = arguments.shop.reached("create-product").await?;
    let products = ProductStore::new(&aws)?;
    let (mut placed, mut after) = (0, None);
    loop {
        let piece = products.place(after.as_deref(), PIECE).await?;
        placed += piece.products;
        after = piece.next;
        if after.is_none() {
            break;
        }
    }
    println!("{placed} products got their places in lists");
    Ok(())
}
