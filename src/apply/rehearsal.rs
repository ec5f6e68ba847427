//! A plan carried out on a copy of the organization.

use crate::{
    apply::report::Report,
    model::{plan::Plan, time::Timestamp},
    verify::row::Row,
};

/// A plan that was carried out on a copy of the organization.
#[derive(Debug)]
pub struct Rehearsal {
    /// The format of this file.
    pub version: u32,
    /// The time that it was rehearsed for.
    pub at: Timestamp,
    /// The runs: one, and one more after each answer of a CA.
    pub rounds: Vec<Round>,
    /// What the copy's endpoints served afterwards.
    pub rows: Vec<Row>,
    /// The plan that was left to make afterwards.
    pub left: Plan,
    /// The way back: a run for each run, the newest first.
    pub back: Vec<Round>,
    /// Why there is no way back, or not all of it.
    pub no_way_back: Option<String>,
    /// What was different from the beginning when everything had been taken back.
    pub different: Vec<String>,
}

/// A run of a rehearsal.
#[derive(Debug)]
pub struct Round {
    /// What was to be done.
    pub plan: Plan,
    /// What came of it.
    pub report: Report,
    /// The requests that a CA of the copy answered afterwards.
    pub answered: Vec<String>,
    /// What people did on the copy afterwards, as the steps say it.
    pub by_hand: Vec<String>,
}
