//! The graph of imports among the modules at a crate's root, read from its source.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::tokens::{Token, closing, tokens, without_tests};

/// The rooms of a crate: the modules that its root declares, and what they import of each other.
#[derive(Debug, Default)]
pub struct Rooms {
    /// Every room.
    pub names: BTreeSet<String>,
    /// A room, one that it imports, and the first place where it does.
    pub imports: BTreeMap<(String, String), String>,
    /// Places that name an item of the root, which is no room: such a place depends on all that the root imports.
    pub of_the_root: Vec<String>,
    /// Imports of the root, which give shorter names to items: name to room.
    pub renamed: BTreeMap<String, String>,
    /// Exported macros, which the language puts at the root, and the rooms that define them.
    macros: BTreeMap<String, String>,
}

/// Reads the crate whose root is the file `root`. Only what the compiler reads outside of tests counts: files are
/// found by their `mod`, not by a listing. The root itself is no room: it declares the others.
pub fn rooms(root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Rooms {
    let mut reader = Reader { read, modules: Vec::new() };
    let folder = root.parent().unwrap().to_path_buf();
    reader.file(root, &folder, Vec::new());
    let mut rooms = Rooms::default();
    for module in &reader.modules {
        rooms.names.extend(module.path.first().cloned());
        for name in &module.macros {
            rooms.macros.extend(module.path.first().map(|room| (name.clone(), room.clone())));
        }
    }
    for module in reader.modules.iter().filter(|module| module.path.is_empty()) {
        for (name, path) in module.paths.iter().filter_map(|found| Some((found.name.clone()?, &found.path))) {
            if let Some(room) = path.first().filter(|first| rooms.names.contains(*first) && **first != name) {
                rooms.renamed.insert(name, room.clone());
            }
        }
    }
    for module in &reader.modules {
        let Some(own) = module.path.first() else { continue };
        for found in &module.paths {
            rooms.add(own, found, &format!("{}:{}", module.file.display(), found.line));
        }
    }
    rooms
}

impl Rooms {
    fn add(&mut self, own: &str, found: &Found, place: &str) {
        let Some(first) = found.path.first() else { return };
        let named = || self.renamed.get(first).or_else(|| self.macros.get(first));
        let room = if self.names.contains(first) { Some(first) } else { named() };
        match room {
            Some(room) if room != own => {
                self.imports.entry((own.to_owned(), room.clone())).or_insert_with(|| place.to_owned());
            }
            Some(_) => {}
            None => self.of_the_root.push(format!("{place} names crate::{first}")),
        }
    }

    /// Rooms that reach each other, largest circle first: the strongly connected components of more than one room.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let reach = self.reach();
        let both = |a: &String, b: &String| {
            reach.contains(&(a.clone(), b.clone())) && reach.contains(&(b.clone(), a.clone()))
        };
        let mut circles = BTreeSet::new();
        for name in &self.names {
            let circle: Vec<_> = self.names.iter().filter(|other| both(name, other)).cloned().collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        let mut circles: Vec<_> = circles.into_iter().collect();
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));
        circles
    }

    /// Every pair of rooms of which the first imports the second, perhaps through others.
    fn reach(&self) -> BTreeSet<(String, String)> {
        let mut reach: BTreeSet<_> = self.imports.keys().cloned().collect();
        for through in &self.names {
            let to: Vec<_> =
                reach.iter().filter(|pair| pair.1 == *through).map(|pair| pair.0.clone()).collect();
            let on: Vec<_> =
                reach.iter().filter(|pair| pair.0 == *through).map(|pair| pair.1.clone()).collect();
            reach.extend(to.iter().flat_map(|from| on.iter().map(|onto| (from.clone(), onto.clone()))));
        }
        reach
    }

    /// The rooms from the bottom up: each after those that it imports. Rooms of a circle are together.
    pub fn order(&self) -> Vec<String> {
        let reach = self.reach();
        let below = |name: &String| reach.iter().filter(|pair| pair.0 == *name).count();
        let mut names: Vec<_> = self.names.iter().cloned().collect();
        names.sort_by_key(below);
        names
    }

    /// The imports within a circle, with their places: some of them must be removed.
    pub fn within(&self, circle: &[String]) -> Vec<String> {
        let inside =
            self.imports.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
        inside.map(|((from, to), place)| format!("{from} -> {to} ({place})")).collect()
    }
}

/// A module outside of tests: its place, and the paths into its crate that it names.
struct Module {
    path: Vec<String>,
    file: PathBuf,
    paths: Vec<Found>,
    /// Macros that it exports.
    macros: Vec<String>,
}

/// A path into the crate, from the crate's root on.
struct Found {
    path: Vec<String>,
    /// The name that a `use` gives it.
    name: Option<String>,
    line: usize,
}

struct Reader<'a> {
    read: &'a dyn Fn(&Path) -> Option<String>,
    modules: Vec<Module>,
}

impl Reader<'_> {
    /// Reads a file: the module `path`, whose own modules are files in `folder`.
    fn file(&mut self, file: &Path, folder: &Path, path: Vec<String>) {
        let text =
            (self.read)(file).unwrap_or_else(|| panic!("{} is declared and not there", file.display()));
        self.module(&without_tests(&tokens(&text)), file, folder, path);
    }

    fn module(&mut self, all: &[Token], file: &Path, folder: &Path, path: Vec<String>) {
        let text = |at: usize| all.get(at).map_or("", |token| token.text.as_str());
        let (mut found, mut macros) = (Vec::new(), Vec::new());
        let mut attribute_path = None;
        let mut at = 0;
        while at < all.len() {
            let before = if at == 0 { "" } else { text(at - 1) };
            match (text(at), text(at + 2)) {
                ("path", literal) if before == "[" && text(at + 1) == "=" => {
                    attribute_path = Some(literal.trim_matches('"').to_owned());
                    at += 3;
                }
                ("macro_export", "macro_rules") => {
                    macros.push(text(at + 4).to_owned());
                    at += 5;
                }
                ("mod", ";") => {
                    self.declared(text(at + 1), attribute_path.take(), file, folder, &path);
                    at += 3;
                }
                ("mod", "{") => {
                    let end = closing(all, at + 2);
                    let inner = [path.as_slice(), &[text(at + 1).to_owned()]].concat();
                    self.module(&all[at + 3..end - 1], file, &folder.join(text(at + 1)), inner);
                    at = end;
                }
                // `impl Trait + use<'a>` imports nothing.
                ("use", _) if text(at + 1) != "<" => at = imported(all, at + 1, &path, &mut found),
                ("crate" | "super" | "self", _) if text(at + 1) == "::" && before != "::" => {
                    let line = all[at].line;
                    let (named, end) = plain_path(all, at);
                    found.extend(absolute(&named, &path).map(|path| Found { path, name: None, line }));
                    at = end;
                }
                _ => at += 1,
            }
        }
        self.modules.push(Module { path, file: file.to_owned(), paths: found, macros });
    }

    /// Reads the file of `mod name;`.
    fn declared(&mut self, name: &str, given: Option<String>, file: &Path, folder: &Path, parent: &[String]) {
        let path = [parent, &[name.to_owned()]].concat();
        if let Some(given) = given {
            let file = file.parent().unwrap().join(given);
            let folder = file.parent().unwrap().to_path_buf();
            return self.file(&file, &folder, path);
        }
        let inner = folder.join(name);
        let flat = folder.join(format!("{name}.rs"));
        let file = if (self.read)(&flat).is_some() { flat } else { inner.join("mod.rs") };
        self.file(&file, &inner, path);
    }
}

/// Reads `a::b::c` from `at` on, and the place after it.
fn plain_path(all: &[Token], mut at: usize) -> (Vec<String>, usize) {
    let text = |at: usize| all.get(at).map_or("", |token| token.text.as_str());
    let mut path = vec![text(at).to_owned()];
    while text(at + 1) == "::" && is_name(text(at + 2)) {
        path.push(text(at + 2).to_owned());
        at += 2;
    }
    (path, at + 1)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reads the tree of a `use` from `at` on; returns the place after its semicolon.
fn imported(all: &[Token], at: usize, module: &[String], found: &mut Vec<Found>) -> usize {
    let end = all[at..].iter().position(|token| token.text == ";").map_or(all.len(), |more| at + more);
    let mut leaves = Vec::new();
    tree(&all[at..end], &[], &mut leaves);
    for leaf in leaves {
        // In the root a path may start with one of its modules; everywhere else that is another crate.
        let path = match absolute(&leaf.path, module) {
            None if module.is_empty() => leaf.path,
            None => continue,
            Some(path) => path,
        };
        found.push(Found { path, ..leaf });
    }
    end + 1
}

/// The leaves of a use tree: `a::{b, c::{self, d as e}, *}`.
fn tree(all: &[Token], base: &[String], leaves: &mut Vec<Found>) {
    let text = |at: usize| all.get(at).map_or("", |token| token.text.as_str());
    let mut at = 0;
    while at < all.len() {
        let mut path = base.to_vec();
        let line = all[at].line;
        let mut name = None;
        while at < all.len() && text(at) != "," {
            match text(at) {
                "{" => {
                    let end = closing(all, at);
                    tree(&all[at + 1..end - 1], &path, leaves);
                    path.clear();
                    at = end;
                }
                "as" => {
                    name = Some(text(at + 1).to_owned());
                    at += 2;
                }
                // `a::{self}` is `a`.
                "self" if !path.is_empty() => at += 1,
                "::" => at += 1,
                part => {
                    path.push(part.to_owned());
                    at += 1;
                }
            }
        }
        if !path.is_empty() {
            let name = name.or_else(|| path.last().cloned());
            leaves.push(Found { path, name, line });
        }
        at += 1;
    }
}

/// A path that starts with `crate`, `self` or `super`, from the crate's root on; None for one into another crate.
fn absolute(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let mut base = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "self" | "super" => module.to_vec(),
        _ => return None,
    };
    for part in path {
        match part.as_str() {
            "crate" | "self" => {}
            "super" => {
                base.pop();
            }
            part => base.push(part.to_owned()),
        }
    }
    Some(base)
}
