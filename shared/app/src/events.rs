//! Domain events: what a committed change means to the rest of the system. The stored item *is* the event,
//! so there is no second write that could be lost.

use guerdon_domain::{
    bill_credit::InvoiceCreditState,
    commissions::{Commission, CommissionState},
    ids::{CustomerId, MemberId},
    money::Money,
    referrals::ReferralState,
    time::Timestamp,
    wallets::EntryKind,
    withdrawals::WithdrawalState,
};
use guerdon_store::{
    changes::{Change, Stored},
    payments::WaitsFor,
};
use serde::{Deserialize, Serialize};

/// Types of items whose changes become events: the trigger's filter lets only these through.
pub const RELAYED: [&str; 7] =
    ["referral", "commission", "entry", "customer", "invoice_credit", "withdrawal", "parked"];

/// Something that happened. It holds pseudonyms and numbers, never names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum DomainEvent {
    /// A member joined through a code.
    ReferralCreated {
        /// Whose code.
        referrer: MemberId,
        /// Who joined.
        referee: MemberId,
    },
    /// A commission was booked.
    CommissionBooked {
        /// Its id.
        commission: String,
        /// Who gets it.
        beneficiary: MemberId,
        /// Whose payment it is for.
        referee: MemberId,
        /// How much.
        amount: Money,
        /// When it may be released.
        due_at: Timestamp,
        /// When it was booked.
        booked_at: Timestamp,
        /// Until when the beneficiary has to claim it, where they do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claim_by: Option<Timestamp>,
    },
    /// A commission entered the beneficiary's wallet.
    CommissionReleased {
        /// Its id.
        commission: String,
        /// Who got it.
        beneficiary: MemberId,
        /// How much.
        amount: Money,
        /// It had been on hold before.
        was_on_hold: bool,
    },
    /// A reversal of its payment changed what a commission is worth.
    CommissionReversed {
        /// Its id.
        commission: String,
        /// Whose it is.
        beneficiary: MemberId,
        /// Whose payment was undone.
        referee: MemberId,
        /// How much of it is undone in all.
        undone: Money,
        /// How much was undone before; more than `undone` when something was given back.
        undone_before: Money,
    },
    /// An operator wants what waits for something to be played again.
    ReplayRequested {
        /// For what.
        waits_for: WaitsFor,
        /// When they asked.
        at: Timestamp,
    },
    /// A withdrawal has moved on.
    WithdrawalMoved {
        /// Its id.
        withdrawal: String,
        /// Whose money.
        member: MemberId,
        /// How much.
        amount: Money,
        /// Where it stands now.
        state: WithdrawalState,
        /// Why, when it was turned down or failed.
        reason: Option<String>,
    },
    /// An operator gave or took credit.
    AdjustmentBooked {
        /// The adjustment.
        adjustment: String,
        /// Whose wallet.
        member: MemberId,
    },
    /// A Stripe customer became known.
    CustomerLinked {
        /// The customer.
        customer: CustomerId,
        /// Who it is.
        member: MemberId,
    },
    /// An invoice was created at Stripe while bill credit had not reached the customer balance. Published by
    /// commission-worker: nothing in the table changes.
    CreditWaiting {
        /// The invoice.
        invoice: String,
        /// Whose credit.
        member: MemberId,
    },
    /// An invoice used bill credit up.
    CreditApplied {
        /// The invoice.
        invoice: String,
        /// Whose credit.
        member: MemberId,
        /// How much.
        amount: Money,
    },
}

impl DomainEvent {
    /// The event's name on the bus (`detail-type`).
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ReferralCreated { .. } => "referral.created",
            Self::CommissionBooked { .. } => "commission.booked",
            Self::CommissionReleased { .. } => "commission.released",
            Self::CommissionReversed { .. } => "commission.reversed",
            Self::ReplayRequested { .. } => "event.replay_requested",
            Self::WithdrawalMoved { .. } => "withdrawal.moved",
            Self::AdjustmentBooked { .. } => "adjustment.booked",
            Self::CustomerLinked { .. } => "customer.linked",
            Self::CreditWaiting { .. } => "credit.waiting",
            Self::CreditApplied { .. } => "credit.applied",
        }
    }

    /// A key that the same event always has, however often it is delivered.
    pub fn natural_key(&self) -> String {
        let id = match self {
            Self::CommissionReversed { commission, undone, undone_before, .. } => {
                let (from, to) = (undone_before.minor(), undone.minor());
                return format!("{}:{commission}:{from}:{to}", self.name());
            }
            Self::ReplayRequested { waits_for, at } => {
                return format!("{}:{waits_for:?}:{}", self.name(), at.millis());
            }
            Self::WithdrawalMoved { withdrawal, state, .. } => {
                return format!("{}:{withdrawal}:{}", self.name(), state.as_str());
            }
            Self::ReferralCreated { referee, .. } => referee.as_str(),
            Self::CommissionBooked { commission, .. } | Self::CommissionReleased { commission, .. } => {
                commission
            }
            Self::AdjustmentBooked { adjustment, .. } => adjustment,
            Self::CustomerLinked { customer, .. } => customer.as_str(),
            Self::CreditWaiting { invoice, .. } | Self::CreditApplied { invoice, .. } => invoice,
        };
        format!("{}:{id}", self.name())
    }

    /// The member whose bill credit may have something to settle or post because of this.
    pub const fn credit_member(&self) -> Option<&MemberId> {
        match self {
            Self::CommissionBooked { beneficiary: member, .. }
            | Self::CommissionReleased { beneficiary: member, .. }
            | Self::CommissionReversed { beneficiary: member, .. }
            | Self::AdjustmentBooked { member, .. }
            | Self::CustomerLinked { member, .. } => Some(member),
            Self::ReferralCreated { .. }
            | Self::CreditWaiting { .. }
            | Self::CreditApplied { .. }
            | Self::ReplayRequested { .. }
            | Self::WithdrawalMoved { .. } => None,
        }
    }
}

/// An event on its way to those whom it concerns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// What happened.
    #[serde(flatten)]
    pub event: DomainEvent,
    /// What it all began with, as [`guerdon_store::table::correlated`] was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// What a change has to tell others, if anything.
pub fn announcement_of(change: &Change) -> Option<Announcement> {
    event_of(change).map(|event| Announcement { event, correlation_id: change.correlation_id.clone() })
}

/// What a change means, if it means anything to others.
pub fn event_of(change: &Change) -> Option<DomainEvent> {
    match (&change.before, change.after.as_ref()?) {
        (None, Stored::Referral(edge)) if edge.state == ReferralState::Pending => {
            Some(DomainEvent::ReferralCreated {
                referrer: edge.referrer.clone(),
                referee: edge.referee.clone(),
            })
        }
        (None, Stored::Commission(c)) => Some(DomainEvent::CommissionBooked {
            commission: c.id.to_string(),
            beneficiary: c.beneficiary.clone(),
            referee: c.referee.clone(),
            amount: c.amount,
            due_at: c.due_at,
            booked_at: c.booked_at,
            claim_by: c.claim_ends_at(),
        }),
        (Some(Stored::Commission(before)), Stored::Commission(c)) => commission_moved(before, c),
        (before, Stored::Withdrawal(after)) => {
            let was = match before {
                Some(Stored::Withdrawal(before)) => Some(before.state()),
                _ => None,
            };
            (was != Some(after.state())).then(|| DomainEvent::WithdrawalMoved {
                withdrawal: after.id.to_string(),
                member: after.member.clone(),
                amount: after.amount,
                state: after.state(),
                reason: after.step.reason().map(str::to_owned),
            })
        }
        (Some(Stored::Parked(before)), Stored::Parked(after)) => {
            let at = after
                .replay_requested_at
                .filter(|_| before.replay_requested_at != after.replay_requested_at)?;
            Some(DomainEvent::ReplayRequested { waits_for: after.waits_for.clone(), at })
        }
        (None, Stored::Entry(entry)) => match &entry.kind {
            EntryKind::Adjusted { adjustment } => Some(DomainEvent::AdjustmentBooked {
                adjustment: adjustment.to_string(),
                member: entry.member.clone(),
            }),
            _ => None,
        },
        (None, Stored::Customer(link)) => {
            Some(DomainEvent::CustomerLinked { customer: link.customer.clone(), member: link.member.clone() })
        }
        (None, Stored::InvoiceCredit(credit))
            if credit.state == InvoiceCreditState::Applied && credit.taken.is_positive() =>
        {
            Some(DomainEvent::CreditApplied {
                invoice: credit.invoice.to_string(),
                member: credit.member.clone(),
                amount: credit.taken,
            })
        }
        _ => None,
    }
}

fn commission_moved(before: &Commission, after: &Commission) -> Option<DomainEvent> {
    let released = matches!(after.state, CommissionState::Released { .. });
    if before.state == CommissionState::Held && released {
        return Some(DomainEvent::CommissionReleased {
            commission: after.id.to_string(),
            beneficiary: after.beneficiary.clone(),
            amount: after.entitlement(),
            was_on_hold: after.due_at > after.booked_at,
        });
    }
    let money = |minor| Money::new(minor, after.amount.currency());
    (before.clawed != after.clawed).then(|| DomainEvent::CommissionReversed {
        commission: after.id.to_string(),
        beneficiary: after.beneficiary.clone(),
        referee: after.referee.clone(),
        undone: money(after.clawed),
        undone_before: money(before.clawed),
    })
}
