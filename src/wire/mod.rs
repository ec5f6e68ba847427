//! The formats in which PowerShell and .NET write objects down, and the protocols in which they travel. What is read
//! here comes from strangers: a capture that was sent by mail, a server that was taken over. So every reader has bounds,
//! creates nothing but plain data, and says at which place what is wrong.

pub mod clixml;
pub mod exchange_certificate;
pub mod nrbf;
pub mod psrp;
pub mod wsman;

/// A piece of foreign text that is short and safe to show on a terminal.
pub(crate) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST_SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    crate::model::text::escaped(&short)
}

/// A foreign text of several lines that a person is to read, without what could steer a terminal.
pub(crate) fn readable(text: &str) -> String {
    text.chars().filter(|char| !char.is_control() || *char == '\n').take(LONGEST_READABLE).collect()
}

const LONGEST_READABLE: usize = 4000;
const LONGEST_SHOWN: usize = 100;
