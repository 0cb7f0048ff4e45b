//! An intent and its states.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{IntentId, MemberId},
    members::PseudonymKey,
    money::Money,
    time::Timestamp,
    withdrawals::SealedDestination,
};

/// Seconds for which an intent can be used.
pub const VALID_SECONDS: i64 = 15 * 60;

/// The kinds of action. A member has at most one intent of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActionKind {
    /// Asks for a withdrawal.
    Withdraw,
    /// Claims rewards.
    Claim,
}

impl ActionKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Withdraw, Self::Claim];

    /// The kind's name in keys and in buttons.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Withdraw => "withdraw",
            Self::Claim => "claim",
        }
    }

    /// Reads a kind's name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// The action of an intent, with the figures that the member was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Asks for a withdrawal.
    Withdraw {
        /// The amount.
        amount: Money,
        /// The destination, sealed for the intent.
        destination: SealedDestination,
    },
    /// Claims the rewards that are worth this.
    Claim {
        /// One sum for each currency.
        amounts: Vec<Money>,
    },
}

impl Action {
    /// The kind.
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::Withdraw { .. } => ActionKind::Withdraw,
            Self::Claim { .. } => ActionKind::Claim,
        }
    }
}

/// The state of an intent. An open one ends by itself when its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum IntentState {
    /// The button can be used.
    Open,
    /// The action was done.
    Used {
        /// The instant.
        closed_at: Timestamp,
    },
    /// The member decided against it.
    Cancelled {
        /// The instant.
        closed_at: Timestamp,
    },
}

impl IntentState {
    /// The state's name as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Used { .. } => "used",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

/// The reason why an intent cannot be used or cancelled any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The action was done before.
    #[error("the intent was used")]
    Used,
    /// It was cancelled.
    #[error("the intent was cancelled")]
    Cancelled,
    /// Its time is over.
    #[error("the intent has expired")]
    Expired,
}

/// What a button will do for one member. Its id is the idempotency key of the action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The id, which the button carries.
    pub id: IntentId,
    /// The member who was shown the button.
    pub member: MemberId,
    /// The action, with the figures that were shown.
    pub action: Action,
    /// The instant at which the button was made.
    pub opened_at: Timestamp,
    /// The instant from which the button does nothing.
    pub expires_at: Timestamp,
    /// The state.
    #[serde(flatten)]
    pub state: IntentState,
}

impl Intent {
    /// Names the intent that `member` gets for an action by a message or tap with the natural key `cause`. A
    /// repeated update gives the same id.
    pub fn id_for(key: &PseudonymKey, member: &MemberId, kind: ActionKind, cause: &str) -> IntentId {
        let input = format!("{member}|{}|{cause}", kind.as_str());
        IntentId::of(member, &key.subkey("intent", input.as_bytes())[..8])
    }

    /// Makes an open intent.
    pub fn open(id: IntentId, member: MemberId, action: Action, now: Timestamp) -> Self {
        let expires_at = now.plus_seconds(VALID_SECONDS);
        Self { id, member, action, opened_at: now, expires_at, state: IntentState::Open }
    }

    const fn check_open(&self, now: Timestamp) -> Result<(), Closed> {
        match self.state {
            IntentState::Used { .. } => Err(Closed::Used),
            IntentState::Cancelled { .. } => Err(Closed::Cancelled),
            IntentState::Open if now.millis() >= self.expires_at.millis() => Err(Closed::Expired),
            IntentState::Open => Ok(()),
        }
    }

    /// Uses it.
    ///
    /// # Errors
    /// [`Closed`] unless it is open and its time is not over.
    pub fn use_up(self, now: Timestamp) -> Result<Self, Closed> {
        self.check_open(now)?;
        Ok(Self { state: IntentState::Used { closed_at: now }, ..self })
    }

    /// Cancels it.
    ///
    /// # Errors
    /// [`Closed`] unless it is open and its time is not over.
    pub fn cancel(self, now: Timestamp) -> Result<Self, Closed> {
        self.check_open(now)?;
        Ok(Self { state: IntentState::Cancelled { closed_at: now }, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    const OPENED: Timestamp = Timestamp::from_seconds(1_000_000);

    fn member(digit: char) -> MemberId {
        MemberId::parse(digit.to_string().repeat(32)).unwrap()
    }

    fn opened() -> Intent {
        let key = PseudonymKey::try_new(vec![7; 32]).unwrap();
        let id = Intent::id_for(&key, &member('a'), ActionKind::Claim, "message-5");
        let amounts = vec![Money::new(30, Currency::DAY)];
        Intent::open(id, member('a'), Action::Claim { amounts }, OPENED)
    }

    #[test]
    fn each_state_allows_its_steps_and_no_others() {
        let end = OPENED.plus_seconds(VALID_SECONDS);
        let soon = OPENED.plus_seconds(1);
        let used = opened().use_up(soon).unwrap();
        let cancelled = opened().cancel(soon).unwrap();
        let last = Timestamp::from_millis(end.millis() - 1);
        for (intent, at, expect) in [
            (opened(), OPENED, None),
            (opened(), last, None),
            (opened(), end, Some(Closed::Expired)),
            (used.clone(), soon, Some(Closed::Used)),
            (used, end, Some(Closed::Used)),
            (cancelled.clone(), soon, Some(Closed::Cancelled)),
            (cancelled, end, Some(Closed::Cancelled)),
        ] {
            assert_eq!(intent.clone().use_up(at).err(), expect, "{intent:?} at {at}");
            assert_eq!(intent.clone().cancel(at).err(), expect, "{intent:?} at {at}");
        }
    }

    #[test]
    fn an_id_follows_from_member_action_and_cause() {
        let key = |byte| PseudonymKey::try_new(vec![byte; 32]).unwrap();
        let id = |byte, who, kind, cause| Intent::id_for(&key(byte), &member(who), kind, cause);
        let first = id(7, 'a', ActionKind::Claim, "message-5");
        assert_eq!(first, opened().id);
        assert_eq!((first.as_str().len(), &first.as_str()[..8]), (24, "aaaaaaaa"));
        for other in [
            id(8, 'a', ActionKind::Claim, "message-5"),
            id(7, 'b', ActionKind::Claim, "message-5"),
            id(7, 'a', ActionKind::Withdraw, "message-5"),
            id(7, 'a', ActionKind::Claim, "tap-5"),
        ] {
            assert_ne!(other, first);
        }
        assert!(first.may_be_of(&member('a')) && !first.may_be_of(&member('b')));
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let now = OPENED.plus_seconds(1);
        for intent in [opened(), opened().use_up(now).unwrap(), opened().cancel(now).unwrap()] {
            let json = serde_json::to_value(&intent).unwrap();
            assert_eq!(
                (&json["state"], &json["action"]["kind"]),
                (&intent.state.as_str().into(), &"claim".into())
            );
            assert_eq!(serde_json::from_value::<Intent>(json).unwrap(), intent);
        }
        for kind in ActionKind::ALL {
            assert_eq!(ActionKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(ActionKind::parse("spend"), None);
    }
}
