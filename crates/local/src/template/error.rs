//! Why a template cannot be loaded.

use std::path::PathBuf;

use thiserror::Error;

/// Why a template cannot be loaded.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The template is wrong, or asks for what is not emulated.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Something in a template that is wrong or not emulated.
#[derive(Debug, Error)]
#[error("{at}: {problem}")]
pub struct Refused {
    /// Where: the logical id and the path of the property.
    pub at: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Refused {
    pub(crate) fn new(at: &str, problem: impl Into<String>) -> Self {
        let at = if at.is_empty() { "template" } else { at };
        Self {
            at: at.to_owned(),
            problem: problem.into(),
        }
    }
}
