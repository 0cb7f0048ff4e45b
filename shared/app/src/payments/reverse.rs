//! Reversals of payments. A reversal claws back the commissions of all levels, up to a cumulative target.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use guerdon_domain::{
    commissions::Commission,
    ids::{MemberId, PaymentKey, RuleId},
    money::{Money, MoneyError},
    payments::{PaymentRecord, Place, Reversal, ReversalKind, Reversals, Verdict},
    programs::Trigger,
    wallets::{Entry, Wallet, WalletKind},
};
use guerdon_store::table::{Fragment, metered};

use crate::{
    attempt::Attempts,
    context::App,
    error::{AppError, refusal},
    fraud::inspect_refunded,
    settings::settings_now,
};

/// The result of a reversal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reversed {
    /// The reversal was applied by this call.
    Applied {
        /// Total amount of the payment that is undone.
        undone: Money,
        /// Number of commissions that changed.
        changed: u32,
    },
    /// This reversal, or a later report about the same refund or dispute, was applied before.
    AlreadyApplied,
    /// The payment is not recorded yet. The reversal must wait for it.
    UnknownPayment,
    /// The amount is in another currency than the payment, so its share of the payment is not known. An operator must
    /// decide.
    OtherCurrency,
}

#[derive(Clone, Copy)]
enum Moved {
    Payment,
    Commission,
    Wallet,
    Referral,
}

/// Applies one report about the reversal of a payment. One transaction writes the payment, its commissions at
/// all levels, the counts of its referral, and the wallets of released commissions. An amount that the wallet no longer
/// has becomes owed. An amount that a won dispute or a failed refund returns is reinstated.
///
/// # Errors
/// [`AppError::Corrupt`] for an amount that cannot belong to the payment.
pub async fn reverse_payment(
    app: &App,
    payment: &PaymentKey,
    reversal: &Reversal,
) -> Result<Reversed, AppError> {
    let unrewarded = OnceLock::new();
    let reversed = metered("reverse_payment", async {
        merge(app, payment, |record| {
            if record.grants().next().is_none() {
                unrewarded.get_or_init(|| record.member.clone());
            }
            if is_overtaken(record, reversal) {
                return Ok(None);
            }
            let reversal = &reversal.in_currency_of(record.paid, record.presented)?;
            let next = record.reversals.merged(reversal, record.paid)?;
            if next.is_some() {
                warn_of_another_currency(record, reversal);
            }
            Ok(next)
        })
        .await
    })
    .await?;
    // The events of commissions bring the fraud rules to the other payments.
    if let Some(payer) = unrewarded.get() {
        inspect_refunded(app, payer).await?;
    }
    Ok(reversed)
}

/// Merges the refunds and disputes that were reported about one payment into another one, which the same money paid.
pub(crate) async fn move_reversals(app: &App, from: &PaymentKey, to: &PaymentKey) -> Result<(), AppError> {
    let Some(from) = app.store.payments().find(from).await? else { return Ok(()) };
    merge(app, to, |record| Ok(record.reversals.with_those_of(&from.reversals))).await?;
    Ok(())
}

/// Brings a payment to the reversals that `next` makes of it, if they change.
async fn merge(
    app: &App,
    payment: &PaymentKey,
    next: impl Fn(&PaymentRecord) -> Result<Option<Reversals>, MoneyError>,
) -> Result<Reversed, AppError> {
    let mut attempts = Attempts::default();
    loop {
        let Some(record) = app.store.payments().find(payment).await? else {
            return Ok(Reversed::UnknownPayment);
        };
        let next = match next(&record) {
            Ok(Some(next)) => next,
            Ok(None) => return Ok(Reversed::AlreadyApplied),
            Err(MoneyError::CurrencyMismatch { .. }) => return Ok(Reversed::OtherCurrency),
            Err(error) => return Err(error.into()),
        };
        let (writes, changed) = writes(app, &record, &next).await?;
        match refusal(app.store.commit(&writes).await)? {
            None => return Ok(Reversed::Applied { undone: next.undone(record.paid), changed }),
            Some(Moved::Payment | Moved::Commission | Moved::Wallet | Moved::Referral) => {
                attempts.again(app).await?;
            }
        }
    }
}

/// Says in the log that a dispute takes the whole payment, because its amount is in another currency.
fn warn_of_another_currency(record: &PaymentRecord, reversal: &Reversal) {
    let ReversalKind::Dispute { amount, .. } = &reversal.kind else { return };
    if amount.currency() != record.paid.currency() {
        let (payment, disputed) = (record.payment.to_string(), amount.currency().to_string());
        tracing::warn!(payment, disputed, "a dispute in another currency counts as the whole payment");
    }
}

/// Returns true for an invoice report that is not later than the payment, because the payment settles it.
/// Later reports count by the provider's clock. The report that an invoice was paid after all is therefore
/// kept even if the report that it was void arrives afterwards.
fn is_overtaken(record: &PaymentRecord, reversal: &Reversal) -> bool {
    match reversal.kind {
        ReversalKind::Invoice { .. } => reversal.at <= record.paid_at,
        _ => false,
    }
}

async fn writes(
    app: &App,
    record: &PaymentRecord,
    next: &Reversals,
) -> Result<(Vec<Fragment<Moved>>, u32), AppError> {
    let (undone, disputed, now) = (next.undone(record.paid), next.is_disputed(), app.now());
    let mut writes = vec![app.store.payments().reverse(record, next, Moved::Payment)?];
    let mut wallets = Touched::default();
    let mut changed = 0;
    let rewarded_since = counts(app, record, next, &mut writes).await?;
    let commissions = app.store.commissions().of(record).await?;
    if commissions.len() != record.grants().count() {
        return Err(AppError::Corrupt("a commission of the payment is missing".into()));
    }
    for before in &commissions {
        let (after, change) = before.after_reversal(undone, disputed, now)?;
        let (after, change) = match before.place.next() {
            _ if rewarded_since.contains(&before.snapshot.rule.id) => {
                (Commission { superseded: true, ..before.clone() }, Money::zero(change.currency()))
            }
            Some(next) => contested(app, before, (after, change), next, &mut writes).await?,
            None => (after, change),
        };
        if after == *before {
            continue;
        }
        changed += 1;
        writes.push(app.store.commissions().replace(before, &after, Moved::Commission)?);
        if !change.is_zero() {
            wallets.change(app, before, change).await?;
        }
    }
    for (wallet, entries) in wallets.0.into_values() {
        writes.extend(app.store.wallets().post_all(&wallet, &entries, Moved::Wallet)?);
    }
    Ok((writes, changed))
}

/// Counts a payment no more when it is undone as a whole, and again when it is restored. Returns the rules that have
/// rewarded another payment in the meantime.
async fn counts(
    app: &App,
    record: &PaymentRecord,
    next: &Reversals,
    writes: &mut Vec<Fragment<Moved>>,
) -> Result<BTreeSet<RuleId>, AppError> {
    let mut rewarded_since = BTreeSet::new();
    let after = PaymentRecord { reversals: next.clone(), ..record.clone() };
    let counted = record.trace.iter().filter_map(|candidate| Some((candidate, candidate.counted?)));
    let counted: Vec<_> = counted.collect();
    if counted.is_empty() || record.is_undone() == after.is_undone() {
        return Ok(rewarded_since);
    }
    let payer = app.store.members().find(&record.member).await?;
    let Some(payer) = payer else { return Ok(rewarded_since) };
    let Some(referral) = app.store.referrals().of(&payer).await? else { return Ok(rewarded_since) };
    let reopens = settings_now(app).await?.undone_reopens;
    let (mut all, month) = (referral.progress.clone(), record.paid_at.month());
    for (candidate, counted) in counted {
        let progress = all.entry(candidate.rule.clone()).or_default();
        let is_granted = matches!(candidate.verdict, Verdict::Granted { .. });
        if after.is_undone() {
            progress.uncount(counted, &month);
            if reopens && progress.rewarded.as_ref() == Some(&record.payment) {
                progress.rewarded = None;
            }
        } else {
            progress.count(counted, month.clone());
            match &progress.rewarded {
                None if is_granted => progress.rewarded = Some(record.payment.clone()),
                Some(other) if is_granted && *other != record.payment => {
                    rewarded_since.insert(candidate.rule.clone());
                }
                _ => {}
            }
        }
    }
    all.retain(|_, progress| !progress.is_empty());
    if all != referral.progress {
        writes.push(app.store.referrals().count_progress(&referral, &all, Moved::Referral)?);
    }
    Ok(rewarded_since)
}

/// Decides about a commission that is granted once and would be restored. If another payment took its place in the
/// meantime, it stays undone: nothing is paid twice. A rule that grants for every payment grants for both.
async fn contested(
    app: &App,
    before: &Commission,
    (after, change): (Commission, Money),
    next: Place,
    writes: &mut Vec<Fragment<Moved>>,
) -> Result<(Commission, Money), AppError> {
    let is_restored = before.is_undone() && !after.is_undone();
    if !is_restored || before.snapshot.rule.trigger != Trigger::FirstPayment {
        return Ok((after, change));
    }
    let next = Commission { place: next, ..before.clone() };
    if app.store.commissions().in_place_of(&next).await?.is_some() {
        return Ok((Commission { superseded: true, ..before.clone() }, Money::zero(change.currency())));
    }
    writes.push(app.store.commissions().place_is_free(&next, Moved::Commission)?);
    Ok((after, change))
}

/// The wallets that a reversal changes, each with its new entries. Two commissions can share a wallet.
#[derive(Default)]
struct Touched(BTreeMap<(MemberId, WalletKind, String), (Wallet, Vec<Entry>)>);

impl Touched {
    async fn change(&mut self, app: &App, commission: &Commission, change: Money) -> Result<(), AppError> {
        let (member, kind) = (&commission.beneficiary, commission.snapshot.rule.target);
        let key = (member.clone(), kind, change.currency().to_string());
        let (wallet, mut entries) = match self.0.remove(&key) {
            Some(touched) => touched,
            None => (app.store.wallets().find(member, kind, change.currency()).await?, Vec::new()),
        };
        let (id, now) = (commission.id.clone(), app.now());
        let (wallet, entry) = if change.is_positive() {
            wallet.reinstate(change, id, now)?
        } else {
            wallet.claw_back(change.checked_neg()?, id, now)?
        };
        entries.push(entry);
        self.0.insert(key, (wallet, entries));
        Ok(())
    }
}
