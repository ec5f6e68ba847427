//! `certwright explain`: what certwright says, and what Exchange does, in more words.

pub mod smtp;
