//! What an uploaded image is called.

use std::fmt;
use std::str::FromStr;

use crate::values::id::ImageId;

/// The most bytes that an image may have.
pub const MOST_BYTES: u64 = 10 * 1024 * 1024;

/// How an image is written. SVG is left out, because its files can hold scripts, which run when one is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageType {
    /// AV1 Image File Format.
    Avif,
    /// Graphics Interchange Format.
    Gif,
    /// JPEG.
    Jpeg,
    /// Portable Network Graphics.
    Png,
    /// WebP.
    Webp,
}

impl ImageType {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Avif, Self::Gif, Self::Jpeg, Self::Png, Self::Webp];

    /// Returns the media type, as IANA registers it.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Avif => "image/avif",
            Self::Gif => "image/gif",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// Returns what the names of such images end with, after the point.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Avif => "avif",
            Self::Gif => "gif",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }
}

/// The name of an uploaded image: `<image_id>.<extension>`, in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageName {
    /// The image.
    pub id: ImageId,
    /// How it is written.
    pub image_type: ImageType,
}

/// A text that is not the name of an uploaded image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an image")]
pub struct InvalidName;

impl ImageName {
    /// Returns the address of the image, relative to that of the API.
    #[must_use]
    pub fn address(self) -> String {
        format!("/images/{self}")
    }

    /// Returns the image whose address is `text`, if it is one that [`ImageName::address`] returns.
    #[must_use]
    pub fn at(text: &str) -> Option<Self> {
        text.strip_prefix("/images/")?.parse().ok()
    }

    /// Returns the key of the file in the bucket. It is the path of the address, so that a distribution can serve the bucket
    /// under the same addresses.
    #[must_use]
    pub fn key(self) -> String {
        format!("images/{self}")
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.id, self.image_type.extension())
    }
}

impl FromStr for ImageName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (id, extension) = text.split_once('.').ok_or(InvalidName)?;
        let mut types = ImageType::ALL.into_iter();
        let image_type = types.find(|image_type| image_type.extension() == extension);
        let name = Self {
            id: id.parse().map_err(|_| InvalidName)?,
            image_type: image_type.ok_or(InvalidName)?,
        };
        // Keys differ by case, identifiers do not: a name in capitals has no file.
        if name.to_string() == text {
            Ok(name)
        } else {
            Err(InvalidName)
        }
    }
}
