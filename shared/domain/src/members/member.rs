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
    /// Where messages go.
    pub telegram_id: TelegramId,
    /// As Telegram gives it; empty for a customer who has not met the bot.
    #[serde(default)]
    pub first_name: String,
    /// As Telegram gives it.
    pub last_name: Option<String>,
    /// Without the `@`.
    pub username: Option<String>,
    /// IETF tag of the user's app.
    pub language: Option<String>,
    /// How they joined; absent for a customer who has not met the bot.
    pub joined: Option<Joined>,
    /// The code they share, once they asked for one.
    pub code: Option<MemberCode>,
    /// The Stripe customer they pay as.
    pub customer: Option<CustomerId>,
    /// They blocked the bot: nothing is sent.
    #[serde(default)]
    pub blocked_bot: bool,
    /// An operator has barred them from rewards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub barred: bool,
    /// Fraud flags in force that hold their commissions. A set that only updates keep.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub holds: BTreeSet<FraudFlagId>,
    /// Fraud flags in force that keep them from earning. A set that only updates keep.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rejects: BTreeSet<FraudFlagId>,
    /// Their own latest payment, where the program asks for it. Kept by the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_paid_at: Option<Timestamp>,
}

/// The first `/start`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// When.
    pub at: Timestamp,
    /// The update that did it, by which a redelivery is recognised.
    pub update_id: i64,
    /// Who brought them.
    pub referrer: Option<MemberId>,
    /// The click by which they came, as the link said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click: Option<ClickId>,
}

/// The code a member shares at present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberCode {
    /// The code.
    pub code: Code,
    /// From then on it is refused.
    pub expires_at: Timestamp,
}

impl Member {
    /// They earn nothing and cannot withdraw: an operator or a fraud flag says so.
    pub fn is_barred(&self) -> bool {
        self.barred || !self.rejects.is_empty()
    }

    /// A fraud flag holds what they have earned.
    pub fn is_on_hold(&self) -> bool {
        !self.holds.is_empty()
    }
}
