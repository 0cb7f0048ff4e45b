//! Records with realistic ids: 32 hex digits for members, Stripe's own lengths for the rest.

use guerdon_domain::{
    AdjustmentId, Code, Commission, CommissionState, Currency, CustomerId, Entry, ExternalPaymentId,
    MemberId, Money, PaymentKey, Preset, Rail, Referral, ReferralState, RuleSnapshot, TelegramId, Timestamp,
    Wallet, WalletKind,
};
use guerdon_store::{
    CodeRecord, CustomerLink, Joined, Member, ParkedEvent, PaymentOutcome, PaymentRecord, Posting,
    PostingState, WaitsFor, posting_id,
};

/// 2026-11-21T09:30:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_795_253_400);
/// A Stripe customer.
pub const CUSTOMER: &str = "cus_TOnRzwk3w8KAot";
/// A Stripe invoice.
pub const INVOICE: &str = "in_1SRzqCKXBGcbgpbZs4xgnmrX";

/// Member number `n`.
pub fn id(n: u32) -> MemberId {
    MemberId::parse(format!("{:032x}", u128::from(n) << 64 | 0x9e37_79b9_7f4a_7c15)).unwrap()
}

/// Dollars and cents.
pub fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

/// Stripe's invoice number `n`, as long as a real one.
pub fn invoice(n: u32) -> PaymentKey {
    let id = ExternalPaymentId::parse(format!("{}{n:04}", &INVOICE[..23])).unwrap();
    PaymentKey { rail: Rail::Stripe, id }
}

/// A customer.
pub fn customer() -> CustomerId {
    CustomerId::parse(CUSTOMER).unwrap()
}

/// Member `n`, whom `referrer` brought.
pub fn member(n: u32, referrer: Option<u32>) -> Member {
    Member {
        id: id(n),
        telegram_id: TelegramId::try_new(5_123_456_000 + i64::from(n)).unwrap(),
        first_name: "Aleksandra".to_owned(),
        last_name: Some("Wiśniewska".to_owned()),
        username: Some("ola_wisniewska_92".to_owned()),
        language: Some("pl".to_owned()),
        joined: Some(Joined { at: NOW, update_id: 731_204_118, referrer: referrer.map(id) }),
        code: None,
        customer: None,
        blocked_bot: false,
    }
}

/// A code of member `n` that expires `days` after now.
pub fn code(n: u32, text: &str, days: i64) -> CodeRecord {
    CodeRecord {
        code: Code::parse(text).unwrap(),
        owner: id(n),
        created_at: NOW,
        expires_at: NOW.plus_days(days),
        expired: false,
    }
}

/// The pending edge from member `referrer` to member `referee`.
pub fn referral(referrer: u32, referee: u32) -> Referral {
    Referral {
        referrer: id(referrer),
        referee: id(referee),
        joined_at: NOW,
        expires_at: NOW.plus_days(365),
        state: ReferralState::Pending,
    }
}

/// The edge, converted by invoice `n`.
pub fn converted(edge: &Referral, n: u32) -> Referral {
    let state = ReferralState::Converted { payment: invoice(n), at: NOW.plus_days(3) };
    Referral { state, ..edge.clone() }
}

/// Commission number `n` of member `beneficiary`, paid for by member `referee`.
pub fn commission(n: u32, beneficiary: u32, referee: u32) -> Commission {
    let program = Preset::builtin("bitten").unwrap().program;
    Commission {
        id: invoice(n).commission(&program.referrer.id, 1).unwrap(),
        beneficiary: id(beneficiary),
        referee: id(referee),
        payment: invoice(n),
        amount: usd(1000),
        base: usd(3900),
        snapshot: RuleSnapshot { version: program.version, level: 1, rule: program.referrer },
        paid_at: NOW.plus_seconds(i64::from(n)),
        booked_at: NOW.plus_seconds(i64::from(n) + 2),
        due_at: NOW.plus_seconds(i64::from(n) + 86_400),
        state: CommissionState::Held,
    }
}

/// The payment of member `payer` behind commission `n` of member `beneficiary`.
pub fn payment(n: u32, payer: u32, beneficiary: u32) -> PaymentRecord {
    PaymentRecord {
        payment: invoice(n),
        member: id(payer),
        paid: usd(4797),
        tax: usd(897),
        tier: usd(3900),
        paid_at: NOW,
        recorded_at: NOW.plus_seconds(2),
        program_version: 1,
        outcome: PaymentOutcome::Granted {
            commission: commission(n, beneficiary, payer).id,
            beneficiary: id(beneficiary),
            reward: usd(1000),
        },
    }
}

/// Member `n`'s empty wallet of bill credit.
pub fn empty_wallet(n: u32) -> Wallet {
    Wallet::empty(id(n), WalletKind::BillCredit, Currency::USD)
}

/// The wallet after an operator gave it something, and the entry of that.
pub fn give(wallet: Wallet, minor: i64, adjustment: u32) -> (Wallet, Entry) {
    let adjustment = AdjustmentId::parse(format!("{adjustment:032x}")).unwrap();
    wallet.give(usd(minor), adjustment, NOW).unwrap()
}

/// The claim that entry `seq` of member `n`'s wallet makes.
pub fn posting(n: u32, seq: u64) -> Posting {
    Posting {
        id: posting_id(&id(n), seq).unwrap(),
        member: id(n),
        customer: customer(),
        amount: usd(1000),
        seq,
        claimed_at: NOW,
        claimed_by: "7d1c3f0a-55c1-4d43-9a1c-0c6a8f7f4a10".to_owned(),
        state: PostingState::Claimed,
    }
}

/// Our customer is member `n`.
pub fn link(n: u32) -> CustomerLink {
    CustomerLink { customer: customer(), member: id(n), linked_at: NOW }
}

/// An event that Stripe made at `created` and that came `late_seconds` after now.
pub fn parked(event_id: &str, created: Timestamp, late_seconds: i64) -> ParkedEvent {
    ParkedEvent {
        event_id: event_id.to_owned(),
        waits_for: WaitsFor::Customer { customer: customer() },
        event_kind: "invoice.paid".to_owned(),
        created,
        parked_at: NOW.plus_seconds(late_seconds),
        body: format!(r#"{{"id":"{event_id}"}}"#),
    }
}
