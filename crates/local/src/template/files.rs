//! The files that a template consists of.

use std::path::Path;

use super::error::TemplateError;

pub(super) fn read(path: &Path) -> Result<String, TemplateError> {
    std::fs::read_to_string(path).map_err(|source| TemplateError::Read {
        path: path.to_owned(),
        source,
    })
}
