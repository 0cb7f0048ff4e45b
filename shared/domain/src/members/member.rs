//! The member: a Telegram user of the business.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    ids::{ClickId, CustomerId, FraudFlagId, MemberId, TelegramId},
    referrals::Code,
    time::Timestamp,
};

/// A Telegram user of the business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The pseudonym.
    pub id: MemberId,
    /// The chat that messages are sent to.
    pub telegram_id: TelegramId,
    /// The first name from Telegram; empty for a customer who has not started the bot.
    #[serde(default)]
    pub first_name: String,
    /// The last name from Telegram.
    pub last_name: Option<String>,
    /// The Telegram username, without the `@`.
    pub username: Option<String>,
    /// The IETF language tag of the user's app.
    pub language: Option<String>,
    /// The first `/start`; absent for a customer who has not started the bot.
    pub joined: Option<Joined>,
    /// The code they share, from the first time that they asked for one.
    pub code: Option<MemberCode>,
    /// The Stripe customer they pay as.
    pub customer: Option<CustomerId>,
    /// True when they blocked the bot: no messages are sent.
    #[serde(default)]
    pub blocked_bot: bool,
    /// True when an operator has barred them from rewards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub barred: bool,
    /// Fraud flags in force that hold their commissions. Only update expressions change this set.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub holds: BTreeSet<FraudFlagId>,
    /// Fraud flags in force that exclude them from rewards, and hold their commissions. Only update expressions change this set.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rejects: BTreeSet<FraudFlagId>,
}

/// A member's first `/start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The instant of the update.
    pub at: Timestamp,
    /// The id of the update, by which a redelivery is recognised.
    pub update_id: i64,
    /// The member who brought them.
    pub referrer: Option<MemberId>,
    /// The click that brought them, from the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click: Option<ClickId>,
}

/// The code a member shares at present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberCode {
    /// The code.
    pub code: Code,
    /// The instant from which it is refused.
    pub expires_at: Timestamp,
}

impl Member {
    /// True when they get no rewards and cannot withdraw, because of an operator's decision or a fraud flag.
    pub fn is_barred(&self) -> bool {
        self.barred || !self.rejects.is_empty()
    }

    /// True when a fraud flag holds their commissions. A flag that rejects them holds as well.
    pub fn is_on_hold(&self) -> bool {
        !self.holds.is_empty() || !self.rejects.is_empty()
    }
}
