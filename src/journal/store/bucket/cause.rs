//! What went wrong at a store, in the words of the place that knows.

use std::{error::Error as StdError, fmt::Write};

use object_store::client::{HttpError, HttpErrorKind};
use url::Url;

use super::super::blobs::BlobError;
use crate::ports::BoxError;

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Reading,
    Writing,
}

/// The error of an object store as ours. `place` is the file with its store.
pub(super) fn classify(error: &object_store::Error, place: String, doing: Doing) -> BlobError {
    use object_store::Error;
    let cause = told(error);
    match error {
        Error::NotFound { .. } => BlobError::Missing(place, cause),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => BlobError::Denied(place, cause),
        _ if transport(error).is_some() => BlobError::Unreachable(place, cause),
        _ => match doing {
            Doing::Reading => BlobError::Read(place, cause),
            Doing::Writing => BlobError::Write(place, cause),
        },
    }
}

/// Whether the request surely never came to the store: nobody listens there.
pub(super) fn never_sent(error: &object_store::Error) -> bool {
    transport(error).is_some_and(|error| error.kind() == HttpErrorKind::Connect)
}

fn transport(error: &object_store::Error) -> Option<&HttpError> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The error in one line. object_store repeats in each message those below it, and ends with the answer's XML: of the
/// causes the last one says it, of the XML its code and message do. The rest of it is left out, since a refused
/// signature is answered with all that was signed.
fn told(error: &object_store::Error) -> BoxError {
    let last = causes(error).last().map_or_else(|| error.to_string(), ToString::to_string);
    let text = match (between(&last, "<Code>", "</Code>"), between(&last, "<Message>", "</Message>")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => last.split('<').next().unwrap_or_default().trim().trim_end_matches(':').to_owned(),
    };
    let mut line = asked(error).unwrap_or_default();
    for word in text.split_whitespace().take(MOST_WORDS) {
        let _ = write!(line, "{}{word}", if line.is_empty() { "" } else { " " });
    }
    line.into()
}

/// Whom it asked, and for what: it may not be the store, but the place of its credentials.
fn asked(error: &object_store::Error) -> Option<String> {
    let asked = causes(error).map(ToString::to_string).find(|text| text.starts_with(ASKING))?;
    let mut words = asked[ASKING.len()..].split(' ');
    let (method, url) = (words.next()?, Url::parse(words.next()?).ok()?);
    Some(format!("{method} {}{}:", url.origin().ascii_serialization(), url.path()))
}

fn causes(error: &object_store::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    let first: &(dyn StdError + 'static) = error;
    std::iter::successors(Some(first), |error| (*error).source())
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let text = &text[text.find(start)? + start.len()..];
    Some(&text[..text.find(end)?])
}

const ASKING: &str = "Error performing ";
const MOST_WORDS: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: text.to_owned().into() }
    }

    #[test]
    fn answers_are_told_in_one_line_without_what_was_signed() {
        for (answer, line) in [
            (
                "Server returned non-2xx status code: 500: \n <?xml?><Error><Code>InternalError</Code>\n<Message>try\n again</Message><StringToSign>x</StringToSign></Error>",
                "InternalError: try again",
            ),
            (
                "Server returned non-2xx status code: 502 Bad Gateway: <html>secret</html>",
                "Server returned non-2xx status code: 502 Bad Gateway",
            ),
            ("invalid dns name", "invalid dns name"),
        ] {
            assert_eq!(told(&generic(answer)).to_string(), line);
        }
    }

    #[test]
    fn errors_name_the_place_and_what_is_wrong_with_it() {
        let denied = object_store::Error::PermissionDenied { path: "lock".into(), source: "403".into() };
        let error = classify(&denied, "s3://runs/lock".into(), Doing::Writing);
        assert_eq!(error.to_string(), "s3://runs/lock: access is denied");
        let connect = HttpError::new(HttpErrorKind::Connect, std::io::Error::other("refused"));
        let error = object_store::Error::Generic { store: "S3", source: Box::new(connect) };
        assert!(never_sent(&error));
        let error = classify(&error, "s3://runs/lock".into(), Doing::Writing);
        assert_eq!(error.to_string(), "s3://runs/lock cannot be reached");
    }
}
