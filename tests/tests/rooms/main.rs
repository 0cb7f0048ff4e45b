//! Tests that the rooms of each crate form no circle, so that a reader can follow the imports to an end.
//!
//! A room is a module at a crate's root, with everything in it. One imports another when a `use` or a path in its
//! code names it. Calls of a method whose type came as an argument are not seen; the type's own room mostly is.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]
#![allow(clippy::print_stdout, reason = "--nocapture shows the order of the rooms")]

mod graph;
mod tokens;

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use graph::{Rooms, rooms};

/// The concerns. Each has the same name in every layer that has it.
const CONCERNS: [&str; 23] = [
    "members",
    "operators",
    "settings",
    "referrals",
    "programs",
    "payments",
    "wallets",
    "commissions",
    "bill_credit",
    "withdrawals",
    "intents",
    "fraud",
    "promotions",
    "credits",
    "shop",
    "deposits",
    "support",
    "gamification",
    "messages",
    "hooks",
    "statistics",
    "verification",
    "jobs",
];

/// The rooms of each layer that are no concern: what its concerns stand on, or what stands on them.
const BESIDE: [(&str, &[&str]); 6] = [
    ("shared/domain", &["decimal", "exchange", "ids", "money", "stored", "time"]),
    ("shared/store", &["changes", "requests", "table"]),
    (
        "shared/app",
        &[
            "attempt", "audit", "cached", "context", "entropy", "error", "events", "memory", "observe",
            "once", "stored",
        ],
    ),
    ("functions/admin-api", &["csv", "input", "routes", "state"]),
    ("functions/member-api", &["docs", "input", "routes", "state"]),
    ("functions/telegram-webhook", &["dispatch", "handler", "parse", "reply", "state"]),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The root file of each crate under these folders, by the crate's folder.
fn crates() -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for above in ["shared", "functions", "infra", "tests"] {
        for entry in fs::read_dir(workspace().join(above)).unwrap() {
            let folder = entry.unwrap().path();
            let roots = ["src/lib.rs", "src/main.rs"].map(|root| folder.join(root));
            if let Some(root) = roots.into_iter().find(|root| root.is_file()) {
                let name = folder.strip_prefix(workspace()).unwrap().to_string_lossy().into_owned();
                found.insert(name, root);
            }
        }
    }
    found
}

fn rooms_of(root: &Path) -> Rooms {
    let folder = workspace();
    let root = root.strip_prefix(&folder).unwrap();
    rooms(root, &|file: &Path| fs::read_to_string(folder.join(file)).ok())
}

#[test]
fn rooms_form_no_circle() {
    let crates = crates();
    assert!(crates.len() >= 23, "the crates are not found: {:?}", crates.keys());
    let mut problems = String::new();
    for (name, root) in &crates {
        let rooms = rooms_of(root);
        println!("{name}: {}", rooms.order().join(", "));
        for circle in rooms.circles() {
            let within = rooms.within(&circle).join("\n  ");
            writeln!(problems, "{name}: a circle of {}: {}\n  {within}", circle.len(), circle.join(", "))
                .unwrap();
        }
        for place in &rooms.of_the_root {
            writeln!(problems, "{name}: {place}, which belongs in a file of its own").unwrap();
        }
        for (short, room) in &rooms.renamed {
            writeln!(problems, "{name}: the root imports {short} from {room}; callers name the room")
                .unwrap();
        }
    }
    assert!(problems.is_empty(), "\n{problems}");
}

#[test]
fn a_concern_has_one_name_in_every_layer() {
    for (layer, beside) in BESIDE {
        for room in rooms_of(&workspace().join(layer).join("src/lib.rs")).order() {
            let known = CONCERNS.contains(&room.as_str()) || beside.contains(&room.as_str());
            assert!(known, "{layer}: {room} is no concern, and not listed among the rooms beside them");
        }
    }
}

/// The rooms of a crate of these files: name and text.
fn crate_of(files: &[(&str, &str)]) -> Rooms {
    let files: BTreeMap<_, _> = files.iter().map(|(name, text)| (PathBuf::from(name), *text)).collect();
    rooms(Path::new("lib.rs"), &|file: &Path| files.get(file).map(|text| (*text).to_owned()))
}

/// Checks what room `a` imports when its file contains `text`, in a crate with the rooms a, b, c and d.
fn imports_of(text: &str) -> String {
    let root = "pub mod a;\nmod b;\npub(crate) mod c;\nmod d { pub fn f() {} }\npub use b::Shown as Renamed;";
    let rooms = crate_of(&[("lib.rs", root), ("a.rs", text), ("a/inner.rs", ""), ("b.rs", ""), ("c.rs", "")]);
    let imports = rooms.imports.keys().filter(|(from, _)| from == "a").map(|(_, to)| to.as_str());
    imports.chain(rooms.of_the_root.iter().map(|_| "root")).collect::<Vec<_>>().join(" ")
}

/// Texts of room `a`, each with the rooms that it imports.
const WAYS_TO_NAME_A_ROOM: [(&str, &str); 24] = [
    ("use crate::b::B;", "b"),
    ("use crate::b;", "b"),
    ("use crate::b as bee;", "b"),
    ("pub(crate) use crate::{b::{B, c::{self, D}}, d};", "b d"),
    ("use crate::{\n    b::*, // crate::c\n    c::{self},\n};", "b c"),
    ("use {crate::b::B, std::fmt};", "b"),
    ("use super::b::B;", "b"),
    ("use super::{b, c::C};", "b c"),
    ("mod inner { use super::super::b::B; }", "b"),
    ("mod inner { use super::b::B; }", ""),
    ("mod inner;\nuse self::inner::b;", ""),
    ("fn f() { crate::b::f::<u8>(super::c::X) }", "b c"),
    ("fn f() { let x = crate::b::B { y: 1 }; }", "b"),
    ("macro_rules! m { () => { $crate::b::f() } }", "b"),
    ("impl crate::b::T for S where S: super::c::U {}", "b c"),
    ("fn f<'a>(x: &'a crate::b::B) -> char { 'c' }", "b"),
    ("use crate::a::X; use self::y; use crate::a;", ""),
    ("use crate::Renamed;", "b"),
    ("use crate::Other;", "root"),
    ("#[macro_export]\nmacro_rules! m { () => { $crate::m!(1) }; (1) => { $crate::other!() } }", "root"),
    ("use b::B; use std::c::d; fn f() { c::g() }", ""),
    ("fn f() -> impl S + use<> { crate::b::g() }", "b"),
    ("fn f(r#type: u8) { crate::b::g() }", "b"),
    ("pub(crate) struct S; pub(super) struct T; fn f(self) {}", ""),
];

#[test]
fn every_way_to_name_a_room_is_seen() {
    for (text, expect) in WAYS_TO_NAME_A_ROOM {
        assert_eq!(imports_of(text), expect, "{text}");
    }
}

#[test]
fn comments_literals_and_tests_name_nothing() {
    for text in [
        "// use crate::b;\n/// [`crate::c`]\n//! crate::d\n",
        "/* crate::b /* crate::c */ crate::d */",
        r####"const S: &str = "crate::b \" crate::c"; const R: &str = r#"crate::b " crate::c"#; "####,
        r####"const B: &[u8] = b"crate::b"; const C: char = '"'; const D: char = '\''; // crate::b"####,
        "#[cfg(test)]\nmod tests { use super::*; use crate::b; fn f() { crate::c::g() } }",
        "#[cfg(test)]\nmod tests;",
        "#[cfg(doc)]\nuse crate::{b::*, c::*};",
        "#[cfg(test)]\n#[path = \"elsewhere.rs\"]\nmod tests;",
        "#[cfg(test)]\nuse crate::{b::{B}, c};",
        "#[cfg(test)] impl X { fn f() -> [u8; 2] { crate::b::f() } }",
        "#[cfg(test)] pub(crate) const fn f() { crate::b::f() }",
        "#[cfg(test)] const X: B = crate::b::B { y: 1 };",
        "struct S { #[cfg(test)] x: crate::b::B }",
        "enum E { #[cfg(test)] X(crate::b::B), Y }",
        "#[cfg(all(test, unix))] mod tests { use crate::b; }",
        "#![cfg(test)]\nuse crate::b;",
    ] {
        assert_eq!(imports_of(text), "", "{text}");
    }
    let after = "#[cfg(test)]\nuse crate::b;\n#[cfg(not(test))]\nuse crate::c;\nuse crate::d;";
    assert_eq!(imports_of(after), "c d");
}

#[test]
fn circles_are_found_through_folders_and_over_several_rooms() {
    let rooms = crate_of(&[
        ("lib.rs", "mod top; mod a; mod b; mod c; mod d; mod e;\nuse top::Everything;"),
        ("top.rs", "use crate::{a, d};"),
        ("a/mod.rs", "mod deep;"),
        ("a/deep.rs", "use crate::b::B;"),
        ("b.rs", "#[path = \"odd.rs\"] mod part;"),
        ("odd.rs", "use super::super::c;"),
        ("c.rs", "mod part { fn f() { crate::a::g() } }"),
        ("d.rs", "use crate::e;"),
        ("e.rs", "fn f() { super::d::g() }"),
    ]);
    let circles: Vec<_> = rooms.circles().iter().map(|circle| circle.join(" ")).collect();
    assert_eq!(circles, ["a b c", "d e"]);
    assert_eq!(rooms.within(&rooms.circles()[1]), ["d -> e (d.rs:1)", "e -> d (e.rs:1)"]);
    assert_eq!(rooms.order().last().unwrap(), "top");
}
