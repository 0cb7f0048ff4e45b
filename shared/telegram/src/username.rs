//! The bot's username.

use std::fmt;

/// The text cannot be a username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a bot's username is 5 to 32 ASCII letters, digits or underscores, without the @")]
pub struct UsernameError;

/// A bot's username, without the `@`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BotUsername(String);

impl BotUsername {
    /// Reads a username.
    ///
    /// # Errors
    /// [`UsernameError`] for another length or another character.
    pub fn parse(text: impl Into<String>) -> Result<Self, UsernameError> {
        let text = text.into();
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let well_formed = (5..=32).contains(&text.len()) && text.bytes().all(allowed);
        if well_formed { Ok(Self(text)) } else { Err(UsernameError) }
    }

    /// The username's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BotUsername {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_telegram_allows() {
        for good in ["gbot5", "Guerdon_Bot", &"x".repeat(32)] {
            assert_eq!(BotUsername::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "gbot", "@GuerdonBot", "guerdon-bot", "guerdon bot", "guérdon", &"x".repeat(33)] {
            assert_eq!(BotUsername::parse(bad), Err(UsernameError), "{bad}");
        }
    }
}
