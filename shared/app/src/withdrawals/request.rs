//! Requests of members for a withdrawal.

use guerdon_domain::{
    ids::MemberId,
    intents::Intent,
    members::Member,
    money::Money,
    settings::Settings,
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

/// A request that passed [`check_request`].
pub(super) struct NewRequest<'a> {
    pub(super) amount: Money,
    pub(super) destination: &'a Destination,
    /// The caller's key.
    pub(super) key: &'a str,
    /// The intent that the request uses up, before and after it.
    pub(super) uses: Option<(&'a Intent, &'a Intent)>,
}

async fn request(
    app: &App,
    (member, known): (&MemberId, Option<&Member>),
    amount: Money,
    parts: (PayoutMethod, &str),
    key: &str,
) -> Result<WithdrawalAsked, WithdrawalError> {
    let settings = settings_now(app).await?;
    check_text_key(key)?;
    let (rules, destination) = check_request(app, &settings, amount, parts)?;
    let known = match known {
        Some(known) => known.clone(),
        None => app.store.members().find(member).await?.ok_or(WithdrawalError::UnknownMember)?,
    };
    let new = NewRequest { amount, destination: &destination, key, uses: None };
    let mut attempts = Attempts::default();
    loop {
        if let Some(asked) = asked_before(app, member, &new).await? {
            return Ok(WithdrawalAsked::AlreadyApplied(asked));
        }
        let wallet = match check_standing(app, &settings, rules, &known, amount).await {
            Ok(wallet) => wallet,
            Err(error) => return faster_twin(app, member, &new, error).await,
        };
        if let Some(withdrawal) = ask(app, wallet, &new).await? {
            return Ok(WithdrawalAsked::Applied(withdrawal));
        }
        attempts.again(app).await?;
    }
}

/// Checks what a request says, by the rules in force.
pub(super) fn check_request<'a>(
    app: &App,
    settings: &'a Settings,
    amount: Money,
    (method, destination): (PayoutMethod, &str),
) -> Result<(&'a WithdrawalRules, Destination), WithdrawalError> {
    let rules = settings.preset.withdrawals.as_ref().ok_or(WithdrawalError::NotOffered)?;
    if amount.currency() != app.preset.currency || !amount.is_positive() {
        return Err(WithdrawalError::BadAmount(app.preset.currency));
    }
    if amount.minor() < rules.minimum.minor() {
        return Err(WithdrawalError::BelowMinimum(rules.minimum));
    }
    if !rules.methods.contains(&method) {
        return Err(WithdrawalError::MethodNotOffered);
    }
    Ok((rules, Destination::parse(method, destination)?))
}

/// Checks that the member can have `amount` now, and returns the wallet that it comes from.
pub(super) async fn check_standing(
    app: &App,
    settings: &Settings,
    rules: &WithdrawalRules,
    member: &Member,
    amount: Money,
) -> Result<Wallet, WithdrawalError> {
    if !settings.withdrawals_enabled {
        return Err(WithdrawalError::NotOffered);
    }
    check_member(member)?;
    settle_for_view(app, &member.id).await?;
    let wallet = app.store.wallets().find(&member.id, rules.wallet, app.preset.currency).await?;
    check(app, rules, &wallet, amount)?;
    Ok(wallet)
}

fn check_text_key(key: &str) -> Result<(), WithdrawalError> {
    let fits = (1..=200).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(()) } else { Err(WithdrawalError::BadText("the idempotency key")) }
}

/// Maximum number of a member's requests that are searched for a key. Repeated calls come soon after the
/// first one.
const LOOKED_BACK: i32 = 50;

/// Finds the withdrawal that the member requested under this key.
pub(super) async fn asked_under(
    app: &App,
    member: &MemberId,
    key: &str,
) -> Result<Option<Withdrawal>, AppError> {
    let known = app.store.withdrawals().of(member, None, LOOKED_BACK).await?;
    Ok(known.into_iter().find(|withdrawal| withdrawal.request_key == key))
}

/// Answers a request that was refused: a call at the same time may have made it, which is the reason then.
///
/// # Errors
/// The refusal, when no such call was faster.
pub(super) async fn faster_twin(
    app: &App,
    member: &MemberId,
    new: &NewRequest<'_>,
    refusal: WithdrawalError,
) -> Result<WithdrawalAsked, WithdrawalError> {
    let made = asked_before(app, member, new).await?;
    made.map(WithdrawalAsked::AlreadyApplied).ok_or(refusal)
}

async fn asked_before(
    app: &App,
    member: &MemberId,
    new: &NewRequest<'_>,
) -> Result<Option<Withdrawal>, WithdrawalError> {
    let Some(same) = asked_under(app, member, new.key).await? else { return Ok(None) };
    let alike = same.amount == new.amount
        && same.destination.fingerprint == new.destination.fingerprint(&app.pseudonyms)
        && same.destination.method == new.destination.method();
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

/// Commits the request. Nothing when another writer changed the wallet or the intent first.
pub(super) async fn ask(
    app: &App,
    wallet: Wallet,
    new: &NewRequest<'_>,
) -> Result<Option<Withdrawal>, WithdrawalError> {
    let (now, amount) = (app.now(), new.amount);
    let id = withdrawal_id(&wallet.member, wallet.seq + 1)?;
    let nonce = app.entropy.nonce().map_err(AppError::from)?;
    let withdrawal = Withdrawal {
        id: id.clone(),
        member: wallet.member.clone(),
        seq: wallet.seq + 1,
        wallet: wallet.kind,
        amount,
        destination: new.destination.seal(&app.pseudonyms, &id, nonce)?,
        request_key: new.key.to_owned(),
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
    if let Some((before, after)) = new.uses {
        writes.push(app.store.intents().replace(before, after, ())?);
    }
    let refused = refusal(app.store.commit(&writes).await)?;
    Ok(refused.is_none().then_some(withdrawal))
}
