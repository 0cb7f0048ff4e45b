//! `/credits`: the wallet that the member's rewards come into, and its statement.

use guerdon_app::{
    commissions::offer_claim,
    error::AppError,
    settings::settings_now,
    wallets::{CreditsView, ToClaim, credits_view},
};
use guerdon_domain::{
    intents::ActionKind,
    members::Member,
    money::Money,
    wallets::{Entry, EntryKind, Wallet},
};
use guerdon_telegram::{
    keyboard::{Button, Keyboard},
    nav::Nav,
    purse::Purse,
    spend::{Decision, Spend},
    texts::{fill, fill_html},
};

use crate::{
    reply::{Page, Words},
    state::Bot,
};

/// Lines of a statement on one page.
pub(crate) const HISTORY_LINES: i32 = 8;

/// The command that shows the statement.
pub(crate) const COMMAND: &str = "/credits";

/// A page of the statement, older than entry `before`.
pub(crate) async fn statement(
    bot: &Bot,
    words: Words,
    member: &Member,
    before: Option<u64>,
    cause: &str,
) -> Result<Page, AppError> {
    let view = credits_view(&bot.app, member, before, HISTORY_LINES).await?;
    page(bot, words, member, &view, before, cause).await
}

/// A view of the statement as a page; `cursor` is where it began.
pub(crate) async fn page(
    bot: &Bot,
    words: Words,
    member: &Member,
    view: &CreditsView,
    cursor: Option<u64>,
    cause: &str,
) -> Result<Page, AppError> {
    let wallet = &view.wallet;
    let to_claim = view.to_claim.as_ref().map(|to_claim| to_claim.amounts.as_slice()).unwrap_or_default();
    let claims = to_claim.iter().filter(|amount| amount.currency() == wallet.currency);
    let claims = claims.fold(0, |sum: i64, amount| sum.saturating_add(amount.minor()));
    let on_hold = Money::new(view.on_hold.minor().saturating_sub(claims).max(0), wallet.currency);
    let purse = Purse::of(wallet.kind, wallet.currency);
    let balance = wallet.available().checked_add(wallet.held())?;
    let mut text = fill(
        words.purse(purse).page,
        &[
            ("balance", &balance.to_string()),
            ("available", &wallet.available().to_string()),
            ("held", &wallet.held().to_string()),
            ("on_hold", &on_hold.to_string()),
            ("applied", &wallet.applied().to_string()),
        ],
    );
    let mut claim = None;
    if let Some(ToClaim { amounts, until }) = &view.to_claim {
        let id = offer_claim(&bot.app, &member.id, amounts, cause).await?;
        let spend = Spend { decision: Decision::Confirm, kind: ActionKind::Claim, id };
        let amounts: Vec<_> = amounts.iter().map(Money::to_string).collect();
        let (amount, day) = (amounts.join(", "), until.last_whole_day());
        text.push_str(&fill(words.credits_to_claim, &[("amount", &amount), ("day", &day)]));
        claim = Some(Button::spend(fill_html(words.button_claim, &[("amount", &amount)]), spend));
    }
    if purse == Purse::BillCredit && wallet.held().is_positive() {
        text.push_str(&fill(words.credits_on_bill, &[("posted", &wallet.held().to_string())]));
    } else if purse == Purse::BillCredit && balance.is_positive() && !view.has_customer {
        text.push_str(words.credits_no_customer);
    }
    if view.wallet.owed().is_positive() {
        text.push_str(&fill(words.credits_owed, &[("owed", &view.wallet.owed().to_string())]));
    }
    for wallet in &view.others {
        text.push_str(&other(words, wallet));
    }
    if view.entries.is_empty() && view.to_claim.is_none() {
        text.push_str(words.credits_no_history);
    } else if !view.entries.is_empty() {
        let rows: Vec<_> = view.entries.iter().map(|entry| entry_row(words, entry)).collect();
        text.push_str(&fill_html(words.credits_history, &[("rows", &rows.join("\n"))]));
    }
    let mut paging = Vec::new();
    if cursor.is_some() {
        paging.push(Button::nav(words.button_back, Nav::Credits { cursor: None }));
    }
    if let Some(before) = view.next_before {
        paging.push(Button::nav(words.button_older, Nav::Credits { cursor: Some(before) }));
    }
    let settings = settings_now(&bot.app).await?;
    let rules = settings.preset.withdrawals.as_ref().filter(|_| settings.withdrawals_enabled);
    let payable =
        rules.filter(|rules| rules.wallet == wallet.kind && wallet.currency == bot.app.preset.currency);
    let withdraw = payable.map(|_| Button::nav(words.button_withdraw, Nav::Withdraw));
    let keyboard = Keyboard::new()
        .row(claim)
        .row(paging)
        .row(withdraw)
        .row([Button::nav(words.button_recruit, Nav::Recruit), Button::nav(words.button_plans, Nav::Plans)]);
    Ok(Page { text, keyboard })
}

/// The line of a wallet that rewards do not come into at present.
fn other(words: Words, wallet: &Wallet) -> String {
    let amounts = [wallet.available(), wallet.held(), wallet.owed()].map(|amount| amount.to_string());
    let [available, held, owed] = &amounts;
    let kind = words.purse(Purse::of(wallet.kind, wallet.currency)).button;
    let mut line = fill(words.credits_other, &[("kind", kind), ("available", available)]);
    if wallet.held().is_positive() {
        line.push_str(&fill(words.credits_other_held, &[("held", held)]));
    }
    if wallet.owed().is_positive() {
        line.push_str(&fill(words.credits_other_owed, &[("owed", owed)]));
    }
    line
}

fn entry_row(words: Words, entry: &Entry) -> String {
    let inside = entry.delta.available.saturating_add(entry.delta.held);
    // The amount that entered or left the wallet says more than the bucket it landed in: some of it may have
    // paid a debt.
    let moved = match entry.house {
        Some((_, minor)) => minor,
        None if inside == 0 => entry.delta.held,
        None => inside,
    };
    let template = match entry.kind {
        EntryKind::CommissionsReleased { .. } => words.entry_released,
        EntryKind::CreditPosted { .. } => words.entry_posted,
        EntryKind::CreditUnposted { .. } | EntryKind::CreditRecalled { .. } => words.entry_unposted,
        EntryKind::CreditApplied { .. } => words.entry_applied,
        EntryKind::CreditReturned { .. } => words.entry_returned,
        EntryKind::ClawedBack { .. } => words.entry_clawed_back,
        EntryKind::Reinstated { .. } => words.entry_reinstated,
        EntryKind::WithdrawalRequested { .. } => words.entry_withdrawal_requested,
        EntryKind::WithdrawalReturned { .. } => words.entry_withdrawal_returned,
        EntryKind::WithdrawalPaid { .. } => words.entry_withdrawal_paid,
        EntryKind::Adjusted { .. } if inside < 0 => words.entry_taken,
        EntryKind::Adjusted { .. } => words.entry_given,
    };
    let amount = Money::new(moved.saturating_abs(), entry.currency);
    fill(template, &[("day", &entry.at.day()), ("amount", &amount.to_string())])
}
