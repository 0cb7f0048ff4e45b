//! Verification: recomputes the ledger from the stored data and reports the first difference.
//!
//! It reads the whole table page by page and goes in both directions: from a wallet to what moved it, and from what
//! moved a wallet back to it. It runs while the business writes. A difference counts only if repeated reads confirm it.

use std::collections::BTreeSet;

use guerdon_domain::{payments::PaymentRecord, wallets::Wallet};
use guerdon_store::{
    table::metered,
    verification::{Misfit, ScanCursor, Scanned, Verification},
};

use super::{
    commission::commission_differences,
    difference::Difference,
    known::Known,
    payment::{link_differences, order_differences, payment_differences},
    referral::{member_records, referral_differences},
    standing::{customer_differences, customer_link_differences, flag_differences},
    wallet::{member_differences, without_wallet},
};
use crate::{context::App, error::AppError};

/// The progress of a verification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Wallets recomputed.
    pub wallets: u64,
    /// Payments recomputed.
    pub payments: u64,
    /// Commissions traced to their payments.
    pub commissions: u64,
    /// Differences that operators have acknowledged and that are as they were then.
    pub acknowledged: u64,
    /// The position to continue from; absent at the end.
    pub next: Option<ScanCursor>,
    /// The first difference. What is behind its page was not verified.
    pub difference: Option<Difference>,
}

/// Number of reads before a difference counts. A write between two reads is not a difference.
const LOOKS: u32 = 3;

/// Verifies the part of the ledger in the next `items` of the table.
///
/// # Errors
/// [`AppError`] when the table cannot be read.
pub async fn verify_ledger(app: &App, from: Option<&ScanCursor>, items: i32) -> Result<Verified, AppError> {
    metered("verify_ledger", async { verify_page(app, &Known::kept(app).await?, from, items).await }).await
}

async fn verify_page(
    app: &App,
    known: &Known,
    from: Option<&ScanCursor>,
    items: i32,
) -> Result<Verified, AppError> {
    let (mut verified, mut confirmed) = (Verified::default(), Confirmed::default());
    for look in 0..LOOKS {
        // Most pages have no difference. Only a look that confirms one pays for what was written a moment ago.
        let reads = if look == 0 { app.store.verification().lagging() } else { app.store.verification() };
        let page = reads.scan(from, items).await?;
        let all = differences((app, reads), known, &page).await?;
        let (acknowledged, found): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|one| known.is_acknowledged(one));
        verified = Verified {
            wallets: page.wallets.len() as u64,
            payments: page.payments.len() as u64,
            commissions: page.commissions.len() as u64,
            acknowledged: acknowledged.len() as u64,
            next: page.next,
            difference: None,
        };
        if confirmed.is_sound(found) {
            return Ok(verified);
        }
    }
    verified.difference = confirmed.first();
    Ok(verified)
}

/// The differences that every look so far has found.
#[derive(Default)]
struct Confirmed(Option<Vec<Difference>>);

impl Confirmed {
    /// Keeps those that this look found, too. Returns whether none is left.
    fn is_sound(&mut self, mut found: Vec<Difference>) -> bool {
        if let Some(before) = &self.0 {
            let ids: BTreeSet<String> = before.iter().map(Difference::id).collect();
            found.retain(|one| ids.contains(&one.id()));
        }
        self.0.insert(found).is_empty()
    }

    fn first(self) -> Option<Difference> {
        self.0.into_iter().flatten().next()
    }
}

/// Compares everything on a page with what belongs to it, wherever that is. The reads are bounded by the page, except
/// that the owners of wallets on it are read whole: once for each wallet.
async fn differences(
    on @ (app, reads): (&App, Verification<'_>),
    known: &Known,
    page: &Scanned,
) -> Result<Vec<Difference>, AppError> {
    let mut found = Vec::new();
    let mut owners: BTreeSet<_> = page.wallets.iter().map(|wallet| wallet.member.clone()).collect();
    owners.extend(without_wallet(reads, page).await?);
    for member in &owners {
        found.extend(member_differences(on, member).await?);
    }
    found.extend(payment_differences(on, &page.payments).await?);
    found.extend(commission_differences(on, known, &page.commissions).await?);
    found.extend(link_differences(on, &page.payment_links).await?);
    found.extend(order_differences(on, &page.orders).await?);
    found.extend(referral_differences(on, &page.referrals).await?);
    found.extend(member_records(on, &page.members).await?);
    found.extend(customer_differences(on, &page.customers).await?);
    found.extend(customer_link_differences(on, &page.customer_links).await?);
    found.extend(flag_differences(on, &page.members, &page.flags).await?);
    found.extend(page.misfits.iter().map(|misfit| misfitting(app, misfit)));
    Ok(found)
}

fn misfitting(app: &App, misfit: &Misfit) -> Difference {
    let subject = format!("{} {}", misfit.kind, app.pseudonyms.log_tag(&misfit.place));
    Difference::new(subject, format!("{} (its content is {})", misfit.problem, misfit.content))
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
    let known = Known::kept(app).await?;
    let mut from = app.store.verification().cursor().await?;
    let mut all = Verified::default();
    loop {
        all.add(metered("verify_ledger", verify_page(app, &known, from.as_ref(), PAGE)).await?);
        let notes = app.store.verification();
        if let Some(difference) = &all.difference {
            notes.keep_cursor(from.as_ref(), Some(difference.found()), app.now()).await?;
            return Ok(all);
        }
        notes.keep_cursor(all.next.as_ref(), None, app.now()).await?;
        if all.next.is_none() || app.now() >= until {
            return Ok(all);
        }
        from.clone_from(&all.next);
    }
}

/// Verifies the whole ledger from its beginning, without a time limit. It writes nothing.
///
/// # Errors
/// [`AppError`] when the table cannot be read.
pub async fn verify_all(app: &App) -> Result<Verified, AppError> {
    let known = Known::read(app).await?;
    let mut all = Verified::default();
    loop {
        let from = all.next.clone();
        all.add(metered("verify_ledger", verify_page(app, &known, from.as_ref(), PAGE)).await?);
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
        self.acknowledged += page.acknowledged;
        self.next = page.next;
        self.difference = page.difference;
    }
}

/// Recomputes the ledger of a wallet's owner: statements, and the commissions, withdrawals, postings, invoices and
/// adjustments of their entries.
///
/// # Errors
/// [`AppError`] when the table cannot be read.
pub async fn verify_wallet(app: &App, wallet: &Wallet) -> Result<Option<Difference>, AppError> {
    let mut confirmed = Confirmed::default();
    for _ in 0..LOOKS {
        let found = member_differences((app, app.store.verification()), &wallet.member).await?;
        if confirmed.is_sound(found) {
            return Ok(None);
        }
    }
    Ok(confirmed.first())
}

/// Recomputes one payment: each grant has its commission, and its clawback equals the reversed amount.
///
/// # Errors
/// [`AppError`] when the table cannot be read.
pub async fn verify_payment(app: &App, payment: &PaymentRecord) -> Result<Option<Difference>, AppError> {
    let mut confirmed = Confirmed::default();
    for _ in 0..LOOKS {
        let payment = app.store.payments().find(&payment.payment).await?;
        let found = match payment {
            Some(payment) => {
                payment_differences((app, app.store.verification()), std::slice::from_ref(&payment)).await?
            }
            None => vec![Difference::new("payment", "it is gone")],
        };
        if confirmed.is_sound(found) {
            return Ok(None);
        }
    }
    Ok(confirmed.first())
}
