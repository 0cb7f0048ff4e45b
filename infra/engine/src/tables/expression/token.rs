//! Words, signs and placeholders of an expression, and the parts that all expressions share.

use std::{collections::HashSet, sync::LazyLock};

use super::{Path, Step, Used};
use crate::tables::error::{Refusal, invalid};

/// Words that cannot name an attribute without a placeholder; AWS's list of 573.
static RESERVED: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("reserved.txt").lines().collect());

/// Signs, longest first.
const SIGNS: [&str; 14] = ["<>", "<=", ">=", "=", "<", ">", "+", "-", "(", ")", "[", "]", ",", "."];

/// A piece of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An attribute, a function or a keyword.
    Word(&'a str),
    /// A list index.
    Digits(&'a str),
    /// `#name`.
    Name(&'a str),
    /// `:value`.
    Value(&'a str),
    /// One of [`SIGNS`].
    Sign(&'static str),
}

/// Reads an expression token by token and collects the placeholders.
pub(super) struct Cursor<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
    used: Used,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self, Refusal> {
        let mut tokens = Vec::new();
        let mut rest = text.trim_start();
        if rest.is_empty() {
            return invalid("Invalid expression: The expression can not be empty");
        }
        while let Some(first) = rest.chars().next() {
            let word = |from: usize| {
                let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
                rest[from..].find(ends).map_or(rest.len(), |end| from + end)
            };
            let (token, length) = match first {
                '#' | ':' if word(1) > 1 => {
                    let name = &rest[..word(1)];
                    (if first == '#' { Token::Name(name) } else { Token::Value(name) }, name.len())
                }
                'a'..='z' | 'A'..='Z' | '_' => (Token::Word(&rest[..word(0)]), word(0)),
                '0'..='9' => (Token::Digits(&rest[..word(0)]), word(0)),
                _ => match SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
                    Some(sign) => (Token::Sign(sign), sign.len()),
                    None => {
                        return invalid(format!(
                            "Invalid expression: Syntax error; token: {first:?} in {text:?}"
                        ));
                    }
                },
            };
            tokens.push(token);
            rest = rest[length..].trim_start();
        }
        Ok(Self { text, tokens, at: 0, used: Used::default() })
    }

    pub(super) fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Takes the sign if it comes next.
    pub(super) fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(next)) if next == sign);
        self.at += usize::from(found);
        found
    }

    /// Takes the keyword if it comes next, in upper or lower case.
    pub(super) fn takes_keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(next)) if next.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), Refusal> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The function that begins here, its parenthesis taken too.
    pub(super) fn function(&mut self) -> Option<&'a str> {
        match (self.peek(), self.tokens.get(self.at + 1)) {
            (Some(Token::Word(name)), Some(Token::Sign("("))) => {
                self.at += 2;
                Some(name)
            }
            _ => None,
        }
    }

    /// A `:value`, if one comes next.
    pub(super) fn value(&mut self) -> Option<usize> {
        let Some(Token::Value(name)) = self.peek() else { return None };
        self.at += 1;
        Some(place_of(&mut self.used.values, name))
    }

    /// A document path.
    pub(super) fn path(&mut self) -> Result<Path, Refusal> {
        let mut steps = vec![self.name()?];
        loop {
            if self.takes(".") {
                steps.push(self.name()?);
            } else if self.takes("[") {
                let index = match self.peek() {
                    Some(Token::Digits(digits)) => digits.parse().map_err(|_| self.unexpected())?,
                    _ => return Err(self.unexpected()),
                };
                self.at += 1;
                self.expect("]")?;
                steps.push(Step::Index(index));
            } else {
                return Ok(Path(steps));
            }
        }
    }

    fn name(&mut self) -> Result<Step, Refusal> {
        let step = match self.peek() {
            Some(Token::Word(word)) if RESERVED.contains(word.to_ascii_uppercase().as_str()) => {
                return invalid(format!(
                    "Invalid expression: Attribute name is a reserved keyword; reserved keyword: {word}"
                ));
            }
            Some(Token::Word(word)) => Step::Attribute(word.to_owned()),
            Some(Token::Name(name)) => Step::Name(place_of(&mut self.used.names, name)),
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(step)
    }

    /// The refusal of what comes next.
    pub(super) fn unexpected(&self) -> Refusal {
        let token = match self.peek() {
            Some(Token::Word(text) | Token::Digits(text) | Token::Name(text) | Token::Value(text)) => text,
            Some(Token::Sign(sign)) => sign,
            None => "<EOF>",
        };
        Refusal::Validation(format!("Invalid expression: Syntax error; token: {token:?} in {:?}", self.text))
    }

    /// The placeholders, when nothing is left over.
    pub(super) fn finish(self) -> Result<Used, Refusal> {
        if self.peek().is_some() { Err(self.unexpected()) } else { Ok(self.used) }
    }
}

fn place_of(known: &mut Vec<String>, name: &str) -> usize {
    known.iter().position(|other| other == name).unwrap_or_else(|| {
        known.push(name.to_owned());
        known.len() - 1
    })
}
