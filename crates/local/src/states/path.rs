//! Paths into a state's input and into the context object.

use serde_json::Value;

use crate::jsonpath::Path;

/// What a path is looked up in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    pub(super) input: &'a Value,
    pub(super) context: &'a Value,
}

/// A path into the input (`$.a`) or into the context object (`$$.Execution.Id`).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    context: bool,
    path: Path,
}

impl Reference {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let context = text.starts_with("$$");
        Ok(Self {
            context,
            path: Path::parse(if context { &text[1..] } else { text })?,
        })
    }

    pub(super) fn find(&self, scope: Scope<'_>) -> Option<Value> {
        self.path.find(if self.context {
            scope.context
        } else {
            scope.input
        })
    }

    pub(super) fn text(&self) -> String {
        format!(
            "{}{}",
            if self.context { "$" } else { "" },
            self.path.text()
        )
    }
}
