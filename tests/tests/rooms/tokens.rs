//! Tokens of Rust source that matter for imports, without comments, literals and code for tests only.

/// A token and the line it starts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// An identifier, `::`, a string literal with its quotes, or one character.
    pub text: String,
    pub line: usize,
}

/// The tokens of `source`. Comments and lifetimes are dropped; raw identifiers lose their `r#`.
pub fn tokens(source: &str) -> Vec<Token> {
    let mut scanner = Scanner { rest: source, line: 1, found: Vec::new() };
    while !scanner.rest.is_empty() {
        scanner.step();
    }
    scanner.found
}

struct Scanner<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<Token>,
}

impl Scanner<'_> {
    fn step(&mut self) {
        let first = self.rest.chars().next().unwrap();
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.skip(block_comment(self.rest));
        } else if let Some(length) = string(self.rest) {
            self.take(length, self.rest[..length].to_owned());
        } else if first == '\'' {
            self.skip(char_or_lifetime(self.rest));
        } else if first.is_alphanumeric() || first == '_' {
            let raw = self.rest.strip_prefix("r#").unwrap_or(self.rest);
            let end = raw.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(raw.len());
            self.take(self.rest.len() - raw.len() + end, raw[..end].to_owned());
        } else if self.rest.starts_with("::") {
            self.take(2, "::".to_owned());
        } else if first.is_whitespace() {
            self.skip(first.len_utf8());
        } else {
            self.take(first.len_utf8(), first.to_string());
        }
    }

    fn take(&mut self, length: usize, text: String) {
        self.found.push(Token { text, line: self.line });
        self.skip(length);
    }

    fn skip(&mut self, length: usize) {
        self.line += self.rest[..length].matches('\n').count();
        self.rest = &self.rest[length..];
    }
}

/// The length of a block comment; they nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().unwrap().len_utf8();
        }
    }
    at
}

/// The length of the string literal at the start of `text`, of any kind that Rust has.
fn string(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r", "b", "c", ""].into_iter().find(|prefix| {
        let rest = text.strip_prefix(prefix).unwrap_or_default();
        let rest = if prefix.ends_with('r') { rest.trim_start_matches('#') } else { rest };
        rest.starts_with('"')
    })?;
    let rest = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = rest.find('"')?;
        let close = format!("\"{}", &rest[..hashes]);
        let body = hashes + 1;
        let end = rest[body..].find(&close).map_or(rest.len(), |at| body + at + close.len());
        return Some(prefix.len() + end);
    }
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(prefix.len() + at + 1),
            _ => {}
        }
    }
    Some(text.len())
}

/// The length of `'a'`, `'\n'`, or of the quote of a lifetime.
fn char_or_lifetime(text: &str) -> usize {
    let mut after = text[1..].char_indices();
    match (after.next(), after.next()) {
        (Some((_, '\\')), Some((at, c))) => {
            let escaped = 1 + at + c.len_utf8();
            text[escaped..].find('\'').map_or(text.len(), |end| escaped + end + 1)
        }
        (Some(_), Some((at, '\''))) => 1 + at + 1,
        _ => 1,
    }
}

/// Drops every item, field or statement under a `#[cfg(test)]` or `#[cfg(doc)]`, and all after a `#![cfg(test)]`.
pub fn without_tests(all: &[Token]) -> Vec<Token> {
    let text = |at: usize| all.get(at).map_or("", |token| token.text.as_str());
    let mut kept = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let inner = text(at) == "#" && text(at + 1) == "!" && text(at + 2) == "[";
        let outer = text(at) == "#" && text(at + 1) == "[";
        let bracket = if inner { at + 2 } else { at + 1 };
        if !(inner || outer) || !only_in_tests(&all[bracket..closing(all, bracket)]) {
            kept.push(all[at].clone());
            at += 1;
        } else if inner {
            break;
        } else {
            at = end_of_item(all, closing(all, bracket));
        }
    }
    kept
}

/// Returns whether an attribute, from its bracket on, is a `cfg` that is true in tests or documentation only.
fn only_in_tests(attribute: &[Token]) -> bool {
    let texts: Vec<_> = attribute.iter().map(|token| token.text.as_str()).collect();
    let wants = |inner: &[&str]| {
        // Imports for the links of the documentation are in no build either.
        inner == ["test"] || inner == ["doc"] || inner.starts_with(&["all", "(", "test", ","])
    };
    texts.starts_with(&["[", "cfg", "("]) && wants(&texts[3..texts.len() - 2])
}

/// The place after the bracket that closes the one at `open`.
pub fn closing(all: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in all.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    all.len()
}

const ITEMS: [&str; 16] = [
    "mod",
    "use",
    "fn",
    "impl",
    "struct",
    "enum",
    "trait",
    "const",
    "static",
    "type",
    "async",
    "unsafe",
    "extern",
    "macro_rules",
    "pub",
    "let",
];

/// The place after the item, field or statement that starts at `at`, perhaps with more attributes.
fn end_of_item(all: &[Token], mut at: usize) -> usize {
    let text = |at: usize| all.get(at).map_or("", |token| token.text.as_str());
    while text(at) == "#" {
        at = closing(all, at + 1);
    }
    let mut first = at;
    if text(first) == "pub" {
        first = if text(first + 1) == "(" { closing(all, first + 1) } else { first + 1 };
    }
    let is_item = ITEMS.contains(&text(first));
    let ends_in_semicolon = ["use", "let", "static", "type"].contains(&text(first))
        || text(first) == "const" && !["fn", "unsafe", "async", "extern"].contains(&text(first + 1));
    while at < all.len() {
        match text(at) {
            "}" | ")" | "]" => return at,
            ";" => return at + 1,
            "," if !is_item => return at + 1,
            "{" => {
                at = closing(all, at);
                if !ends_in_semicolon {
                    return at;
                }
            }
            "(" | "[" => at = closing(all, at),
            _ => at += 1,
        }
    }
    at
}
