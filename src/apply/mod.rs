//! Carrying plans out: in which order, how many at a time, with every step in the journal before and after.

pub mod answered;
pub mod executor;
pub mod forecast;
pub mod half_way;
pub mod history;
mod perform;
pub mod ports;
pub mod rehearsal;
pub mod report;
pub mod resume;
mod schedule;
