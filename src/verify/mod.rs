//! What endpoints really serve, compared with what the manifest declares and what the servers are configured with.

pub mod absence;
pub mod assess;
mod chain_order;
pub mod check;
pub mod diagnosis;
pub mod drift;
pub mod expectations;
pub mod health;
pub mod live_certificates;
pub mod mail_flow;
pub mod not_provable;
pub mod path_validation;
pub mod peers;
pub mod row;
pub mod run;
mod senders;
pub mod smtp_choices;
pub mod smtp_log;
pub mod vantage;
pub mod verdict;
mod worker_pool;
