//! Files of `Export-Clixml`: which cmdlet and which server each is of.

use super::{
    folder::{File, Form},
    foreign, words,
};
use crate::{
    drivers::objects::{CmdletAnswer, CmdletKind, Kind, KnownServers, Part, ServerHint},
    wire::clixml::Document,
};

/// What a file holds, and what its name tells of the cmdlet and the server. The error is a sentence about it.
pub(super) fn answer(file: &File, document: Document) -> Result<CmdletAnswer, String> {
    let (named, server) = match Kind::of_file_name(file.stem()) {
        Some((kind, rest)) if !rest.is_empty() => (Some(kind), Some(ServerHint::Asked(rest))),
        Some((kind, _)) => (Some(kind), file.folder().map(ServerHint::Folder)),
        None => (None, file.folder().map(ServerHint::Folder)),
    };
    let answer = CmdletAnswer::new(file.name.clone(), document, named, server, false);
    if answer.is_of_a_cmdlet() {
        return Ok(answer);
    }
    Err(match answer.first_type() {
        Some(name) if name.contains("HealthChecker") => foreign::HEALTH_CHECKER.into(),
        Some(name) => format!(
            "its objects are of the type {}, and neither that nor its name tells the cmdlet; name it like EX01.Get-WebBinding.xml",
            words::shown(name)
        ),
        None => "it holds nothing that tells the cmdlet; name it like EX01.Get-WebBinding.xml".into(),
    })
}

/// Why a cmdlet of the printed script failed: the facts it would have shown are unknown for that reason.
pub(super) fn failure(file: &File, known: &KnownServers) -> Result<Part, String> {
    debug_assert_eq!(file.form, Form::Failure);
    let text = String::from_utf8_lossy(&file.bytes);
    let first = text.trim_start_matches('\u{feff}').lines().map(str::trim).find(|line| !line.is_empty());
    unknown(file, known, &words::shown(first.unwrap_or("no reason was written")))
}

/// What the cmdlet that a file's name tells would have shown is unknown, and why.
pub(super) fn unknown(file: &File, known: &KnownServers, why: &str) -> Result<Part, String> {
    let (kind, rest) = Kind::of_file_name(file.stem()).ok_or("its name tells no cmdlet")?;
    let why =
        if file.form == Form::Failure { format!("{} failed: {why}", kind.cmdlet) } else { why.to_owned() };
    let server = known.resolve(&rest);
    if server.is_none() && matches!(kind.of, CmdletKind::Server(_)) {
        return Err("its name tells no server".into());
    }
    Part::unknown(&file.name, kind, server, &why).ok_or_else(|| "it is about no cmdlet".into())
}
