//! Requests of members for a withdrawal.

use guerdon_domain::{
    ids::MemberId,
    members::Member,
    money::Money,
    wallets::{Wallet, WalletError},
    withdrawals::{Destination, PayoutMethod, Step, Withdrawal, WithdrawalRules},
};
use guerdon_store::table::{metered, withdrawal_id};

use super::error::{WithdrawalError, check_member};
use crate::{
    attempt::Attempts,
    commissions::settle_for_view,
    context::App,
    error::{AppError, refusal},
    settings::settings_now,
};

/// The result of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WithdrawalAsked {
    /// This call created the withdrawal.
    Applied(Withdrawal),
    /// An earlier call under the same key created it.
    AlreadyApplied(Withdrawal),
}

impl WithdrawalAsked {
    /// Returns the withdrawal.
    pub const fn withdrawal(&self) -> &Withdrawal {
        match self {
            Self::Applied(withdrawal) | Self::AlreadyApplied(withdrawal) => withdrawal,
        }
    }
}

/// Requests `amount` from the member's withdrawable wallet, in one transaction of the wallet, its entry and
/// the withdrawal. A repeated call under the same caller's `key` returns the same withdrawal.
///
/// # Errors
/// [`WithdrawalError`]; nothing was changed.
pub async fn request_withdrawal(
    app: &App,
    member: &MemberId,
    amount: Money,
    (method, destination): (PayoutMethod, &str),
    key: &str,
) -> Result<WithdrawalAsked, WithdrawalError> {
    metered("request_withdrawal", request(app, (member, None), amount, (method, destination), key)).await
}

/// Like [`request_withdrawal`], for a caller that has just read the member.
///
/// # Errors
/// [`WithdrawalError`]; nothing was changed.
pub async fn request_withdrawal_as(
    app: &App,
    member: &Member,
    amount: Money,
    (method, destination): (PayoutMethod, &str),
    key: &str,
) -> Result<WithdrawalAsked, WithdrawalError> {
    let whose = (&member.id, Some(member));
    metered("request_withdrawal", request(app, whose, amount, (method, destination), key)).await
}

async fn request(
    app: &App,
    (member, known): (&MemberId, Option<&Member>),
    amount: Money,
    (method, destination): (PayoutMethod, &str),
    key: &str,
) -> Result<WithdrawalAsked, WithdrawalError> {
    let settings = settings_now(app).await?;
    let rules = settings.preset.withdrawals.as_ref().ok_or(WithdrawalError::NotOffered)?;
    check_text_key(key)?;
    if amount.currency() != app.preset.currency || !amount.is_positive() {
        return Err(WithdrawalError::BadAmount(app.preset.currency));
    }
    if amount.minor() < rules.minimum.minor() {
        return Err(WithdrawalError::BelowMinimum(rules.minimum));
    }
    if !rules.methods.contains(&method) {
        return Err(WithdrawalError::MethodNotOffered);
    }
    let destination = Destination::parse(method, destination)?;
    let known = match known {
        Some(known) => known.clone(),
        None => app.store.members().find(member).await?.ok_or(WithdrawalError::UnknownMember)?,
    };
    let mut attempts = Attempts::default();
    loop {
        if let Some(asked) = asked_before(app, member, amount, &destination, key).await? {
            return Ok(WithdrawalAsked::AlreadyApplied(asked));
        }
        if !settings.withdrawals_enabled {
            return Err(WithdrawalError::NotOffered);
        }
        check_member(&known)?;
        settle_for_view(app, member).await?;
        let wallet = app.store.wallets().find(member, rules.wallet, app.preset.currency).await?;
        check(app, rules, &wallet, amount)?;
        if let Some(withdrawal) = ask(app, wallet, amount, &destination, key).await? {
            return Ok(WithdrawalAsked::Applied(withdrawal));
        }
        attempts.again(app).await?;
    }
}

fn check_text_key(key: &str) -> Result<(), WithdrawalError> {
    let fits = (1..=200).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(()) } else { Err(WithdrawalError::BadText("the idempotency key")) }
}

/// Maximum number of a member's requests that are searched for a key. Repeated calls come soon after the
/// first one.
const LOOKED_BACK: i32 = 50;

async fn asked_before(
    app: &App,
    member: &MemberId,
    amount: Money,
    destination: &Destination,
    key: &str,
) -> Result<Option<Withdrawal>, WithdrawalError> {
    let known = app.store.withdrawals().of(member, None, LOOKED_BACK).await?;
    let Some(same) = known.into_iter().find(|withdrawal| withdrawal.request_key == key) else {
        return Ok(None);
    };
    let alike = same.amount == amount
        && same.destination.fingerprint == destination.fingerprint(&app.pseudonyms)
        && same.destination.method == destination.method();
    if alike { Ok(Some(same)) } else { Err(WithdrawalError::KeyReused) }
}

fn check(app: &App, rules: &WithdrawalRules, wallet: &Wallet, amount: Money) -> Result<(), WithdrawalError> {
    if let Some(open) = &wallet.open_withdrawal {
        return Err(WithdrawalError::OneOpen(open.clone()));
    }
    let next = wallet.withdrew_at.map(|at| at.plus_seconds(rules.cool_down_seconds));
    if let Some(next) = next.filter(|next| app.now() < *next) {
        return Err(WithdrawalError::CoolingDown(next));
    }
    if wallet.owed().is_positive() {
        return Err(WithdrawalError::Owes(wallet.owed()));
    }
    if wallet.available().minor() < amount.minor() {
        return Err(WithdrawalError::Insufficient { available: wallet.available() });
    }
    Ok(())
}

async fn ask(
    app: &App,
    wallet: Wallet,
    amount: Money,
    destination: &Destination,
    key: &str,
) -> Result<Option<Withdrawal>, WithdrawalError> {
    let now = app.now();
    let id = withdrawal_id(&wallet.member, wallet.seq + 1)?;
    let nonce = app.entropy.nonce().map_err(AppError::from)?;
    let withdrawal = Withdrawal {
        id: id.clone(),
        member: wallet.member.clone(),
        seq: wallet.seq + 1,
        wallet: wallet.kind,
        amount,
        destination: destination.seal(&app.pseudonyms, &id, nonce)?,
        request_key: key.to_owned(),
        requested_at: now,
        step: Step::Requested,
    };
    let (wallet, entry) = match wallet.request_withdrawal(amount, id, now) {
        Ok(posted) => posted,
        Err(WalletError::Owes(owed)) => return Err(WithdrawalError::Owes(owed)),
        Err(error) => return Err(error.into()),
    };
    let mut writes = app.store.wallets().post(&wallet, &entry, ())?;
    writes.push(app.store.withdrawals().insert(&withdrawal, ())?);
    let refused = refusal(app.store.commit(&writes).await)?;
    Ok(refused.is_none().then_some(withdrawal))
}
