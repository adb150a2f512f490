//! The routes of `/images`.

use http::StatusCode;
use serde::Serialize;

use super::fields::image_type;
use super::model::{ImageName, MOST_BYTES};
use crate::aws::bucket::{ADDRESS_LIFETIME, Bucket};
use crate::aws::form::{Form, FormSigner, Upload};
use crate::http::exchange::{Request, Response};
use crate::http::problem::Problem;
use crate::values::clock::Time;
use crate::values::id::ImageId;

/// How long browsers may keep an image: for good, because no other image is ever given its name.
const KEPT: &str = "public, max-age=31536000, immutable";

/// An image that is to be uploaded, on the wire.
#[derive(Debug, Serialize)]
struct ImageBody {
    image_id: ImageId,
    url: String,
    upload: Form,
    max_bytes: u64,
    expires_at: Time,
}

/// `POST /images`: gives an image its name, and responds 201 with that and the form to upload it with.
///
/// # Errors
/// For a caller who is not an admin, and for bad input.
pub async fn create_image(forms: &FormSigner, request: Request) -> Result<Response, Problem> {
    request.admin()?;
    let image_type = request.json(|body| body.required("content_type", image_type))?;
    let name = ImageName {
        id: ImageId::fresh(request.now),
        image_type,
    };
    let upload = Upload {
        key: &name.key(),
        content_type: image_type.media_type(),
        cache_control: KEPT,
        most_bytes: MOST_BYTES,
    };
    let form = forms.sign(&upload, request.now).await;
    let upload = form.map_err(Problem::internal)?;
    let body = ImageBody {
        image_id: name.id,
        url: name.address(),
        max_bytes: MOST_BYTES,
        expires_at: upload.expires_at,
        upload,
    };
    Response::created(name.address(), &body)
}

/// `GET /images/{image_name}`: leads to the file in the bucket, whether it is there or not: 307.
///
/// # Errors
/// [`Problem::NotFound`] for a name that no image can have.
pub async fn get_image(bucket: &Bucket, request: Request) -> Result<Response, Problem> {
    let name: ImageName = request.id("image_name", "image")?;
    let url = bucket.download_url(&name.key(), request.now).await;
    let url = url.map_err(Problem::internal)?;
    // A browser that uses it as late as possible still has half of its time.
    let kept = ADDRESS_LIFETIME.as_secs() / 2;
    let found = Response {
        status: StatusCode::TEMPORARY_REDIRECT,
        ..Response::no_content()
    };
    Ok(found
        .header("Location", url)
        .header("Cache-Control", format!("public, max-age={kept}")))
}
