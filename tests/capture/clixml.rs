//! Objects as `Export-Clixml` writes them.

use std::{fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use certwright::model::{names::ServerName, time::Timestamp};

/// A value of a property.
#[derive(Clone)]
pub(crate) enum Cell {
    Null,
    Text(String),
    Bool(bool),
    Number(i32),
    Bytes(Vec<u8>),
    Moment(Timestamp),
    /// Type, text and number.
    Enum(&'static str, String, i64),
    /// Type and text.
    Thing(&'static str, String),
    List(Vec<Self>),
}

/// An object: its types, the properties of its type, and those that were added.
pub(crate) struct Thing {
    pub(crate) types: Vec<String>,
    pub(crate) adapted: Vec<(&'static str, Cell)>,
    pub(crate) extended: Vec<(&'static str, Cell)>,
}

/// Writes one file as `Export-Clixml -InputObject` does: one list.
pub(crate) fn write(folder: &Path, name: &str, things: &[Thing]) {
    fs::write(folder.join(format!("{name}.xml")), document(things)).unwrap();
}

/// The text of such a file.
pub(crate) fn document(things: &[Thing]) -> String {
    let mut ids = 1;
    let items: String = things.iter().map(|thing| thing.xml(&mut ids)).collect();
    let list = "<TN RefId=\"0\"><T>System.Object[]</T><T>System.Array</T><T>System.Object</T></TN>";
    format!(
        "\u{feff}<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\">\r\n  <Obj RefId=\"0\">{list}<LST>{items}</LST></Obj>\r\n</Objs>"
    )
}

/// An object of the directory, as remote PowerShell gives it.
pub(crate) fn of_directory(kind: &str, identity: &str, mut properties: Vec<(&'static str, Cell)>) -> Thing {
    properties
        .push(("Identity", Cell::Thing("Microsoft.Exchange.Data.Directory.ADObjectId", identity.into())));
    let dn = format!(
        "CN={identity},CN=Contoso,CN=Microsoft Exchange,CN=Services,CN=Configuration,DC=contoso,DC=com"
    );
    properties.push(("DistinguishedName", text(dn)));
    Thing {
        types: vec![
            format!("Microsoft.Exchange.Data.Directory.SystemConfiguration.{kind}"),
            "System.Object".into(),
        ],
        adapted: properties,
        extended: vec![
            ("PSComputerName", text("ex01.contoso.com")),
            ("PSShowComputerName", Cell::Bool(false)),
        ],
    }
}

#[expect(clippy::needless_pass_by_value, reason = "values and references read alike at the call")]
pub(crate) fn text(value: impl ToString) -> Cell {
    Cell::Text(value.to_string())
}

pub(crate) fn fqdn_of(name: &impl ToString) -> Cell {
    Cell::Thing("Microsoft.Exchange.Data.Fqdn", name.to_string())
}

pub(crate) fn directory_object(name: &ServerName) -> Cell {
    Cell::Thing("Microsoft.Exchange.Data.Directory.ADObjectId", name.to_string())
}

impl Thing {
    fn xml(&self, ids: &mut usize) -> String {
        let properties = |named: &[(&'static str, Cell)], ids: &mut usize| -> String {
            named.iter().map(|(name, cell)| cell.xml(&format!(" N=\"{name}\""), ids)).collect()
        };
        let id = next(ids);
        let types: String = self.types.iter().map(|name| format!("<T>{}</T>", escaped(name))).collect();
        let adapted = properties(&self.adapted, ids);
        let extended = properties(&self.extended, ids);
        let adapted = if adapted.is_empty() { String::new() } else { format!("<Props>{adapted}</Props>") };
        format!("<Obj RefId=\"{id}\"><TN RefId=\"{id}\">{types}</TN>{adapted}<MS>{extended}</MS></Obj>\r\n")
    }
}

impl Cell {
    fn xml(&self, name: &str, ids: &mut usize) -> String {
        let object = |types: &[&str], inner: &str, ids: &mut usize| {
            let id = next(ids);
            let types: String = types.iter().map(|name| format!("<T>{}</T>", escaped(name))).collect();
            format!(
                "<Obj{name} RefId=\"{id}\"><TN RefId=\"{id}\">{types}<T>System.Object</T></TN>{inner}</Obj>"
            )
        };
        match self {
            Self::Null => format!("<Nil{name} />"),
            Self::Text(text) => format!("<S{name}>{}</S>", escaped(text)),
            Self::Bool(truth) => format!("<B{name}>{truth}</B>"),
            Self::Number(number) => format!("<I32{name}>{number}</I32>"),
            Self::Bytes(bytes) => format!("<BA{name}>{}</BA>", BASE64_STANDARD.encode(bytes)),
            Self::Moment(at) => format!("<DT{name}>{at}</DT>"),
            Self::Enum(kind, text, number) => {
                let inner = format!("<ToString>{}</ToString><I32>{number}</I32>", escaped(text));
                object(&[kind, "System.Enum", "System.ValueType"], &inner, ids)
            }
            Self::Thing(kind, text) => {
                object(&[kind], &format!("<ToString>{}</ToString><Props />", escaped(text)), ids)
            }
            Self::List(cells) => {
                let items: String = cells.iter().map(|cell| cell.xml("", ids)).collect();
                let kind = "Microsoft.Exchange.Data.MultiValuedProperty`1[[System.String]]";
                object(&[kind], &format!("<LST>{items}</LST>"), ids)
            }
        }
    }
}

fn next(ids: &mut usize) -> usize {
    *ids += 1;
    *ids
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            char if char.is_control() => out.push_str(&format!("_x{:04X}_", u32::from(char))),
            char => out.push(char),
        }
    }
    out
}
