//! Reads what requests say of images.

use crate::catalog::content::Image;
use crate::http::body::{Body, Json};

use super::model::{ImageName, ImageType};

/// Reads an image of a product.
pub(in crate::catalog) fn image(body: &mut Body<'_>) -> Option<Image> {
    let url = body.required("url", |json| {
        let detail = "this must be an https address of at most 2000 characters, or the url of an uploaded image as \
                      POST /images returned it, such as /images/0195a1c3-2b00-7c11-8d3e-5a6b7c8d9e01.jpg";
        json.parsed(detail, |text| {
            let is_uploaded = ImageName::at(text).is_some();
            (is_uploaded || is_https(text))
                .then(|| text.to_owned())
                .ok_or(())
        })
    });
    let alt = body.optional("alt", |json| json.text(0..=500));
    Some(Image {
        url: url?,
        alt: alt?.unwrap_or_default(),
    })
}

fn is_https(text: &str) -> bool {
    let url = text.parse::<http::Uri>();
    let url = url.ok().filter(|_| text.len() <= 2000);
    url.is_some_and(|url| {
        url.scheme_str() == Some("https") && url.host().is_some_and(|host| !host.is_empty())
    })
}

/// Reads the media type of an image that is to be uploaded.
pub(super) fn image_type(json: Json<'_>) -> Option<ImageType> {
    let all = ImageType::ALL.map(ImageType::media_type);
    let detail = format!(
        "this must be one of: {}. SVG is not taken, because it can hold scripts",
        all.join(", ")
    );
    json.parsed(&detail, |text| {
        let mut types = ImageType::ALL.into_iter();
        types.find(|found| found.media_type() == text).ok_or(())
    })
}
