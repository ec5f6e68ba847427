//! One request to a web server that is no PowerShell, by the same rules: bounded, and inside TLS to a server that is
//! trusted.

use std::sync::Arc;

use super::{connection::Connection, deadline::Deadline, endpoint::Endpoint, error::RemotingError, tls};
use crate::wire::wsman::http;

/// Posts a body and returns the status of the answer. What else the answer says is read, within bounds, and dropped.
pub fn post(
    endpoint: &Endpoint,
    content_type: &str,
    body: &[u8],
    deadline: Deadline,
) -> Result<u16, RemotingError> {
    let config = if endpoint.is_tls() { Some(Arc::new(tls::config(&endpoint.trust)?)) } else { None };
    let mut connection = Connection::open(endpoint, config.as_ref(), deadline)?;
    let headers = [("Content-Type", content_type)];
    let head = http::post(&endpoint.target(), &endpoint.authority(), &headers, body.len());
    let response = connection.request(&head, body, MOST_ANSWER, deadline)?;
    Ok(response.status)
}

/// Web hooks answer with a word; a page that says what went wrong has more.
const MOST_ANSWER: usize = 1 << 20;
