//! `POST /images`: give an image its name and sign the form to upload it with.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let forms = aws::form::FormSigner::of_images(&aws)?;
    runtime::serve_http(&aws, &routes::CREATE_IMAGE, |request| {
        catalog::images::api::create_image(&forms, request)
    })
    .await
}
