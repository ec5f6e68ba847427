//! Which source file uses which, and which public types each one defines, read from the syntax tree. A name that a
//! module only passes on (`pub use`) counts as used from the file that defines it, so that a `mod.rs` which lists
//! what its folder offers ties nothing together.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{Attribute, Item, ItemMod, ItemUse, UseTree, Visibility, visit::Visit};

/// A path inside the crate, from its root: `["plan", "lint", "lint"]`.
type InCrate = Vec<String>;

/// For each file the files that it uses, with the names that it takes from each.
pub(crate) type Arrows<'a> = BTreeMap<&'a str, BTreeMap<&'a str, BTreeSet<String>>>;

/// The source files of a crate.
pub(crate) struct FileGraph {
    /// The path of each module's file, relative to `src/`.
    files: BTreeMap<InCrate, String>,
    read: BTreeMap<InCrate, Module>,
}

/// What is written in one file.
#[derive(Default)]
struct Module {
    /// What it defines, but for its child modules.
    defined: BTreeSet<String>,
    /// Names that it brings in, with what they stand for, and whether it passes them on.
    imported: BTreeMap<String, (InCrate, bool)>,
    /// Modules of which it brings in everything, and whether it passes that on.
    globs: Vec<(InCrate, bool)>,
    /// Every path that it names, its own `pub use` apart.
    named: BTreeSet<InCrate>,
    /// The types that it makes public, each with the line of its documentation or nothing.
    public_types: Vec<String>,
}

impl FileGraph {
    /// Reads all the sources below a folder.
    pub(crate) fn read(src: &Path) -> Self {
        let mut graph = Self { files: BTreeMap::new(), read: BTreeMap::new() };
        let mut texts = BTreeMap::new();
        for path in sources(src) {
            let relative = path.strip_prefix(src).unwrap().to_str().unwrap().replace('\\', "/");
            let module = module_of(&relative);
            texts.insert(module.clone(), fs::read_to_string(&path).unwrap());
            graph.files.insert(module, relative);
        }
        for (module, text) in texts {
            let file =
                syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", graph.files[&module]));
            let mut reader = Reader { at: module.clone(), module: Module::default(), files: &graph.files };
            reader.visit_file(&file);
            graph.read.insert(module, reader.module);
        }
        graph
    }

    /// The files that each file uses, and which names it takes from each.
    pub(crate) fn arrows(&self) -> Arrows<'_> {
        let arrow = |module: &InCrate, read: &Module| {
            let mut uses: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
            for path in &read.named {
                for target in self.defining(module, path, 0).into_iter().filter(|target| target != module) {
                    let name = path.get(target.len().min(path.len() - 1));
                    uses.entry(&self.files[&target]).or_default().extend(name.cloned());
                }
            }
            uses
        };
        self.read.iter().map(|(module, read)| (self.files[module].as_str(), arrow(module, read))).collect()
    }

    /// The public types by their names, with the files that define one of this name.
    pub(crate) fn public_types(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (module, read) in &self.read {
            for name in &read.public_types {
                found.entry(name).or_default().push(&self.files[module]);
            }
        }
        found
    }

    /// The modules whose files define what a path names, as the module `from` sees it.
    fn defining(&self, from: &InCrate, path: &[String], depth: usize) -> Vec<InCrate> {
        let known = (0..=path.len()).rev().find(|length| self.files.contains_key(&path[..*length]));
        let Some(length) = known else { return Vec::new() };
        let module = path[..length].to_vec();
        let Some(name) = path.get(length) else {
            // A module by its name only: whoever uses something of it says what.
            return Vec::new();
        };
        let read = &self.read[&module];
        if depth > 8 || read.defined.contains(name) {
            return vec![module];
        }
        if name == "*" {
            let passed_on = read.imported.values().filter(|(_, public)| *public).map(|(path, _)| path);
            let mut all: Vec<InCrate> =
                passed_on.flat_map(|path| self.defining(&module, path, depth + 1)).collect();
            // `use super::*` of an inner module means the file itself.
            if &module != from && !read.defined.is_empty() {
                all.push(module);
            }
            return all;
        }
        if let Some((path, _)) = read.imported.get(name) {
            return self.defining(&module, path, depth + 1);
        }
        let globs = read.globs.iter().flat_map(|(glob, _)| {
            let path: Vec<String> = glob.iter().cloned().chain([name.clone()]).collect();
            let found = self.defining(&module, &path, depth + 1);
            found.into_iter().filter(|target| self.read[target].defined.contains(name))
        });
        globs.collect()
    }
}

/// The groups of files of which each reaches each other, largest first.
pub(crate) fn circles<'a>(arrows: &Arrows<'a>) -> Vec<BTreeSet<&'a str>> {
    let reach = |from: &'a str| -> BTreeSet<&'a str> {
        let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
        while let Some(file) = left.pop() {
            for next in arrows.get(file).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(*next) {
                    left.push(next);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> = arrows.keys().map(|file| (*file, reach(file))).collect();
    let circle = |file: &&'a str| -> BTreeSet<&'a str> {
        let back =
            reached[file].iter().filter(|other| reached.get(**other).is_some_and(|to| to.contains(file)));
        back.copied().collect()
    };
    let distinct: BTreeSet<BTreeSet<&str>> =
        arrows.keys().map(circle).filter(|files| files.len() > 1).collect();
    let mut circles: Vec<BTreeSet<&str>> = distinct.into_iter().collect();
    circles.sort_by_key(|files| std::cmp::Reverse(files.len()));
    circles
}

/// The Rust files below a folder, in order.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn module_of(file: &str) -> InCrate {
    let path = file.trim_end_matches(".rs").trim_end_matches("/mod");
    match path {
        "lib" => Vec::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

struct Reader<'a> {
    /// The module that is read, or one inside the same file.
    at: InCrate,
    module: Module,
    files: &'a BTreeMap<InCrate, String>,
}

impl Reader<'_> {
    /// A path as it is written, from the root of the crate; None where it leaves the crate.
    fn in_crate(&self, path: &[String]) -> Option<InCrate> {
        let (first, mut rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" | "certwright" => Vec::new(),
            "self" => self.at.clone(),
            "super" => self.at[..self.at.len().checked_sub(1)?].to_vec(),
            name => {
                let child: Vec<String> = self.at.iter().cloned().chain([name.to_owned()]).collect();
                let is_own = self.files.contains_key(&child) || self.module.imported.contains_key(name);
                return is_own.then(|| self.at.iter().chain(path).cloned().collect());
            }
        };
        while rest.first().is_some_and(|next| next == "super") {
            at.pop()?;
            rest = &rest[1..];
        }
        at.extend(rest.iter().cloned());
        Some(at)
    }

    fn import(&mut self, tree: &UseTree, before: &mut Vec<String>, public: bool) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(&path.tree, before, public);
                before.pop();
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.import(item, before, public));
            }
            UseTree::Name(name) => self.import_as(before, &name.ident.to_string(), None, public),
            UseTree::Rename(rename) => {
                self.import_as(before, &rename.ident.to_string(), Some(rename.rename.to_string()), public);
            }
            UseTree::Glob(_) => {
                if let Some(path) = self.in_crate(before) {
                    self.module.globs.push((path.clone(), public));
                    if !public {
                        self.module.named.insert(path.into_iter().chain(["*".to_owned()]).collect());
                    }
                }
            }
        }
    }

    fn import_as(&mut self, before: &[String], name: &str, known_as: Option<String>, public: bool) {
        let mut path = before.to_vec();
        if name != "self" {
            path.push(name.to_owned());
        }
        let Some(path) = self.in_crate(&path) else { return };
        if !public {
            self.module.named.insert(path.clone());
        }
        let known_as = known_as.or_else(|| path.last().cloned()).unwrap_or_default();
        self.module.imported.insert(known_as, (path, public));
    }

    fn name(&mut self, path: &[String]) {
        let Some(path) = self.in_crate(path) else { return };
        // A name that was imported has been counted where it was; a module that was imported is used here.
        let own = path.len() == self.at.len() + 1 && path.starts_with(&self.at);
        if own {
            return;
        }
        let through = path.get(self.at.len()).and_then(|name| self.module.imported.get(name));
        let path = match through.filter(|_| path.starts_with(&self.at)) {
            Some((target, _)) => target.iter().chain(&path[self.at.len() + 1..]).cloned().collect(),
            None => path,
        };
        self.module.named.insert(path);
    }

    fn define(&mut self, name: &syn::Ident) {
        self.module.defined.insert(name.to_string());
    }

    fn define_type(&mut self, name: &syn::Ident, visibility: &Visibility) {
        self.define(name);
        if matches!(visibility, Visibility::Public(_)) {
            self.module.public_types.push(name.to_string());
        }
    }
}

fn only_in_tests(attributes: &[Attribute]) -> bool {
    let is_test = |attribute: &Attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    };
    attributes.iter().any(is_test)
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_file(&mut self, file: &'ast syn::File) {
        // Imports first, since items may use what is imported below them.
        for item in &file.items {
            if let Item::Use(import) = item {
                self.visit_item_use(import);
            }
        }
        syn::visit::visit_file(self, file);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Struct(item) => self.define_type(&item.ident, &item.vis),
            Item::Enum(item) => self.define_type(&item.ident, &item.vis),
            Item::Trait(item) => self.define_type(&item.ident, &item.vis),
            Item::Type(item) => self.define_type(&item.ident, &item.vis),
            Item::Fn(item) => self.define(&item.sig.ident),
            Item::Const(item) => self.define(&item.ident),
            Item::Static(item) => self.define(&item.ident),
            Item::Macro(item) => {
                // Types that a macro of the house defines: `text_type!(Name, …)`.
                let words = item.mac.tokens.to_string();
                let names = words.split(|char: char| !char.is_alphanumeric());
                names.filter(|name| !name.is_empty()).for_each(|name| {
                    self.module.defined.insert(name.to_owned());
                });
            }
            _ => {}
        }
        syn::visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if only_in_tests(&item.attrs) || item.content.is_none() {
            return;
        }
        self.at.push(item.ident.to_string());
        syn::visit::visit_item_mod(self, item);
        self.at.pop();
    }

    fn visit_item_use(&mut self, import: &'ast ItemUse) {
        if !only_in_tests(&import.attrs) {
            let public = !matches!(import.vis, Visibility::Inherited);
            self.import(&import.tree, &mut Vec::new(), public);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if path.leading_colon.is_none() {
            self.name(&words);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        // `format!`, `matches!`: paths among the tokens.
        let words = call.tokens.to_string().replace(" :: ", "::");
        let paths = words.split(|char: char| !(char.is_alphanumeric() || "_:".contains(char)));
        for path in paths.filter(|path| path.contains("::")) {
            let words: Vec<String> = path.split("::").map(str::to_owned).collect();
            if words.iter().all(|word| !word.is_empty() && !word.contains(':')) {
                self.name(&words);
            }
        }
        syn::visit::visit_macro(self, call);
    }
}
