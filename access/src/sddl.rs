//! Access lists as text: Microsoft's "Security Descriptor String Format" and "ACE Strings", as far as it takes to say who
//! may read.

/// Owner, Administrators and SYSTEM have full access, and nothing is inherited. `OW`, the owner's rights, stands for
/// whoever owns the file.
pub(crate) const OWNERS_FILE: &str = "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)";
/// The same for a directory, and for everything that is made in it.
pub(crate) const OWNERS_DIRECTORY: &str = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)";

/// Whether a list lets somebody read who is neither the owner nor has all rights on the machine anyway. A list that forbids
/// somebody something is not looked at: what is allowed beside it may reach further.
pub(crate) fn others_can_read(text: &str) -> bool {
    // No list at all lets everybody do everything.
    let Some(list) = section(text, "D:") else { return true };
    if list.contains("NO_ACCESS_CONTROL") {
        return true;
    }
    let owner = section(text, "O:").map(str::trim);
    entries(list).any(|entry| {
        let mut parts = entry.split(';');
        let [kind, flags, rights] = [(); 3].map(|()| parts.next().unwrap_or_default());
        let account = parts.nth(2).unwrap_or_default();
        let allows = matches!(kind, "A" | "XA" | "OA" | "ZA");
        let is_for_children_only = pairs(flags).any(|flag| flag == "IO");
        allows && !is_for_children_only && reads(rights) && !is_trusted(account, owner)
    })
}

/// From a section's mark to the next one's. The marks are `O:`, `G:`, `D:` and `S:`; outside of brackets no other colon
/// stands in the text.
fn section<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let mut depth = 0_usize;
    let mut begins = None;
    for (at, char) in text.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && at > 0 => {
                if let Some(begins) = begins {
                    return text.get(begins..at - 1);
                }
                if text.get(at - 1..=at) == Some(mark) {
                    begins = Some(at + 1);
                }
            }
            _ => {}
        }
    }
    begins.and_then(|begins| text.get(begins..))
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split('(').skip(1).map(|entry| entry.split(')').next().unwrap_or_default())
}

/// Rights and flags are written as pairs of letters.
fn pairs(text: &str) -> impl Iterator<Item = &str> {
    (0..text.len()).step_by(2).filter_map(|at| text.get(at..at + 2))
}

/// Whether rights, in letters or as a number, hold that of reading a file's data.
fn reads(rights: &str) -> bool {
    let number = match rights.strip_prefix("0x") {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
        None => rights.parse().ok(),
    };
    match number {
        Some(number) => number & (GENERIC_READ | GENERIC_ALL | FILE_READ_DATA) != 0,
        // `CC` is the first bit, which for a file is that of reading; `KA` and `KR` are for keys of the registry, with it.
        None => pairs(rights).any(|pair| matches!(pair, "FA" | "FR" | "GA" | "GR" | "CC" | "KA" | "KR")),
    }
}

fn is_trusted(account: &str, owner: Option<&str>) -> bool {
    Some(account) == owner || TRUSTED.contains(&account)
}

/// SYSTEM, Administrators, the owner's rights, and administrators by name, in letters and as numbers.
const TRUSTED: [&str; 8] = ["SY", "S-1-5-18", "BA", "S-1-5-32-544", "OW", "S-1-3-4", "LA", "DA"];
const GENERIC_ALL: u32 = 0x1000_0000;
const GENERIC_READ: u32 = 0x8000_0000;
const FILE_READ_DATA: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_read_is_told_by_the_list() {
        for (what, text, others) in [
            ("ours", OWNERS_FILE, false),
            ("ours, of a directory", OWNERS_DIRECTORY, false),
            ("no list", "O:BAG:SY", true),
            ("a list that lets all in", "O:BAD:NO_ACCESS_CONTROL", true),
            ("an empty list lets nobody in", "O:BAD:P", false),
            (
                "as Windows shows it",
                "O:S-1-5-21-1-2-3-1001G:S-1-5-21-1-2-3-513D:PAI(A;;FA;;;S-1-5-21-1-2-3-1001)(A;;FA;;;SY)",
                false,
            ),
            ("another account", "O:S-1-5-21-1-2-3-1001D:(A;;FA;;;S-1-5-21-1-2-3-1002)", true),
            ("everybody may read", "O:BAD:(A;;FA;;;BA)(A;;0x1200a9;;;WD)", true),
            ("users may read and list", "O:BAD:AI(A;ID;FA;;;SY)(A;ID;FRFX;;;BU)", true),
            ("users may only pass", "O:BAD:(A;;FX;;;BU)(A;;0x100020;;;WD)", false),
            ("forbidden", "O:BAD:(D;;FA;;;WD)", false),
            ("only what is made below", "O:BAD:(A;OICIIO;GA;;;CO)(A;OICIIO;GR;;;BU)", false),
            ("auditing is no right", "O:BAD:P(A;;FA;;;SY)S:(AU;SAFA;FA;;;WD)", false),
        ] {
            assert_eq!(others_can_read(text), others, "{what}");
        }
    }
}
