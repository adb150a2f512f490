//! Why a template does not run.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::dynamodb::OpenError;
use crate::events::RuleError;
use crate::faults::FaultError;
use crate::queues::MappingError;
use crate::states::DefinitionError;
use crate::template::TemplateError;

/// Why a template does not run.
#[derive(Debug, Error)]
pub enum Error {
    /// A port cannot be had.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Port {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// A file or folder cannot be used.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The template cannot be loaded.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A table cannot be made or opened.
    #[error(transparent)]
    Tables(#[from] OpenError),
    /// A rule is not emulated.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A state machine is not emulated.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The mapping of a queue is not emulated.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The mapping of a stream is not emulated.
    #[error("{0}")]
    Stream(String),
    /// A fault is not understood.
    #[error(transparent)]
    Fault(#[from] FaultError),
}
