//! What the reader of a plan should know, though nothing can be done about it by a step.

mod advice;
mod key_storage;
mod selection;

pub(super) use self::{advice::advise, key_storage::advise as key_storage, selection::warn as selection};
