//! What the reader of a plan should know, though nothing can be done about it by a step.

mod advice;
mod bindings_taken_along;
mod client_names;
mod compromised;
mod connector_names;
mod copied_from;
mod domain_security;
mod edge_copies;
mod elliptic_keys;
mod expiry;
mod key_sources;
mod key_storage;
mod names_dropped;
mod protects_nothing;
mod renew_before;
mod selection;
mod undeclared;
mod undeclared_senders;

pub(super) use self::{
    advice::{advise, other_stores},
    bindings_taken_along::warn as bindings_taken_along,
    client_names::warn as client_names,
    compromised::{compromised, kept as compromised_kept},
    connector_names::warn as connector_names,
    copied_from::warn as copied_from,
    domain_security::warn as domain_security,
    edge_copies::warn as edge_copies,
    elliptic_keys::warn as elliptic_keys,
    expiry::warn as expiry,
    key_sources::warn as key_sources,
    key_storage::advise as key_storage,
    names_dropped::warn as names_dropped,
    protects_nothing::warn as protects_nothing,
    renew_before::warn as renew_before,
    selection::warn as selection,
    undeclared::warn as undeclared,
    undeclared_senders::warn as undeclared_senders,
};
