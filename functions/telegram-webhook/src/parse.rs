//! Reads the meaning of an update from the update alone.

use guerdon_domain::{ids::ClickId, referrals::Code};
use guerdon_telegram::{
    command::{Command, StartPayload},
    nav::{Nav, Period},
    spend::Spend,
    update::{Callback, ChatKind, Message, PreCheckoutQuery, Update, UpdateKind, User, Words},
};

use crate::reply::Place;

/// The request that an update makes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning<'a> {
    /// Nothing.
    Nothing,
    /// A user starts, perhaps with a friend's code and the click on its link.
    Start { user: &'a User, code: Option<Code>, click: Option<ClickId> },
    /// A user asks for a page. The cause is the natural key of the message or tap.
    Show { user: &'a User, topic: Topic, place: Place, cause: String },
    /// A user decides about something that moves money.
    Spend { tap: &'a Callback, spend: Spend },
    /// A user tapped a button that the bot does not know.
    StrayTap(&'a Callback),
    /// A user blocked the bot or lets it write again.
    Block { user: &'a User, blocked: bool },
    /// A user is about to pay with Stars.
    PreCheckout(&'a PreCheckoutQuery),
    /// Money moved, in Stars: an update of this kind.
    Money(&'static str),
}

/// The subject of a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Help,
    Privacy,
    Terms,
    PaySupport,
    Plans,
    SignIn,
    NotOffered,
    Unknown,
    UnreadableLink,
    /// A message in words that are not the user's own, about something that needs them.
    OthersWords,
    /// The member who asks.
    Member(MemberTopic),
}

/// A subject of which a page shows the asking member's own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum MemberTopic {
    Recruit,
    Statement {
        before: Option<u64>,
    },
    Withdrawals,
    /// Asks for a withdrawal, with the line that says which.
    Withdraw(String),
    Profile,
    Leaderboard(Period),
}

/// Reads the meaning of `update` to the bot named `username`.
pub(crate) fn meaning<'a>(update: &'a Update, username: &str) -> Meaning<'a> {
    match &update.kind {
        UpdateKind::Message(message) => of_message(message, username),
        UpdateKind::Callback(tap) => of_tap(tap),
        UpdateKind::PreCheckout(query) => Meaning::PreCheckout(query),
        UpdateKind::MyChatMember { user, blocked, .. } => Meaning::Block { user, blocked: *blocked },
        UpdateKind::SuccessfulPayment { .. } => Meaning::Money("successful_payment"),
        UpdateKind::RefundedPayment { .. } => Meaning::Money("refunded_payment"),
        UpdateKind::StarsSubscription { .. } => Meaning::Money("subscription"),
        UpdateKind::Other(_) => Meaning::Nothing,
    }
}

fn of_message<'a>(message: &'a Message, username: &str) -> Meaning<'a> {
    let (Some(user), Some(text)) = (&message.from, &message.text) else { return Meaning::Nothing };
    if message.chat.kind != ChatKind::Private || user.is_bot {
        return Meaning::Nothing;
    }
    let topic = match Command::parse(text, username) {
        Some(Command::Start(StartPayload::Unreadable)) => Topic::UnreadableLink,
        Some(Command::Start(payload)) => return start(user, payload).in_words_of(message),
        Some(command) => of_command(command),
        None => match Code::parse(text.trim()) {
            // A code sent by itself is a start: some clients swallow the second tap on a link.
            Ok(code) => {
                return Meaning::Start { user, code: Some(code), click: None }.in_words_of(message);
            }
            Err(_) => Topic::Unknown,
        },
    };
    Meaning::Show { user, topic, place: Place::Below, cause: cause_of(message) }.in_words_of(message)
}

/// A message's number is never used again within its chat, and only private chats come this far.
fn cause_of(message: &Message) -> String {
    format!("message-{}", message.message_id)
}

impl Meaning<'_> {
    /// True when it changes something that the user answers for: money, who their referrer is for ever, or a link
    /// that signs in. The rest only shows something.
    const fn needs_own_words(&self) -> bool {
        matches!(
            self,
            Self::Start { code: Some(_), .. }
                | Self::Show { topic: Topic::SignIn | Topic::Member(MemberTopic::Withdraw(_)), .. }
        )
    }

    /// The meaning in the words that the message has: those of others decide nothing.
    fn in_words_of(self, message: &Message) -> Self {
        match self {
            meaning if message.words == Words::Own || !meaning.needs_own_words() => meaning,
            // To others there is no such command.
            Self::Show { user, topic: Topic::SignIn, place, cause } => {
                Self::Show { user, topic: Topic::Unknown, place, cause }
            }
            Self::Show { user, .. } | Self::Start { user, .. } => {
                let (topic, place) = (Topic::OthersWords, Place::Below);
                Self::Show { user, topic, place, cause: cause_of(message) }
            }
            other => other,
        }
    }
}

fn start(user: &User, payload: StartPayload) -> Meaning<'_> {
    let (code, click) = match payload {
        StartPayload::Referral(code) => (Some(code), None),
        StartPayload::Clicked(code, click) => (Some(code), Some(click)),
        StartPayload::Empty | StartPayload::Product(_) | StartPayload::Unreadable => (None, None),
    };
    Meaning::Start { user, code, click }
}

fn of_command(command: Command) -> Topic {
    match command {
        Command::Recruit => Topic::Member(MemberTopic::Recruit),
        Command::Credits => Topic::Member(MemberTopic::Statement { before: None }),
        Command::Profile => Topic::Member(MemberTopic::Profile),
        Command::Withdraw(line) if line.is_empty() => Topic::Member(MemberTopic::Withdrawals),
        Command::Withdraw(line) => Topic::Member(MemberTopic::Withdraw(line)),
        Command::Plans => Topic::Plans,
        Command::Help => Topic::Help,
        Command::Privacy => Topic::Privacy,
        Command::Terms => Topic::Terms,
        Command::PaySupport => Topic::PaySupport,
        Command::Admin => Topic::SignIn,
        Command::Wallet | Command::Shop => Topic::NotOffered,
        Command::Start(_) | Command::SetDiscount(_) | Command::Unknown(_) => Topic::Unknown,
    }
}

fn of_tap(tap: &Callback) -> Meaning<'_> {
    if let Some(spend) = tap.spend() {
        return Meaning::Spend { tap, spend };
    }
    let Some(nav) = tap.nav() else { return Meaning::StrayTap(tap) };
    let topic = match nav {
        Nav::Help => Topic::Help,
        Nav::Plans => Topic::Plans,
        Nav::Recruit => Topic::Member(MemberTopic::Recruit),
        Nav::Leaderboard(period) => Topic::Member(MemberTopic::Leaderboard(period)),
        Nav::Credits { cursor } => Topic::Member(MemberTopic::Statement { before: cursor }),
        Nav::Withdraw => Topic::Member(MemberTopic::Withdrawals),
        Nav::Profile => Topic::Member(MemberTopic::Profile),
    };
    Meaning::Show { user: &tap.from, topic, place: Place::of(tap), cause: format!("tap-{}", tap.id) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(update: &Value, expect: &str) {
        let update = Update::from_value(update).unwrap();
        let (user, meaning) = match meaning(&update, "guerdon_bot") {
            Meaning::Show { user, topic, place, .. } => (Some(user), format!("{topic:?} {place:?}")),
            Meaning::Start { user, code, click } => {
                let code = code.map(|code| code.as_str().to_owned());
                (Some(user), format!("Start {code:?} {}", click.is_some()))
            }
            other => (None, format!("{other:?}").split(['(', ' ']).next().unwrap().to_owned()),
        };
        assert_eq!(meaning, expect, "{update:?}");
        assert!(user.is_none_or(|user| user.id.get() == 5001));
    }

    fn message(text: &str, chat: &str) -> Value {
        json!({ "update_id": 7, "message": {
            "message_id": 1, "date": 1_790_000_000, "text": text,
            "chat": { "id": 5001, "type": chat }, "from": { "id": 5001, "is_bot": false, "first_name": "Ada" },
        } })
    }

    #[test]
    fn messages() {
        for (text, expect) in [
            ("/start", "Start None false"),
            ("/start p_gold", "Start None false"),
            ("/start ref_ABCD2345", "Start Some(\"ABCD2345\") false"),
            (" abcd2345 ", "Start Some(\"ABCD2345\") false"),
            ("/start x=1", "UnreadableLink Below"),
            ("/recruit@guerdon_bot", "Member(Recruit) Below"),
            ("/credits", "Member(Statement { before: None }) Below"),
            ("/withdraw", "Member(Withdrawals) Below"),
            ("/withdraw 500 upi a@b", "Member(Withdraw(\"500 upi a@b\")) Below"),
            ("/profile", "Member(Profile) Below"),
            ("/admin", "SignIn Below"),
            ("/shop", "NotOffered Below"),
            ("/set_discount 15", "Unknown Below"),
            ("hello", "Unknown Below"),
        ] {
            check(&message(text, "private"), expect);
            check(&message(text, "group"), "Nothing");
        }
    }

    #[test]
    fn taps() {
        let tap = |data: &str, message: Value| {
            json!({ "update_id": 7, "callback_query": {
                "id": "1", "chat_instance": "1", "data": data, "message": message,
                "from": { "id": 5001, "is_bot": false, "first_name": "Ada" },
            } })
        };
        let at =
            |date: i64| json!({ "message_id": 9, "date": date, "chat": { "id": 5001, "type": "private" } });
        check(&tap("nav:credits:5", at(1)), "Member(Statement { before: Some(5) }) InPlaceOf(9)");
        check(&tap("nav:top:week", at(1)), "Member(Leaderboard(Week)) InPlaceOf(9)");
        // Telegram dates a message zero that is too old to be edited.
        check(&tap("nav:help", at(0)), "Help Below");
        check(&tap("spend:everything", at(1)), "StrayTap");
    }
}
