//! Records with realistic ids: 32 hex digits for members, Stripe's own lengths for the rest.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::{
    bill_credit::{Posting, PostingState},
    commissions::{Commission, CommissionState},
    fraud::{Fingerprint, FraudFlag, FraudRules, Observation},
    ids::{AdjustmentId, CustomerId, ExternalPaymentId, MemberId, PaymentKey, Rail, TelegramId},
    members::{Joined, Member, PseudonymKey},
    money::{Currency, Money},
    operators::Stamp,
    payments::{Candidate, PaymentRecord, Place, Purpose, Reversals, Verdict},
    programs::{ProgramVersion, RuleSnapshot},
    referrals::{Code, CodeRecord, Referral, ReferralState},
    settings::Preset,
    time::Timestamp,
    wallets::{Entry, Wallet, WalletKind},
    withdrawals::{Destination, PayoutMethod, Step, Withdrawal, WithdrawalState},
};
use guerdon_store::{
    payments::{CustomerLink, ParkedEvent, PaymentLink, WaitsFor},
    table::{posting_id, withdrawal_id},
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

/// A customer of this name.
pub fn customer_named(id: &str) -> CustomerId {
    CustomerId::parse(id).unwrap()
}

/// A customer.
pub fn customer() -> CustomerId {
    CustomerId::parse(CUSTOMER).unwrap()
}

/// Member `n`, brought by `referrer`.
pub fn member(n: u32, referrer: Option<u32>) -> Member {
    Member {
        id: id(n),
        telegram_id: TelegramId::try_new(5_123_456_000 + i64::from(n)).unwrap(),
        first_name: "Aleksandra".to_owned(),
        last_name: Some("Wiśniewska".to_owned()),
        username: Some("ola_wisniewska_92".to_owned()),
        language: Some("pl".to_owned()),
        joined: Some(Joined { at: NOW, update_id: 731_204_118, referrer: referrer.map(id), click: None }),
        code: None,
        customer: None,
        blocked_bot: false,
        barred: false,
        holds: BTreeSet::new(),
        rejects: BTreeSet::new(),
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
        upline: None,
        joined_at: NOW,
        expires_at: NOW.plus_days(365),
        progress: BTreeMap::new(),
        undone: 0,
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
    let mut program = Preset::builtin("bitten").unwrap().program;
    let rule = program.rules.remove(0);
    Commission {
        id: invoice(n).commission(&rule.id, 1).unwrap(),
        beneficiary: id(beneficiary),
        referee: id(referee),
        payment: invoice(n),
        amount: usd(1000),
        base: usd(3900),
        paid: usd(4797),
        place: Place::Payment,
        snapshot: RuleSnapshot { version: program.version, level: 1, rule, budget: None, exchange: None },
        paid_at: NOW.plus_seconds(i64::from(n)),
        booked_at: NOW.plus_seconds(i64::from(n) + 2),
        due_at: NOW.plus_seconds(i64::from(n) + 86_400),
        clawed: 0,
        frozen: false,
        superseded: false,
        claimed_at: None,
        allowed: None,
        state: CommissionState::Held,
    }
}

/// The commission under another of the program's rules.
pub fn under(rule: &str, commission: Commission) -> Commission {
    let mut other = commission;
    other.id = other.payment.commission(&rule.into(), other.snapshot.level).unwrap();
    other.snapshot.rule.id = rule.into();
    other
}

/// The commission after a release into entry `seq`.
pub fn released(held: &Commission, entry_seq: u64, at: Timestamp) -> Commission {
    Commission { state: CommissionState::Released { entry_seq, at }, ..held.clone() }
}

/// The grant of a rule: the line of the explain trace for a commission.
pub fn granted(commission: &Commission) -> Candidate {
    Candidate {
        rule: commission.snapshot.rule.id.clone(),
        level: commission.snapshot.level,
        version: None,
        counted: None,
        verdict: Verdict::Granted {
            beneficiary: commission.beneficiary.clone(),
            reward: commission.amount,
            place: commission.place,
        },
    }
}

/// The payment of member `payer` for commission `n` of member `beneficiary`.
pub fn payment(n: u32, payer: u32, beneficiary: u32) -> PaymentRecord {
    let earned = commission(n, beneficiary, payer);
    PaymentRecord {
        payment: invoice(n),
        member: id(payer),
        purpose: Purpose::Purchase,
        paid: usd(4797),
        presented: None,
        account: None,
        tax: usd(897),
        tier: usd(3900),
        cost: None,
        lines: Vec::new(),
        paid_at: earned.paid_at,
        known_at: earned.paid_at.plus_seconds(1),
        recorded_at: earned.booked_at,
        program_version: 1,
        trace: vec![granted(&earned)],
        decisions: 0,
        reversals: Reversals::default(),
        order: None,
        correlation_id: None,
    }
}

/// The line of a payment in its member's and its day's list.
pub fn listed(payment: &PaymentRecord) -> PaymentLink {
    PaymentLink::of(payment)
}

/// Version `n` of the program, as an operator set it.
pub fn version(n: u32) -> ProgramVersion {
    let mut program = Preset::builtin("ott").unwrap().program;
    program.version = n;
    ProgramVersion { program, effective_from: NOW, set_by: "admin-token".into(), set_at: NOW }
}

/// The withdrawal that entry `seq` of member `n`'s earnings holds.
pub fn withdrawal(n: u32, seq: u64) -> Withdrawal {
    let own = withdrawal_id(&id(n), seq).unwrap();
    let destination = Destination::parse(PayoutMethod::Upi, "aleksandra.wisniewska@okhdfcbank").unwrap();
    let key = PseudonymKey::try_new(vec![7; 32]).unwrap();
    Withdrawal {
        destination: destination.seal(&key, &own, [9; 24]).unwrap(),
        id: own,
        member: id(n),
        seq,
        wallet: WalletKind::Earnings,
        amount: Money::new(1_250_000, Currency::INR),
        request_key: "7d1c3f0a-55c1-4d43-9a1c-0c6a8f7f4a10".to_owned(),
        requested_at: NOW,
        step: Step::Requested,
    }
}

/// The withdrawal after the one step that leads to `state`.
pub fn moved(before: &Withdrawal, state: WithdrawalState) -> Withdrawal {
    let stamp = Stamp { by: "finance-token".into(), at: NOW };
    let withdrawal = before.clone();
    match state {
        WithdrawalState::Requested => Ok(withdrawal),
        WithdrawalState::Approved => withdrawal.approve(stamp),
        WithdrawalState::Rejected => withdrawal.reject(stamp, "no".to_owned()),
        WithdrawalState::Paying => withdrawal.claim(stamp, None),
        WithdrawalState::Paid => withdrawal.pay(stamp, "UTR 1".to_owned()),
        WithdrawalState::Failed => withdrawal.fail(stamp, "closed account".to_owned()),
    }
    .unwrap()
}

/// Member `n`'s empty wallet of bill credit.
pub fn empty_wallet(n: u32) -> Wallet {
    Wallet::empty(id(n), WalletKind::BillCredit, Currency::USD)
}

/// The wallet after an operator gave it something, and the entry.
pub fn give(wallet: Wallet, minor: i64, adjustment: u32) -> (Wallet, Entry) {
    let adjustment = AdjustmentId::parse(format!("{adjustment:032x}")).unwrap();
    wallet.give(usd(minor), adjustment, NOW).unwrap()
}

/// The posting that entry `seq` of member `n`'s wallet claims.
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

/// The link of our customer to member `n`.
pub fn link(n: u32) -> CustomerLink {
    CustomerLink { customer: customer(), member: id(n), linked_at: NOW, former: Vec::new() }
}

/// An event that Stripe made at `created` and that arrived `late_seconds` after now.
pub fn parked(event_id: &str, created: Timestamp, late_seconds: i64) -> ParkedEvent {
    ParkedEvent {
        event_id: event_id.to_owned(),
        waits_for: WaitsFor::Customer { customer: customer() },
        event_kind: "invoice.paid".to_owned(),
        created,
        parked_at: NOW.plus_seconds(late_seconds),
        body: format!(r#"{{"id":"{event_id}"}}"#),
        replay_requested_at: None,
        replays: 0,
    }
}

/// A fingerprint of `kind`.
pub fn print(kind: &str) -> Fingerprint {
    Fingerprint::parse(&format!("{kind}:0123456789abcdef0123456789abcdef")).unwrap()
}

/// A flag that holds member `n`, who shares something with two others of their chain, raised at `at`.
pub fn flag(n: u32, kind: &str, at: Timestamp) -> FraudFlag {
    let others = vec![id(n + 100), id(n + 200)];
    let shared = Observation::Shared { fingerprint: print(kind), members: others.clone(), kin: others };
    FraudFlag::raise(id(n), FraudRules::default().judge(&shared).pop().unwrap(), "", at)
}
