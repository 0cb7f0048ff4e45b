//! Commands, and payloads of start links.

use guerdon_domain::{ids::ClickId, referrals::Code};

/// The commands in Telegram's menu, with their English descriptions. Operators' commands are left out.
pub const MENU: [(&str, &str); 8] = [
    ("recruit", "Your code and link to share"),
    ("credits", "Your credits and how you earned them"),
    ("plans", "Plans and prices"),
    ("profile", "Who invited you, whom you invited"),
    ("help", "How it works"),
    ("paysupport", "Help with a payment"),
    ("privacy", "What we keep about you"),
    ("terms", "The terms of service"),
];

/// The additional entry of the menu where members can withdraw.
pub const MENU_WITHDRAW: (&str, &str) = ("withdraw", "Have your earnings paid out");

/// Longest command that Telegram accepts, and longest payload of a start link.
const MAX_COMMAND: usize = 32;
const MAX_PAYLOAD: usize = 64;

/// A command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `/start`, with the payload of the link.
    Start(StartPayload),
    /// `/recruit`
    Recruit,
    /// `/credits`
    Credits,
    /// `/plans`
    Plans,
    /// `/profile`
    Profile,
    /// `/help`
    Help,
    /// `/privacy`
    Privacy,
    /// `/terms`
    Terms,
    /// `/paysupport`
    PaySupport,
    /// `/withdraw`, with the text that followed it.
    Withdraw(String),
    /// `/wallet`
    Wallet,
    /// `/shop`
    Shop,
    /// `/admin`
    Admin,
    /// `/set_discount`, with the text that followed it.
    SetDiscount(String),
    /// Any other, by its name in lower case.
    Unknown(String),
}

impl Command {
    /// Reads a message's text as a command to the bot named `bot_username`. None for a text that is no
    /// command, and for a command that is addressed to another bot of the same group.
    pub fn parse(text: &str, bot_username: &str) -> Option<Self> {
        let (head, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let (name, addressee) = match head.strip_prefix('/')?.split_once('@') {
            Some((name, addressee)) => (name, Some(addressee)),
            None => (head.strip_prefix('/')?, None),
        };
        let well_formed = (1..=MAX_COMMAND).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let ours = addressee.is_none_or(|bot| bot.eq_ignore_ascii_case(bot_username));
        (well_formed && ours).then(|| Self::named(&name.to_ascii_lowercase(), rest.trim()))
    }

    fn named(name: &str, rest: &str) -> Self {
        match name {
            "start" => Self::Start(StartPayload::parse(rest)),
            "recruit" => Self::Recruit,
            "credits" => Self::Credits,
            "plans" => Self::Plans,
            "profile" => Self::Profile,
            "help" => Self::Help,
            "privacy" => Self::Privacy,
            "terms" => Self::Terms,
            "paysupport" => Self::PaySupport,
            "withdraw" => Self::Withdraw(rest.to_owned()),
            "wallet" => Self::Wallet,
            "shop" => Self::Shop,
            "admin" => Self::Admin,
            "set_discount" => Self::SetDiscount(rest.to_owned()),
            _ => Self::Unknown(name.to_owned()),
        }
    }
}

/// The payload of `/start`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartPayload {
    /// No payload: the bot was opened without a link.
    Empty,
    /// A referral code, bare or as `ref_<code>`.
    Referral(Code),
    /// A referral code with the id of the click on a shared link, as `ref_<code>-<click>`.
    Clicked(Code, ClickId),
    /// `p_<product>`: the link of a product.
    Product(String),
    /// A payload that none of our links carries.
    Unreadable,
}

impl StartPayload {
    /// Reads a payload.
    pub fn parse(payload: &str) -> Self {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if payload.is_empty() {
            return Self::Empty;
        }
        if payload.len() > MAX_PAYLOAD || !payload.bytes().all(allowed) {
            return Self::Unreadable;
        }
        if let Some(product) = payload.strip_prefix("p_").filter(|product| !product.is_empty()) {
            return Self::Product(product.to_owned());
        }
        let code = payload.strip_prefix("ref_").unwrap_or(payload);
        if let Some((code, click)) = code.split_once('-') {
            return match (Code::parse(code), ClickId::parse(click)) {
                (Ok(code), Ok(click)) => Self::Clicked(code, click),
                _ => Self::Unreadable,
            };
        }
        Code::parse(code).map_or(Self::Unreadable, Self::Referral)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<Command>) {
        assert_eq!(Command::parse(text, "GuerdonBot"), expect, "{text}");
    }

    #[test]
    fn every_command_has_its_name() {
        check("/recruit", Some(Command::Recruit));
        check("/credits", Some(Command::Credits));
        check("/plans", Some(Command::Plans));
        check("/profile", Some(Command::Profile));
        check("/help", Some(Command::Help));
        check("/privacy", Some(Command::Privacy));
        check("/terms", Some(Command::Terms));
        check("/paysupport", Some(Command::PaySupport));
        check("/withdraw", Some(Command::Withdraw(String::new())));
        check("/withdraw 500 upi a@b ", Some(Command::Withdraw("500 upi a@b".into())));
        check("/wallet", Some(Command::Wallet));
        check("/shop", Some(Command::Shop));
        check("/admin", Some(Command::Admin));
        check("/set_discount  15 % ", Some(Command::SetDiscount("15 %".into())));
        check("/Recruit now please", Some(Command::Recruit));
        check("/frobnicate", Some(Command::Unknown("frobnicate".into())));
        for (name, _) in MENU.into_iter().chain([MENU_WITHDRAW]) {
            let command = Command::parse(&format!("/{name}"), "GuerdonBot");
            assert!(!matches!(command, None | Some(Command::Unknown(_))), "{name}");
        }
    }

    #[test]
    fn only_what_is_for_us_is_a_command() {
        check("/HELP@guerdonbot", Some(Command::Help));
        for text in
            ["/help@OtherBot", "/help@", "help", " /help", "/", "/ help", "//", "/usr/bin", "/hélp", "@x"]
        {
            check(text, None);
        }
        check(&format!("/{}", "a".repeat(33)), None);
    }

    #[test]
    fn start_links() {
        let code = || StartPayload::Referral(Code::parse("ABCD2345").unwrap());
        let check = |text: &str, payload| check(text, Some(Command::Start(payload)));
        check("/start", StartPayload::Empty);
        check("/start ", StartPayload::Empty);
        check("/start ref_ABCD2345", code());
        check("/start@GuerdonBot ref_abcd2345", code());
        check("/start\nabcd2345", code());
        check("/start p_gold-pack_1", StartPayload::Product("gold-pack_1".into()));
        for bad in ["ref_", "ref_ABCD234O", "p_", "ABCD234", "ABCD2345 x", "ref_ABCD2345é", "p_<b>", "x=1"] {
            check(&format!("/start {bad}"), StartPayload::Unreadable);
        }
        check(&format!("/start p_{}", "x".repeat(62)), StartPayload::Product("x".repeat(62)));
        check(&format!("/start p_{}", "x".repeat(63)), StartPayload::Unreadable);
    }
}
