//! `RefId`: how elements refer to one that stands before them (MS-PSRP section 2.2.5.2.1). PowerShell compares the
//! numbers as text, and so do we.

use std::collections::HashMap;

use super::error::Problem;
use crate::wire::shown;

/// One kind of references: objects have their own numbers, and lists of type names theirs.
pub(super) struct References<T> {
    known: HashMap<String, T>,
}

impl<T: Copy> References<T> {
    /// Gives an element its number. PowerShell takes the later of two elements with one number, and so mixes up what two
    /// files hold that were joined.
    pub(super) fn register(&mut self, element: &'static str, id: String, target: T) -> Result<(), Problem> {
        if self.known.contains_key(&id) {
            return Err(Problem::DuplicateReference { element, id: shown(&id) });
        }
        self.known.insert(id, target);
        Ok(())
    }

    /// What a number refers to.
    pub(super) fn target(&self, element: &'static str, id: Option<String>) -> Result<T, Problem> {
        let says = "what it refers to";
        let id = id.ok_or(Problem::MissingAttribute { element, attribute: "RefId", says })?;
        let target = self.known.get(&id).copied();
        target.ok_or_else(|| Problem::UnknownReference { element, id: shown(&id) })
    }
}

impl<T> Default for References<T> {
    fn default() -> Self {
        Self { known: HashMap::new() }
    }
}
