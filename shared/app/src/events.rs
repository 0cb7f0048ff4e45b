//! Domain events: the meaning of a committed change for the rest of the system. The stored item *is* the
//! event, so no second write can be lost.

use guerdon_domain::{
    bill_credit::{BilledCustomers, InvoiceCreditState},
    commissions::{Commission, CommissionState},
    ids::{AdjustmentId, CommissionId, CustomerId, InvoiceId, MemberId, PaymentKey, WithdrawalId},
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

/// Types of the items whose changes become events. The filter of the trigger passes only these types.
pub const RELAYED: [&str; 8] =
    ["referral", "commission", "entry", "customer", "customers", "invoice_credit", "withdrawal", "parked"];

/// An event of the domain. It contains pseudonyms and numbers, never names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum DomainEvent {
    /// A member joined through a referral code.
    ReferralCreated {
        /// The owner of the code.
        referrer: MemberId,
        /// The member who joined.
        referee: MemberId,
    },
    /// A commission was booked.
    CommissionBooked {
        /// The id of the commission.
        commission: CommissionId,
        /// The beneficiary of the commission.
        beneficiary: MemberId,
        /// The member whose payment earned the commission.
        referee: MemberId,
        /// The amount.
        amount: Money,
        /// The earliest time of the release.
        due_at: Timestamp,
        /// The time of the booking.
        booked_at: Timestamp,
        /// The deadline for the beneficiary's claim, if a claim is required.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claim_by: Option<Timestamp>,
    },
    /// A commission entered the beneficiary's wallet.
    CommissionReleased {
        /// The id of the commission.
        commission: CommissionId,
        /// The beneficiary of the commission.
        beneficiary: MemberId,
        /// The amount.
        amount: Money,
        /// True if the commission was on hold before.
        was_on_hold: bool,
    },
    /// A reversal of the payment changed the value of a commission.
    CommissionReversed {
        /// The id of the commission.
        commission: CommissionId,
        /// The beneficiary of the commission.
        beneficiary: MemberId,
        /// The member whose payment was reversed.
        referee: MemberId,
        /// The total amount that is reversed now.
        undone: Money,
        /// The amount that was reversed before. It is greater than `undone` when an amount was given back.
        undone_before: Money,
    },
    /// An operator requested a replay of the parked items that wait for an object.
    ReplayRequested {
        /// The object that the items wait for.
        waits_for: WaitsFor,
        /// The time of the request.
        at: Timestamp,
    },
    /// The event of a payment intent waits for a tie: a look-up shows whether it is a payment of its own.
    PaymentIntentParked {
        /// The intent.
        intent: PaymentKey,
    },
    /// The state of a withdrawal changed.
    WithdrawalMoved {
        /// The id of the withdrawal.
        withdrawal: WithdrawalId,
        /// The owner of the money.
        member: MemberId,
        /// The amount.
        amount: Money,
        /// The current state.
        state: WithdrawalState,
        /// The reason of a rejection or failure.
        reason: Option<String>,
    },
    /// An operator gave or took credit.
    AdjustmentBooked {
        /// The adjustment.
        adjustment: AdjustmentId,
        /// The owner of the wallet.
        member: MemberId,
    },
    /// A Stripe customer was linked to a member.
    CustomerLinked {
        /// The customer.
        customer: CustomerId,
        /// The linked member.
        member: MemberId,
    },
    /// Another Stripe customer of a member gets their credit, or one was deleted whose balance may have some.
    CustomersChanged {
        /// The member.
        member: MemberId,
        /// The number of changes so far.
        seq: u32,
    },
    /// Stripe created an invoice before bill credit reached the customer balance. commission-worker publishes
    /// this event, because nothing in the table changes.
    CreditWaiting {
        /// The invoice.
        invoice: InvoiceId,
        /// The owner of the credit.
        member: MemberId,
    },
    /// An invoice used bill credit.
    CreditApplied {
        /// The invoice.
        invoice: InvoiceId,
        /// The owner of the credit.
        member: MemberId,
        /// The amount.
        amount: Money,
    },
}

impl DomainEvent {
    /// Returns the name of the event on the bus (`detail-type`).
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ReferralCreated { .. } => "referral.created",
            Self::CommissionBooked { .. } => "commission.booked",
            Self::CommissionReleased { .. } => "commission.released",
            Self::CommissionReversed { .. } => "commission.reversed",
            Self::ReplayRequested { .. } => "event.replay_requested",
            Self::PaymentIntentParked { .. } => "payment_intent.parked",
            Self::WithdrawalMoved { .. } => "withdrawal.moved",
            Self::AdjustmentBooked { .. } => "adjustment.booked",
            Self::CustomerLinked { .. } => "customer.linked",
            Self::CustomersChanged { .. } => "customers.changed",
            Self::CreditWaiting { .. } => "credit.waiting",
            Self::CreditApplied { .. } => "credit.applied",
        }
    }

    /// Returns the key of the event. It is the same in every delivery.
    pub fn natural_key(&self) -> String {
        let id = match self {
            Self::CommissionReversed { commission, undone, undone_before, .. } => {
                let (from, to) = (undone_before.minor(), undone.minor());
                return format!("{}:{commission}:{from}:{to}", self.name());
            }
            Self::ReplayRequested { waits_for, at } => {
                return format!("{}:{waits_for:?}:{}", self.name(), at.millis());
            }
            Self::PaymentIntentParked { intent } => return format!("{}:{intent}", self.name()),
            Self::WithdrawalMoved { withdrawal, state, .. } => {
                return format!("{}:{withdrawal}:{}", self.name(), state.as_str());
            }
            Self::CustomersChanged { member, seq } => {
                return format!("{}:{member}:{seq}", self.name());
            }
            Self::ReferralCreated { referee, .. } => referee.as_str(),
            Self::CommissionBooked { commission, .. } | Self::CommissionReleased { commission, .. } => {
                commission.as_str()
            }
            Self::AdjustmentBooked { adjustment, .. } => adjustment.as_str(),
            Self::CustomerLinked { customer, .. } => customer.as_str(),
            Self::CreditWaiting { invoice, .. } | Self::CreditApplied { invoice, .. } => invoice.as_str(),
        };
        format!("{}:{id}", self.name())
    }

    /// Returns the member whose bill credit may need a settlement or a posting because of this event.
    pub const fn credit_member(&self) -> Option<&MemberId> {
        match self {
            Self::CommissionBooked { beneficiary: member, .. }
            | Self::CommissionReleased { beneficiary: member, .. }
            | Self::CommissionReversed { beneficiary: member, .. }
            | Self::AdjustmentBooked { member, .. }
            | Self::CustomerLinked { member, .. }
            | Self::CustomersChanged { member, .. } => Some(member),
            Self::ReferralCreated { .. }
            | Self::CreditWaiting { .. }
            | Self::CreditApplied { .. }
            | Self::ReplayRequested { .. }
            | Self::PaymentIntentParked { .. }
            | Self::WithdrawalMoved { .. } => None,
        }
    }
}

/// An event with its correlation id, as it is published on the bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// The event.
    #[serde(flatten)]
    pub event: DomainEvent,
    /// The id that correlates the event with its origin, as passed to [`guerdon_store::table::correlated`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
}

/// Returns the announcement of a change, if the change has a meaning outside the table.
pub fn announcement_of(change: &Change) -> Option<Announcement> {
    event_of(change).map(|event| Announcement { event, correlation_id: change.correlation_id.clone() })
}

/// Returns the event of a change, if the change has a meaning outside the table.
pub fn event_of(change: &Change) -> Option<DomainEvent> {
    match (&change.before, change.after.as_ref()?) {
        (None, Stored::Referral(edge)) if edge.state == ReferralState::Pending => {
            Some(DomainEvent::ReferralCreated {
                referrer: edge.referrer.clone(),
                referee: edge.referee.clone(),
            })
        }
        (None, Stored::Commission(c)) => Some(DomainEvent::CommissionBooked {
            commission: c.id.clone(),
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
                withdrawal: after.id.clone(),
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
        (None, Stored::Parked(event)) if event.is_of_an_intent() => match &event.waits_for {
            WaitsFor::Reference { reference } => {
                Some(DomainEvent::PaymentIntentParked { intent: reference.clone() })
            }
            _ => None,
        },
        (None, Stored::Entry(entry)) => match &entry.kind {
            EntryKind::Adjusted { adjustment } => Some(DomainEvent::AdjustmentBooked {
                adjustment: adjustment.clone(),
                member: entry.member.clone(),
            }),
            _ => None,
        },
        // A link is new, or an operator has moved it.
        (before, Stored::Customer(link)) => {
            let was = match before {
                Some(Stored::Customer(before)) => Some(&before.member),
                _ => None,
            };
            (was != Some(&link.member)).then(|| DomainEvent::CustomerLinked {
                customer: link.customer.clone(),
                member: link.member.clone(),
            })
        }
        (Some(Stored::Customers(before)), Stored::Customers(after)) => customers_changed(before, after),
        (None, Stored::InvoiceCredit(credit))
            if credit.state == InvoiceCreditState::Applied && credit.taken.is_positive() =>
        {
            Some(DomainEvent::CreditApplied {
                invoice: credit.invoice.clone(),
                member: credit.member.clone(),
                amount: credit.taken,
            })
        }
        _ => None,
    }
}

/// Credit must move when another customer gets it, when one was lost, or when credit came back from one. The first
/// customer is announced by its link.
fn customers_changed(before: &BilledCustomers, after: &BilledCustomers) -> Option<DomainEvent> {
    let deleted = |customers: &BilledCustomers| customers.iter().filter(|(_, known)| known.deleted).count();
    let recalled = |customers: &BilledCustomers| {
        customers
            .iter()
            .any(|(id, known)| known.recalled > before.get(id).map_or(0, |before| before.recalled))
    };
    let moved = before.target() != after.target() || deleted(before) < deleted(after) || recalled(after);
    moved.then(|| DomainEvent::CustomersChanged { member: after.member.clone(), seq: after.seq })
}

fn commission_moved(before: &Commission, after: &Commission) -> Option<DomainEvent> {
    let released = matches!(after.state, CommissionState::Released { .. });
    if before.state == CommissionState::Held && released {
        return Some(DomainEvent::CommissionReleased {
            commission: after.id.clone(),
            beneficiary: after.beneficiary.clone(),
            amount: after.entitlement(),
            was_on_hold: after.due_at > after.booked_at,
        });
    }
    let money = |minor| Money::new(minor, after.amount.currency());
    (before.clawed != after.clawed).then(|| DomainEvent::CommissionReversed {
        commission: after.id.clone(),
        beneficiary: after.beneficiary.clone(),
        referee: after.referee.clone(),
        undone: money(after.clawed),
        undone_before: money(before.clawed),
    })
}
