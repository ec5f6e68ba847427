//! What servers offer to authenticate with (RFC 9110 section 11.6.1, RFC 4559), and what we take of it.

use base64::{Engine, prelude::BASE64_STANDARD};
use certwright_gssapi::Mechanism;
use zeroize::Zeroizing;

use crate::{model::secret::Secret, wire::wsman::http::Response};

/// An HTTP scheme that carries tokens of GSS-API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `Kerberos`, which the endpoints of Exchange have.
    Kerberos,
    /// `Negotiate`, inside TLS only.
    Negotiate,
}

impl Scheme {
    /// The best of what is offered that may be used.
    pub(super) fn best(response: &Response, is_tls: bool) -> Option<Self> {
        let offered =
            |scheme: &Self| offers(response).any(|(name, _)| name.eq_ignore_ascii_case(scheme.name()));
        let usable: &[Self] = if is_tls { &[Self::Kerberos, Self::Negotiate] } else { &[Self::Kerberos] };
        usable.iter().find(|scheme| offered(scheme)).copied()
    }

    pub(super) fn mechanism(self) -> Mechanism {
        match self {
            Self::Kerberos => Mechanism::Kerberos,
            Self::Negotiate => Mechanism::Negotiate,
        }
    }

    /// The value of `Authorization` that carries a token.
    pub(super) fn authorization(self, token: &[u8]) -> String {
        format!("{} {}", self.name(), BASE64_STANDARD.encode(token))
    }

    /// The token that the server sends back.
    pub(super) fn token(self, response: &Response) -> Option<Vec<u8>> {
        let mut ours = offers(response).filter(|(name, _)| name.eq_ignore_ascii_case(self.name()));
        ours.find_map(|(_, token)| BASE64_STANDARD.decode(token?).ok())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Kerberos => "Kerberos",
            Self::Negotiate => "Negotiate",
        }
    }
}

/// The names of all schemes that are offered, for a message.
pub(super) fn offered(response: &Response) -> String {
    let names: Vec<&str> = offers(response)
        .map(|(name, _)| name)
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
        .take(10)
        .collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// The value of `Authorization` for Basic (RFC 7617), in UTF-8.
pub(super) fn basic(user: &str, password: &Secret) -> Zeroizing<String> {
    let pair = Zeroizing::new([user.as_bytes(), b":", password.expose()].concat());
    Zeroizing::new(format!("Basic {}", Zeroizing::new(BASE64_STANDARD.encode(&*pair)).as_str()))
}

/// Schemes with their tokens. A list may stand in one header or in several, and the parameters of some schemes look like
/// items of it; they have no name that we know.
fn offers(response: &Response) -> impl Iterator<Item = (&str, Option<&str>)> {
    response.headers("WWW-Authenticate").flat_map(|value| value.split(',')).map(|item| {
        let mut words = item.split_whitespace();
        (words.next().unwrap_or_default(), words.next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::wsman::http::ResponseReader;

    fn response(headers: &[&str]) -> Response {
        let lines: String = headers.iter().map(|value| format!("WWW-Authenticate: {value}\r\n")).collect();
        let text = format!("HTTP/1.1 401 Unauthorized\r\n{lines}Content-Length: 0\r\n\r\n");
        ResponseReader::new(0).take(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn the_best_scheme_is_taken_and_ntlm_never() {
        for (headers, over_http, over_tls) in [
            (&["Kerberos"][..], Some(Scheme::Kerberos), Some(Scheme::Kerberos)),
            (&["Negotiate", "Kerberos"], Some(Scheme::Kerberos), Some(Scheme::Kerberos)),
            (&["Basic realm=\"a, b\", negotiate"], None, Some(Scheme::Negotiate)),
            (&["NTLM", "Basic realm=\"Kerberos\""], None, None),
            (&[], None, None),
        ] {
            let response = response(headers);
            assert_eq!(Scheme::best(&response, false), over_http, "{headers:?}");
            assert_eq!(Scheme::best(&response, true), over_tls, "{headers:?}");
        }
        assert_eq!(offered(&response(&["NTLM, Basic realm=\"x\""])), "NTLM, Basic");
        assert_eq!(offered(&response(&[])), "nothing");
    }

    #[test]
    fn tokens_travel_in_base64() {
        let answer = response(&["Negotiate", "Kerberos AQID"]);
        assert_eq!(Scheme::Kerberos.token(&answer), Some(vec![1, 2, 3]));
        assert_eq!(Scheme::Negotiate.token(&answer), None);
        assert_eq!(Scheme::Kerberos.authorization(&[1, 2, 3]), "Kerberos AQID");
        assert_eq!(basic("me", &Secret::new(b"p:w".to_vec())).as_str(), "Basic bWU6cDp3");
    }
}
