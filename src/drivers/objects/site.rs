//! `Get-WebBinding` (facts 11.2).

use super::bag::{Bag, ObjectError};
use crate::model::{server::BindingStore, site::SiteBinding, thumbprint::Thumbprint};

/// An https binding of IIS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebBinding {
    /// The binding.
    pub binding: SiteBinding,
    /// The hash that http.sys holds for it.
    pub hash: Option<Thumbprint>,
    /// Where its certificate is, when not in the store `My`.
    pub store: Option<BindingStore>,
}

/// Reads an object of `Get-WebBinding`: an https binding with the hash that http.sys holds for it, or none for another
/// protocol.
pub fn web_binding(bag: &Bag<'_>) -> Result<Option<WebBinding>, ObjectError> {
    if !bag.needed("protocol")?.eq_ignore_ascii_case("https") {
        return Ok(None);
    }
    let site = site_name(bag)?;
    let information = bag.needed("bindingInformation")?;
    let binding = format!("{site}:{information}");
    let binding = binding.parse().map_err(|error| bag.odd("bindingInformation", format!("{error}")))?;
    // Flag 2 is the central certificate store, which has no hash (facts 11.2).
    let central = bag.number("sslFlags").is_some_and(|flags| flags & 2 != 0);
    let named =
        bag.text("certificateStoreName").filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("My"));
    let store = if central {
        Some(BindingStore::Central)
    } else {
        named.map(|name| BindingStore::Named(name.to_owned()))
    };
    Ok(Some(WebBinding { binding, hash: bag.parsed("certificateHash")?, store }))
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
