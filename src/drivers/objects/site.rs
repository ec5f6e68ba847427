//! `Get-WebBinding` (facts 11.2).

use super::bag::{Bag, ObjectError};
use crate::model::{site::SiteBinding, thumbprint::Thumbprint};

/// Reads an object of `Get-WebBinding`: an https binding with the hash that http.sys holds for it, or none for another
/// protocol.
pub fn web_binding(bag: &Bag<'_>) -> Result<Option<(SiteBinding, Option<Thumbprint>)>, ObjectError> {
    if !bag.needed("protocol")?.eq_ignore_ascii_case("https") {
        return Ok(None);
    }
    let site = site_name(bag)?;
    let information = bag.needed("bindingInformation")?;
    let binding = format!("{site}:{information}");
    let binding = binding.parse().map_err(|error| bag.odd("bindingInformation", format!("{error}")))?;
    Ok(Some((binding, bag.parsed("certificateHash")?)))
}

/// Only the path in IIS's configuration names the site: `.../site[@name='Default Web Site' and @id='1']`.
fn site_name<'a>(bag: &Bag<'a>) -> Result<&'a str, ObjectError> {
    const PROPERTY: &str = "ItemXPath";
    let path = bag.needed(PROPERTY)?;
    let quoted = path.split_once("@name=").and_then(|(_, rest)| {
        let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        rest[1..].split_once(quote)
    });
    match quoted {
        Some((name, _)) if !name.is_empty() && !name.contains(':') => Ok(name),
        Some(_) | None => Err(bag.odd(PROPERTY, "it names no site of IIS")),
    }
}
