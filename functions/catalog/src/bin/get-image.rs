//! `GET /images/{image_name}`: lead to an image in the bucket.

use oxcart_function::{aws, catalog, http::routes, runtime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::Error> {
    let aws = aws::start().await?;
    let bucket = aws::bucket::Bucket::of_images(&aws)?;
    runtime::serve_http(&aws, &routes::GET_IMAGE, |request| {
        catalog::images::api::get_image(&bucket, request)
    })
    .await
}
