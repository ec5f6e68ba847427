//! Paths as they are written: with `/` between their names on every system. Plans, journals and reports are the same
//! wherever they were made, and Windows takes `/` as well.

use std::{fmt, path::Path};

/// Something that is shown as a path.
pub trait ShowPath {
    /// The path for people and reports. On Windows `\` becomes `/`, and the prefix of long paths goes; elsewhere `\` is a
    /// letter like any other and stays.
    fn shown(&self) -> ShownPath<'_>;
}

/// A path that can be printed.
#[derive(Clone, Copy, Debug)]
pub struct ShownPath<'a>(&'a Path);

impl ShowPath for Path {
    fn shown(&self) -> ShownPath<'_> {
        ShownPath(self)
    }
}

impl fmt::Display for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.0.to_string_lossy();
        let path = if cfg!(windows) { of_windows(&path) } else { path.into_owned() };
        // `directory: .` leads nowhere, and nobody wants to read it.
        f.pad(&path.replace("/./", "/"))
    }
}

/// A path as it stands in a plan or a journal: a run that was begun on one system goes on on another, whoever wrote the
/// manifest.
pub fn portable(path: &Path) -> String {
    of_windows(&path.to_string_lossy())
}

fn of_windows(path: &str) -> String {
    let path = match path.strip_prefix(r"\\?\") {
        Some(long) => match long.strip_prefix(r"UNC\") {
            Some(share) => format!(r"\\{share}"),
            None => long.to_owned(),
        },
        None => path.to_owned(),
    };
    path.replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_alike_on_all_systems() {
        for (path, written) in [
            ("requests/mail", "requests/mail"),
            (r"requests\mail", "requests/mail"),
            (r"examples/contoso\.certwright\runs/1.jsonl", "examples/contoso/.certwright/runs/1.jsonl"),
            (r"C:\certwright\Jörg", "C:/certwright/Jörg"),
            (r"\\?\C:\certwright", "C:/certwright"),
            (r"\\?\UNC\files\share\runs", "//files/share/runs"),
            (r"\\files\share", "//files/share"),
            ("", ""),
        ] {
            assert_eq!(portable(Path::new(path)), written);
            if cfg!(windows) {
                assert_eq!(Path::new(path).shown().to_string(), written);
            }
        }
        if cfg!(unix) {
            assert_eq!(Path::new(r"a\b/c").shown().to_string(), r"a\b/c");
        }
    }
}
