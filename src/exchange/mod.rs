//! What Exchange does: which certificate it presents, what its cmdlets change, what they refuse. Pure functions on an
//! [`Organization`](crate::model::organization::Organization), from the documentation and captures collected in the
//! facts ("facts 5.1" in comments names a section of them). What is inferred there says so here.
//!
//! One source for three readers: the planner foresees with it, `lint` proves plans with it, the lab behaves by it.

pub mod binding_points;
pub mod bound_addresses;
pub mod builtin;
pub mod capability;
pub mod cmdlet;
pub mod edge;
pub mod ending;
pub mod events;
pub mod hybrid;
pub mod im;
pub mod named;
pub mod refusal;
pub mod selection;
pub mod services;
pub mod setup;
pub mod shell;
pub mod simulation;
pub mod smtp_selection;
pub mod uses;
pub mod verbs;
pub mod without_certificate;
