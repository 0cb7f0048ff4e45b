//! Verification: recomputes the ledger from the stored data and reports the first difference.
//!
//! It runs while the business writes. A difference counts only if repeated reads confirm it.

use std::collections::BTreeMap;

use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason, clawback_target},
    ids::MemberId,
    money::Money,
    payments::{Candidate, PaymentRecord, Place},
    programs::Trigger,
    referrals::ReferralState,
    wallets::{Entry, EntryKind, Wallet, WalletKind, verify_statement},
    withdrawals::WithdrawalState,
};
use guerdon_store::{table::metered, verification::ScanCursor};

use crate::{commissions::digest, context::App, error::AppError};

/// The progress of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Wallets recomputed.
    pub wallets: u64,
    /// Payments recomputed.
    pub payments: u64,
    /// Commissions traced to their payments.
    pub commissions: u64,
    /// The position to continue from; absent at the end.
    pub next: Option<ScanCursor>,
    /// The first difference. Nothing after it was verified.
    pub difference: Option<Difference>,
}

/// A difference between stored and recomputed data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject}: {problem}")]
pub struct Difference {
    /// The wallet or payment. Members are named by their log tags.
    pub subject: String,
    /// The description of the difference.
    pub problem: String,
}

/// Number of reads before a difference counts. A write between two reads is not a difference.
const LOOKS: u32 = 3;

/// Verifies the part of the ledger in the next `items` of the table.
///
/// # Errors
/// [`AppError`] when the table cannot be read.
pub async fn verify_ledger(app: &App, from: Option<&ScanCursor>, items: i32) -> Result<Verified, AppError> {
    metered("verify_ledger", async {
        let page = app.store.verification().scan(from, items).await?;
        let mut verified = Verified { next: page.next, ..Verified::default() };
        for wallet in &page.wallets {
            verified.difference = verify_wallet(app, wallet).await?;
            if verified.difference.is_some() {
                return Ok(verified);
            }
            verified.wallets += 1;
        }
        for payment in &page.payments {
            verified.difference = verify_payment(app, payment).await?;
            if verified.difference.is_some() {
                return Ok(verified);
            }
            verified.payments += 1;
        }
        for commission in &page.commissions {
            verified.difference = trace_commission(app, commission).await?;
            if verified.difference.is_some() {
                return Ok(verified);
            }
            verified.commissions += 1;
        }
        Ok(verified)
    })
    .await
}

/// Maximum number of items in one read.
const PAGE: i32 = 200;

/// Continues the verification from the end of the last run, for about `seconds`. After the end of the ledger,
/// the next run starts again; after a difference, it verifies the same place again.
///
/// # Errors
/// [`AppError`] when the table cannot be read.
pub async fn verify_next(app: &App, seconds: i64) -> Result<Verified, AppError> {
    let until = app.now().plus_seconds(seconds);
    let mut from = app.store.verification().cursor().await?;
    let mut all = Verified::default();
    loop {
        let page = verify_ledger(app, from.as_ref(), PAGE).await?;
        all.add(page);
        if all.difference.is_some() {
            return Ok(all);
        }
        app.store.verification().keep_cursor(all.next.as_ref(), app.now()).await?;
        if all.next.is_none() || app.now() >= until {
            return Ok(all);
        }
        from.clone_from(&all.next);
    }
}

/// Verifies the whole ledger from its beginning, without a time limit.
///
/// # Errors
/// [`AppError`] when the table cannot be read.
pub async fn verify_all(app: &App) -> Result<Verified, AppError> {
    let mut all = Verified::default();
    loop {
        let from = all.next.clone();
        all.add(verify_ledger(app, from.as_ref(), PAGE).await?);
        if all.next.is_none() || all.difference.is_some() {
            return Ok(all);
        }
    }
}

impl Verified {
    fn add(&mut self, page: Self) {
        self.wallets += page.wallets;
        self.payments += page.payments;
        self.commissions += page.commissions;
        self.next = page.next;
        self.difference = page.difference;
    }
}

/// Recomputes one wallet: its statement, and the commissions and withdrawals of its entries.
///
/// # Errors
/// [`AppError`] when the table cannot be read.
pub async fn verify_wallet(app: &App, wallet: &Wallet) -> Result<Option<Difference>, AppError> {
    let (member, kind, currency) = (&wallet.member, wallet.kind, wallet.currency);
    let mut problem = None;
    for _ in 0..LOOKS {
        let wallet = app.store.wallets().find(member, kind, currency).await?;
        let entries = app.store.wallets().statement(member, kind, currency).await?;
        let commissions = app.store.commissions().all(member).await?;
        problem = wallet_problem(app, &wallet, &entries, &commissions).await?;
        if problem.is_none() {
            return Ok(None);
        }
    }
    let subject = format!("wallet {} {currency} of {}", kind.as_str(), app.tag(member));
    Ok(problem.map(|problem| Difference { subject, problem }))
}

async fn wallet_problem(
    app: &App,
    wallet: &Wallet,
    entries: &[Entry],
    commissions: &[Commission],
) -> Result<Option<String>, AppError> {
    if let Err(error) = verify_statement(wallet, entries) {
        return Ok(Some(error.to_string()));
    }
    let into_this =
        |c: &&Commission| c.snapshot.rule.target == wallet.kind && c.amount.currency() == wallet.currency;
    let commissions: Vec<_> = commissions.iter().filter(into_this).collect();
    if let Some(problem) = release_problem(entries, &commissions) {
        return Ok(Some(problem));
    }
    withdrawal_problem(app, wallet).await
}

/// Checks that each release names its commissions, and that the total credited for commissions equals their
/// entitlements.
fn release_problem(entries: &[Entry], commissions: &[&Commission]) -> Option<String> {
    let mut released: BTreeMap<u64, Vec<&Commission>> = BTreeMap::new();
    let mut entitled = 0;
    for commission in commissions {
        if let CommissionState::Released { entry_seq, .. } = commission.state {
            released.entry(entry_seq).or_default().push(commission);
            entitled += commission.entitlement().minor();
        }
    }
    let mut credited = 0;
    for entry in entries {
        let house = entry.house.map_or(0, |(_, minor)| minor);
        match &entry.kind {
            EntryKind::CommissionsReleased { digest: expected, .. } => {
                let named = released.remove(&entry.seq).unwrap_or_default();
                if digest(named.iter().map(|c| &c.id).collect()) != *expected {
                    return Some(format!("entry {} released other commissions than name it", entry.seq));
                }
                credited -= house;
            }
            EntryKind::ClawedBack { .. } | EntryKind::Reinstated { .. } => credited -= house,
            _ => {}
        }
    }
    if let Some((seq, _)) = released.first_key_value() {
        return Some(format!("commissions name entry {seq}, which released nothing"));
    }
    (credited != entitled)
        .then(|| format!("{credited} was credited for commissions that entitle to {entitled}"))
}

/// Checks that a withdrawable wallet holds exactly the amount of its open withdrawal.
async fn withdrawal_problem(app: &App, wallet: &Wallet) -> Result<Option<String>, AppError> {
    if wallet.kind == WalletKind::BillCredit {
        return Ok(None);
    }
    let open = match &wallet.open_withdrawal {
        Some(id) => app.store.withdrawals().find(id).await?,
        None => None,
    };
    let asked = match &open {
        Some(withdrawal) if withdrawal.state().is_final() => {
            return Ok(Some(format!("its open withdrawal is {}", withdrawal.state().as_str())));
        }
        Some(withdrawal) => withdrawal.amount.minor(),
        None if wallet.open_withdrawal.is_some() => {
            return Ok(Some("its open withdrawal does not exist".to_owned()));
        }
        None => 0,
    };
    debug_assert!(open.is_none_or(|w| w.state() != WithdrawalState::Paid));
    let held = wallet.buckets.held;
    Ok((held != asked).then(|| format!("{held} is held and {asked} was asked for")))
}

/// Recomputes one payment: each grant has its commission, and its clawback equals the reversed amount.
///
/// # Errors
/// [`AppError`] when the table cannot be read.
pub async fn verify_payment(app: &App, payment: &PaymentRecord) -> Result<Option<Difference>, AppError> {
    let mut problem = None;
    for _ in 0..LOOKS {
        let Some(payment) = app.store.payments().find(&payment.payment).await? else {
            problem = Some("it is gone".to_owned());
            continue;
        };
        problem = payment_problem(app, &payment).await?;
        if problem.is_none() {
            return Ok(None);
        }
    }
    let subject = format!("payment {}", app.pseudonyms.log_tag(&payment.payment.to_string()));
    Ok(problem.map(|problem| Difference { subject, problem }))
}

/// Checks that the payment of a commission exists and contains its grant. One transaction writes both, so
/// neither can exist without the other.
async fn trace_commission(app: &App, commission: &Commission) -> Result<Option<Difference>, AppError> {
    let problem = match app.store.payments().find(&commission.payment).await? {
        None => "its payment is not on record",
        Some(payment) => {
            let rule = &commission.snapshot.rule.id;
            let granted = |(candidate, beneficiary, reward): (&Candidate, &MemberId, Money)| {
                candidate.rule == *rule
                    && *beneficiary == commission.beneficiary
                    && reward == commission.amount
            };
            if payment.grants().any(granted) {
                return Ok(None);
            }
            "no rule granted it on its payment's trace"
        }
    };
    let subject = format!("commission {}", app.pseudonyms.log_tag(commission.id.as_str()));
    Ok(Some(Difference { subject, problem: problem.to_owned() }))
}

async fn payment_problem(app: &App, payment: &PaymentRecord) -> Result<Option<String>, AppError> {
    let commissions = app.store.commissions().of(payment).await?;
    let undone = payment.reversals.undone(payment.paid);
    for (candidate, beneficiary, reward) in payment.grants() {
        let id = payment.payment.commission(&candidate.rule, candidate.level)?;
        let Some(commission) = commissions.iter().find(|c| c.id == id) else {
            return Ok(Some(format!("the commission of rule {} is missing", candidate.rule)));
        };
        if commission.amount != reward || commission.beneficiary != *beneficiary {
            return Ok(Some(format!("the commission of rule {} is another", candidate.rule)));
        }
        let target = if commission.superseded {
            reward.minor()
        } else {
            clawback_target(reward, payment.paid, undone)?.minor()
        };
        let capped = matches!(
            commission.state,
            CommissionState::Void { reason: VoidReason::Capped | VoidReason::Unclaimed, .. }
        );
        if commission.clawed != target {
            let clawed = commission.clawed;
            return Ok(Some(format!("rule {}: {clawed} was clawed back and not {target}", candidate.rule)));
        }
        let void = matches!(commission.state, CommissionState::Void { reason: VoidReason::Reversed, .. });
        if void && target != reward.minor() && !capped {
            return Ok(Some(format!("the commission of rule {} is void without a reason", candidate.rule)));
        }
        if let Some(problem) = conversion_problem(app, commission).await? {
            return Ok(Some(problem));
        }
    }
    Ok(None)
}

/// Checks that a commission that converts a referral belongs to a referral that no other payment converted.
async fn conversion_problem(app: &App, commission: &Commission) -> Result<Option<String>, AppError> {
    let Place::Conversion { joined_at, attempt } = commission.place else { return Ok(None) };
    let referral =
        app.store.referrals().find(&commission.beneficiary, joined_at, &commission.referee).await?;
    // The stream may count an undone conversion a moment later.
    if referral.as_ref().is_some_and(|referral| referral.undone < attempt) {
        return Ok(None);
    }
    if referral.as_ref().is_some_and(|referral| referral.undone > attempt) {
        let left = "it was undone, and another payment may convert its referral, but something is left of it";
        let once = commission.snapshot.rule.trigger == Trigger::FirstPayment;
        return Ok((once && !commission.is_undone()).then(|| left.to_owned()));
    }
    Ok(match referral.map(|referral| referral.state) {
        None => Some("it converted a referral that does not exist".to_owned()),
        Some(ReferralState::Converted { payment, .. }) if payment != commission.payment => {
            Some("its referral was converted by another payment".to_owned())
        }
        // The stream may update the referral a moment later.
        Some(_) => None,
    })
}
