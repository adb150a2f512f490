//! `POST /auth/confirm`: confirm an address by a mailed link.

use oxcart_function::{customers, http::routes, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let aws = lambda::start().await?;
    let customers = customers::CustomerStore::new(&aws)?;
    let links = customers::link::Links::new(&aws)?;
    lambda::serve(&aws, &routes::CONFIRM_EMAIL, |request| {
        customers::passwords::confirm_email(&customers, &links, request)
    })
    .await
}
