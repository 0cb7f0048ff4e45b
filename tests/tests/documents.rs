//! Tests of the documents: their links have targets, the tests that they name exist, and the README is short.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

const README_LINES: usize = 150;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Files below `folder` whose names end in `.extension`, without generated files.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Numbered lines that are text and not code: fenced blocks are left out.
fn prose(page: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (index, line) in page.lines().enumerate() {
        let fence = line.trim_start().starts_with("```");
        if !fenced && !fence {
            lines.push((index + 1, line));
        }
        fenced ^= fence;
    }
    lines
}

/// The links and images of a page, `[text](target)` outside of code, with the numbers of their lines.
fn links(page: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    let mut code = false;
    for (number, line) in prose(page) {
        // A code span may continue in the next line, but not beyond its paragraph.
        code &= !line.trim().is_empty();
        let mut text = String::new();
        for (index, part) in line.split('`').enumerate() {
            code ^= index > 0;
            text.push_str(if code { "" } else { part });
        }
        let ends = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        links.extend(ends.map(|(target, _)| (number, target.to_owned())));
    }
    links
}

/// Paths of the repository that a page names in code, such as `shared/domain/src/lib.rs`.
fn paths(page: &str) -> Vec<(usize, &str)> {
    let folders = ["docs/", "events/", "functions/", "infra/", "shared/", "tests/"];
    let is_path = |code: &&str| {
        folders.iter().any(|folder| code.starts_with(folder))
            && code.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'))
    };
    let mut paths = Vec::new();
    for (number, line) in prose(page) {
        let code = line.split('`').skip(1).step_by(2);
        paths.extend(code.filter(is_path).map(|path| (number, path)));
    }
    paths
}

/// GitHub's name for a heading: lower case, letters, digits, `-` and `_` kept, spaces as `-`.
fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' '));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The anchors of a page. GitHub numbers headings that are there twice: `name`, `name-1`.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for (_, line) in prose(page) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let name = slug(heading);
        let times = seen.entry(name.clone()).or_default();
        anchors.insert(if *times == 0 { name } else { format!("{name}-{times}") });
        *times += 1;
    }
    anchors
}

/// `path` without `.` and `..`, so that a link which leaves the repository is seen as one.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = normal.pop(),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// The reason why a link on `page` is broken; `None` for a valid one and for one to the web.
fn broken(page: &Path, target: &str) -> Option<String> {
    if ["https://", "http://", "mailto:"].iter().any(|scheme| target.starts_with(scheme)) {
        return None;
    }
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let file = if path.is_empty() { page.to_path_buf() } else { normal(&page.parent().unwrap().join(path)) };
    if !file.starts_with(normal(&root())) || !file.exists() {
        return Some("no such file".to_owned());
    }
    let anchor = anchor?;
    let is_page = file.extension().is_some_and(|extension| extension == "md");
    let known = is_page && anchors(&read(&file)).contains(anchor);
    (!known).then(|| format!("no heading #{anchor} in {}", shown(&file)))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Fails once with all that is wrong.
fn none_of(problems: &[String], what: &str) {
    assert!(problems.is_empty(), "{} {what}:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn every_link_and_path_leads_to_a_file_and_a_heading_that_exist() {
    let pages = files(&root(), "md");
    assert!(pages.len() > 30, "the pages were found");
    let mut problems = Vec::new();
    for page in pages.iter().map(|page| normal(page)) {
        let text = read(&page);
        for (number, target) in links(&text) {
            let problem = broken(&page, &target);
            problems.extend(problem.map(|why| format!("{}:{number}: ({target}): {why}", shown(&page))));
        }
        for (number, path) in paths(&text) {
            let problem = broken(&root().join("README.md"), path);
            problems.extend(problem.map(|why| format!("{}:{number}: `{path}`: {why}", shown(&page))));
        }
    }
    none_of(&problems, "broken links and paths");
}

#[test]
fn the_readme_stays_short() {
    let lines = read(&root().join("README.md")).lines().count();
    assert!(
        lines <= README_LINES,
        "README.md has {lines} lines, more than {README_LINES}: move some to docs/"
    );
}

#[test]
fn every_test_that_an_invariant_names_exists() {
    let page = read(&root().join("docs/ARCHITECTURE.md"));
    let sources: String = files(&root(), "rs").iter().map(|path| read(path)).collect();
    let after = page.split("\n## Invariants\n").nth(1).expect("docs/ARCHITECTURE.md lists the invariants");
    let section = after.split("\n## ").next().unwrap();
    let named = section.split('`').skip(1).step_by(2).filter(|code| is_test_name(code));
    let named: BTreeSet<_> = named.collect();
    assert!(named.len() > 40, "the names were found");
    let missing = named.into_iter().filter(|name| !sources.contains(&format!("fn {name}(")));
    let problems: Vec<_> = missing.map(str::to_owned).collect();
    none_of(&problems, "tests that docs/ARCHITECTURE.md names do not exist");
}

/// Tests are sentences: three words or more. Shorter names are other functions, fields and lints.
fn is_test_name(code: &str) -> bool {
    code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && code.split('_').count() > 2
}

/// The runbook searches the log for these messages.
#[test]
fn every_log_line_that_the_documents_name_is_in_the_sources() {
    let page = read(&root().join("docs/logging.md"));
    let runbook = read(&root().join("docs/operations.md"));
    let sources: String = files(&root(), "rs").iter().map(|path| read(path)).collect();
    let levels = ["error", "warn", "info"].map(|level| format!("| {level} | `"));
    let listed =
        page.lines().filter_map(|line| levels.iter().find_map(|level| line.strip_prefix(level.as_str())));
    let listed: BTreeSet<_> = listed.map(|row| row.split('`').next().unwrap()).collect();
    let searched = runbook.split("message = '").skip(1).map(|rest| rest.split('\'').next().unwrap());
    let unlisted = searched.filter(|message| !listed.contains(message));
    let mut problems: Vec<_> =
        unlisted.map(|message| format!("'{message}' is not in docs/logging.md")).collect();
    assert!(listed.len() > 30, "the lines were found");
    let gone = listed.into_iter().filter(|message| !sources.contains(&format!("\"{message}\"")));
    problems.extend(gone.map(|message| format!("`{message}` in docs/logging.md, but in no source")));
    none_of(&problems, "log lines that the documents name and nothing writes");
}

#[test]
fn every_decision_has_its_number_and_is_in_the_index() {
    let folder = root().join("docs/adr");
    let index = read(&folder.join("README.md"));
    let mut problems = Vec::new();
    let mut next = 1;
    for path in files(&folder, "md").into_iter().filter(|path| !path.ends_with("README.md")) {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let number = format!("{next:04}");
        next += 1;
        if !file.starts_with(&format!("{number}-")) {
            problems.push(format!("{file}: {number} comes next"));
        }
        let text = read(&path);
        let title = text.lines().next().and_then(|line| line.strip_prefix(&format!("# {number}. ")));
        let row = title.map(|title| format!("\n| [{number}]({file}) | {title}"));
        match row {
            None => problems.push(format!("{file}: begins with '# {number}. ' and its title")),
            Some(row) if !index.contains(&row) => problems.push(format!("the index lacks: {}", row.trim())),
            Some(_) => {}
        }
    }
    assert!(next > 20, "the decisions were found");
    none_of(&problems, "things wrong in docs/adr");
}

#[test]
fn headings_are_named_as_github_names_them() {
    for (heading, expected) in [
        ("The Payment Link", "the-payment-link"),
        ("3. Telegram", "3-telegram"),
        ("What is in it, and what is not", "what-is-in-it-and-what-is-not"),
        ("`token-key` & `pseudonym_key`", "token-key--pseudonym_key"),
        ("Walkthrough 1: `/start ref_CODE`", "walkthrough-1-start-ref_code"),
        ("Déjà vu", "déjà-vu"),
    ] {
        assert_eq!(slug(heading), expected, "{heading}");
    }
    let page = "# A\n## Once\n```\n# no heading\n```\n## Once\n#no-heading\n";
    assert_eq!(anchors(page).into_iter().collect::<Vec<_>>(), ["a", "once", "once-1"]);
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = normal(&root().join("docs/deploy.md"));
    let text = "[a](gone.md), `[code](gone.md)`, [b `c`](adr/README.md)\n\n```\n[d](gone.md)\n```\n\
                `code that\ngoes [on](gone.md)` ![e](../README.md#gone)\n";
    let found = [(1, "gone.md"), (1, "adr/README.md"), (7, "../README.md#gone")];
    assert_eq!(links(text), found.map(|(line, target)| (line, target.to_owned())));
    assert_eq!(paths("`tests/gone.rs`, `tests/*`, `make test`"), [(1, "tests/gone.rs")]);
    assert_eq!(broken(&page, "gone.md").as_deref(), Some("no such file"));
    assert_eq!(broken(&page, "../README.md#gone").as_deref(), Some("no heading #gone in README.md"));
    assert_eq!(broken(&page, "#gone").as_deref(), Some("no heading #gone in docs/deploy.md"));
    assert_eq!(broken(&page, "../../elsewhere.md").as_deref(), Some("no such file"));
    assert_eq!(broken(&page, "adr/README.md"), None);
    assert_eq!(broken(&page, "#deploying"), None);
    assert_eq!(broken(&page, "https://example.com/#x"), None);
}
