//! A withdrawal and its states.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{BatchId, MemberId, WithdrawalId},
    money::Money,
    operators::Stamp,
    time::Timestamp,
    wallets::WalletKind,
    withdrawals::{PayoutMethod, SealedDestination},
};

/// The rules of withdrawing, as a preset sets them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalRules {
    /// The wallet that is paid out.
    pub wallet: WalletKind,
    /// The smallest amount of a request.
    pub minimum: Money,
    /// The number of seconds from one request to the next, unless the first was rejected.
    #[serde(default)]
    pub cool_down_seconds: i64,
    /// True when the operator who pays must not be the one who approved.
    #[serde(default)]
    pub four_eyes: bool,
    /// The methods of payout.
    pub methods: Vec<PayoutMethod>,
}

/// The state of a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawalState {
    /// Requested; the money is held.
    Requested,
    /// Approved by an operator.
    Approved,
    /// Claimed by the operator who pays it: the money may have left.
    Paying,
    /// The money has left, with proof.
    Paid,
    /// Rejected; the money is available again.
    Rejected,
    /// The payout failed for good; the money is available again.
    Failed,
}

impl WithdrawalState {
    /// The state's name in keys and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Approved => "approved",
            Self::Paying => "paying",
            Self::Paid => "paid",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }

    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Requested, Self::Approved, Self::Paying, Self::Paid, Self::Rejected, Self::Failed];

    /// Reads a state's name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// True when its state cannot change any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Paid | Self::Rejected | Self::Failed)
    }
}

/// A member's request to be paid out. It holds its whole history, so it is its own audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// `{member}-{seq}`.
    pub id: WithdrawalId,
    /// The member whose money it is.
    pub member: MemberId,
    /// The number of the wallet's entry that holds the money.
    pub seq: u64,
    /// The wallet it comes from.
    pub wallet: WalletKind,
    /// The amount.
    pub amount: Money,
    /// The destination, sealed.
    pub destination: SealedDestination,
    /// The idempotency key of the request: the same key never makes a second withdrawal.
    pub request_key: String,
    /// The instant of the request.
    pub requested_at: Timestamp,
    /// The step that it has reached, with the facts known at that point.
    #[serde(flatten)]
    pub step: Step,
}

/// A step of a withdrawal, with the facts known at that point and no others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Step {
    /// Requested; the money is held.
    Requested,
    /// Approved by an operator.
    Approved {
        /// The operator, and the instant.
        approved: Stamp,
    },
    /// Claimed by the operator who pays it: the money may have left.
    Paying(Claim),
    /// The money has left.
    Paid {
        /// The claim under which it was paid.
        #[serde(flatten)]
        claim: Claim,
        /// The operator who recorded it, and the instant.
        closed: Stamp,
        /// The payout's reference at the bank or provider.
        proof: String,
    },
    /// Rejected; the money is available again.
    Rejected {
        /// The approval before that, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approved: Option<Stamp>,
        /// The operator who rejected it, and the instant.
        closed: Stamp,
        /// The reason.
        reason: String,
    },
    /// The payout failed for good; the money is available again.
    Failed {
        /// The claim under which it was tried.
        #[serde(flatten)]
        claim: Claim,
        /// The operator who recorded it, and the instant.
        closed: Stamp,
        /// The reason.
        reason: String,
    },
}

/// A claim: the right to pay one withdrawal, in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The approval: the operator and the instant.
    pub approved: Stamp,
    /// The operator who claimed it, and the instant.
    pub claimed: Stamp,
    /// The bank batch it was exported in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchId>,
    /// The instant since which it is unknown whether the money left. It must be looked up, never paid again
    /// blindly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown_since: Option<Timestamp>,
}

/// A step that is not possible from the state that the withdrawal is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the withdrawal is {}", .0.as_str())]
pub struct WrongState(pub WithdrawalState);

impl Step {
    /// The state.
    pub const fn state(&self) -> WithdrawalState {
        match self {
            Self::Requested => WithdrawalState::Requested,
            Self::Approved { .. } => WithdrawalState::Approved,
            Self::Paying(_) => WithdrawalState::Paying,
            Self::Paid { .. } => WithdrawalState::Paid,
            Self::Rejected { .. } => WithdrawalState::Rejected,
            Self::Failed { .. } => WithdrawalState::Failed,
        }
    }

    /// The claim, if there is one.
    pub const fn claim(&self) -> Option<&Claim> {
        match self {
            Self::Paying(claim) | Self::Paid { claim, .. } | Self::Failed { claim, .. } => Some(claim),
            Self::Requested | Self::Approved { .. } | Self::Rejected { .. } => None,
        }
    }

    /// The approval: the operator and the instant.
    pub const fn approved(&self) -> Option<&Stamp> {
        match self {
            Self::Approved { approved } => Some(approved),
            Self::Rejected { approved, .. } => approved.as_ref(),
            Self::Paying(claim) | Self::Paid { claim, .. } | Self::Failed { claim, .. } => {
                Some(&claim.approved)
            }
            Self::Requested => None,
        }
    }

    /// The end: the operator and the instant.
    pub const fn closed(&self) -> Option<&Stamp> {
        match self {
            Self::Paid { closed, .. } | Self::Rejected { closed, .. } | Self::Failed { closed, .. } => {
                Some(closed)
            }
            Self::Requested | Self::Approved { .. } | Self::Paying(_) => None,
        }
    }

    /// The payout's reference at the bank or provider.
    pub fn proof(&self) -> Option<&str> {
        match self {
            Self::Paid { proof, .. } => Some(proof),
            _ => None,
        }
    }

    /// The reason of a rejection or failure.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Rejected { reason, .. } | Self::Failed { reason, .. } => Some(reason),
            _ => None,
        }
    }
}

impl Withdrawal {
    /// The state.
    pub const fn state(&self) -> WithdrawalState {
        self.step.state()
    }

    const fn wrong(&self) -> WrongState {
        WrongState(self.state())
    }

    /// Approves it.
    ///
    /// # Errors
    /// [`WrongState`] unless it is requested.
    pub fn approve(self, approved: Stamp) -> Result<Self, WrongState> {
        match self.step {
            Step::Requested => Ok(Self { step: Step::Approved { approved }, ..self }),
            _ => Err(self.wrong()),
        }
    }

    /// Rejects it, also after an approval.
    ///
    /// # Errors
    /// [`WrongState`] once it is claimed or ended.
    pub fn reject(self, closed: Stamp, reason: String) -> Result<Self, WrongState> {
        let approved = match &self.step {
            Step::Requested => None,
            Step::Approved { approved } => Some(approved.clone()),
            _ => return Err(self.wrong()),
        };
        Ok(Self { step: Step::Rejected { approved, closed, reason }, ..self })
    }

    /// Claims it for paying, in a bank batch or by hand.
    ///
    /// # Errors
    /// [`WrongState`] unless it is approved.
    pub fn claim(self, claimed: Stamp, batch: Option<BatchId>) -> Result<Self, WrongState> {
        let Step::Approved { approved } = &self.step else { return Err(self.wrong()) };
        let claim = Claim { approved: approved.clone(), claimed, batch, unknown_since: None };
        Ok(Self { step: Step::Paying(claim), ..self })
    }

    /// Records that it is unknown whether the money left.
    ///
    /// # Errors
    /// [`WrongState`] unless it is being paid.
    pub fn lose_sight(self, since: Timestamp) -> Result<Self, WrongState> {
        let Step::Paying(claim) = &self.step else { return Err(self.wrong()) };
        let claim = Claim { unknown_since: Some(since), ..claim.clone() };
        Ok(Self { step: Step::Paying(claim), ..self })
    }

    /// Records that the money has left.
    ///
    /// # Errors
    /// [`WrongState`] unless it is being paid.
    pub fn pay(self, closed: Stamp, proof: String) -> Result<Self, WrongState> {
        let Step::Paying(claim) = &self.step else { return Err(self.wrong()) };
        Ok(Self { step: Step::Paid { claim: claim.clone(), closed, proof }, ..self })
    }

    /// Records that the payout failed for good.
    ///
    /// # Errors
    /// [`WrongState`] unless it is being paid.
    pub fn fail(self, closed: Stamp, reason: String) -> Result<Self, WrongState> {
        let Step::Paying(claim) = &self.step else { return Err(self.wrong()) };
        Ok(Self { step: Step::Failed { claim: claim.clone(), closed, reason }, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        members::PseudonymKey,
        money::Currency,
        withdrawals::{Destination, PayoutMethod},
    };

    fn requested() -> Withdrawal {
        let id = WithdrawalId::parse("m-1").unwrap();
        let key = PseudonymKey::try_new(vec![7; 32]).unwrap();
        let destination = Destination::parse(PayoutMethod::Upi, "name@bank").unwrap();
        Withdrawal {
            destination: destination.seal(&key, &id, [9; 24]).unwrap(),
            id,
            member: MemberId::parse("m").unwrap(),
            seq: 1,
            wallet: WalletKind::Earnings,
            amount: Money::new(50_000, Currency::INR),
            request_key: "k".to_owned(),
            requested_at: Timestamp::from_seconds(1),
            step: Step::Requested,
        }
    }

    fn stamp() -> Stamp {
        Stamp { by: "ann".into(), at: Timestamp::from_seconds(2) }
    }

    type Move = fn(Withdrawal) -> Result<Withdrawal, WrongState>;
    const MOVES: [(&str, Move); 6] = [
        ("approve", |w| w.approve(stamp())),
        ("reject", |w| w.reject(stamp(), "no".to_owned())),
        ("claim", |w| w.claim(stamp(), None)),
        ("unknown", |w| w.lose_sight(Timestamp::from_seconds(3))),
        ("pay", |w| w.pay(stamp(), "UTR".to_owned())),
        ("fail", |w| w.fail(stamp(), "closed account".to_owned())),
    ];

    /// One withdrawal in each state.
    fn in_each_state() -> Vec<Withdrawal> {
        let approved = requested().approve(stamp()).unwrap();
        let paying = approved.clone().claim(stamp(), None).unwrap();
        let paid = paying.clone().pay(stamp(), "UTR".to_owned()).unwrap();
        let failed = paying.clone().fail(stamp(), "no".to_owned()).unwrap();
        vec![
            requested(),
            approved.clone(),
            paying,
            paid,
            approved.reject(stamp(), "no".to_owned()).unwrap(),
            failed,
        ]
    }

    #[test]
    fn each_state_allows_its_steps_and_no_others() {
        use WithdrawalState::{Approved, Failed, Paid, Paying, Rejected, Requested};
        for withdrawal in in_each_state() {
            let from = withdrawal.state();
            for (name, step) in MOVES {
                let to = match (from, name) {
                    (Requested, "approve") => Some(Approved),
                    (Requested | Approved, "reject") => Some(Rejected),
                    (Approved, "claim") | (Paying, "unknown") => Some(Paying),
                    (Paying, "pay") => Some(Paid),
                    (Paying, "fail") => Some(Failed),
                    _ => None,
                };
                let expected = to.ok_or(WrongState(from));
                assert_eq!(
                    step(withdrawal.clone()).map(|after| after.state()),
                    expected,
                    "{name} from {from:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_stored_is_read_back() {
        for withdrawal in in_each_state() {
            let json = serde_json::to_value(&withdrawal).unwrap();
            assert_eq!(json["state"], withdrawal.state().as_str());
            assert_eq!(serde_json::from_value::<Withdrawal>(json).unwrap(), withdrawal);
        }
    }
}
