//! Links into Telegram.

use guerdon_domain::{ids::ClickId, referrals::Code};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::username::BotUsername;

/// All characters but those that RFC 3986 calls unreserved.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Makes the link that opens the bot with a referral code.
pub fn deep_link(bot: &BotUsername, code: &Code) -> String {
    format!("https://t.me/{bot}?start=ref_{code}")
}

/// Like [`deep_link`], also carries the click's id, so that the origin of the new member is known.
pub fn click_link(bot: &BotUsername, code: &Code, click: &ClickId) -> String {
    format!("{}-{click}", deep_link(bot, code))
}

/// Makes the link that opens Telegram's dialog for sharing `url` with a text.
pub fn share_link(url: &str, text: &str) -> String {
    let encode = |part| utf8_percent_encode(part, QUERY);
    format!("https://t.me/share/url?url={}&text={}", encode(url), encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links() {
        let bot = BotUsername::parse("GuerdonBot").unwrap();
        let link = deep_link(&bot, &Code::parse("abcd2345").unwrap());
        assert_eq!(link, "https://t.me/GuerdonBot?start=ref_ABCD2345");
        assert_eq!(
            share_link(&link, "Join & earn 10 %"),
            "https://t.me/share/url?url=https%3A%2F%2Ft.me%2FGuerdonBot%3Fstart%3Dref_ABCD2345&text=Join%20%26%20earn%2010%20%25"
        );
    }
}
