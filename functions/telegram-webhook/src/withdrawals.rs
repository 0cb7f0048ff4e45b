//! `/withdraw`: what a member can have paid out, and asking for it: a line says what, and a button confirms it. A
//! destination is shown in full only under that button, to its owner, and never logged.

use guerdon_app::{
    error::AppError,
    intents::IntentRefusal,
    settings::settings_now,
    withdrawals::{
        Confirmed, WithdrawView, WithdrawalError, WithdrawalOffer, confirm_withdrawal, offer_withdrawal,
        withdraw_view,
    },
};
use guerdon_domain::{
    ids::IntentId,
    intents::ActionKind,
    members::Member,
    money::Money,
    time::Timestamp,
    withdrawals::{DestinationError, PayoutMethod, WithdrawalRules, WithdrawalState},
};
use guerdon_telegram::{
    keyboard::{Button, Keyboard},
    nav::Nav,
    spend::{Decision, Spend},
    texts::{WithdrawTexts, fill, fill_html},
};

use crate::{
    reply::{Page, Words},
    state::Bot,
};

/// The command that shows what can be withdrawn.
pub(crate) const COMMAND: &str = "/withdraw";

/// The available amount, the open withdrawal, and how to ask for one.
pub(crate) async fn page(bot: &Bot, words: Words, member: &Member) -> Result<Page, AppError> {
    let Some(view) = withdraw_view(&bot.app, &member.id).await? else {
        return Ok(Page::text(words.not_offered));
    };
    let text = &words.withdraw;
    let WithdrawView { rules, wallet, open, next_from } = view;
    let values = [("available", wallet.available().to_string()), ("minimum", rules.minimum.to_string())];
    let mut shown = fill(text.page, &values.each_ref().map(|(name, value)| (*name, value.as_str())));
    if let Some(open) = &open {
        let state = match open.state() {
            WithdrawalState::Approved => text.state_approved,
            WithdrawalState::Paying => text.state_paying,
            _ => text.state_requested,
        };
        let amount = open.amount.to_string();
        let values =
            [("amount", amount.as_str()), ("destination", &open.destination.masked), ("state", state)];
        shown.push_str(&fill(text.open, &values));
    } else if let Some(next) = next_from {
        shown.push_str(&fill(text.later, &[("at", &clock(next))]));
    } else {
        shown.push_str(&fill_html(text.usage, &[("rows", &usage(text, &rules))]));
    }
    if wallet.owed().is_positive() {
        shown.push_str(&fill(words.credits_owed, &[("owed", &wallet.owed().to_string())]));
    }
    let back = Button::nav(words.button_back, Nav::Credits { cursor: None });
    Ok(Page { text: shown, keyboard: Keyboard::new().row([back]) })
}

/// Shows what the line asks for, with a button that confirms it and one that cancels it.
pub(crate) async fn offer(
    bot: &Bot,
    words: Words,
    member: &Member,
    line: &str,
    cause: &str,
) -> Result<Page, AppError> {
    let text = &words.withdraw;
    let settings = settings_now(&bot.app).await?;
    let Some(rules) = &settings.preset.withdrawals else { return Ok(Page::text(words.not_offered)) };
    let Some((amount, method, destination)) = parts(line) else {
        return Ok(Page::text(fill_html(text.unreadable, &[("rows", &usage(text, rules))])));
    };
    let Some(method) = read_method(method) else {
        return Ok(Page::text(fill_html(text.bad_method, &[("rows", &usage(text, rules))])));
    };
    let Ok(amount) = Money::parse_major(amount, bot.app.preset.currency) else {
        return Ok(Page::text(fill(text.bad_amount, &[("amount", &least(rules))])));
    };
    match offer_withdrawal(&bot.app, member, amount, (method, destination), cause).await {
        Ok(offer) => Ok(offered(words, &offer)),
        Err(WithdrawalError::App(error)) => Err(error),
        Err(error) => Ok(Page::text(refused(words, rules, &error))),
    }
}

fn offered(words: Words, offer: &WithdrawalOffer) -> Page {
    let text = &words.withdraw;
    let method = match offer.destination.method() {
        PayoutMethod::Upi => text.method_upi,
        PayoutMethod::Iban => text.method_iban,
        PayoutMethod::BankIn => text.method_bank_in,
    };
    let shown = fill(
        text.offer,
        &[
            ("amount", &offer.amount.to_string()),
            ("method", method),
            ("destination", offer.destination.expose()),
            ("until", &clock(offer.until)),
        ],
    );
    let button = |label, decision| {
        Button::spend(label, Spend { decision, kind: ActionKind::Withdraw, id: offer.id.clone() })
    };
    let keyboard = Keyboard::new().row([
        button(words.intents.button_confirm, Decision::Confirm),
        button(words.intents.button_cancel, Decision::Cancel),
    ]);
    Page { text: shown, keyboard }
}

/// Asks for what the member was shown under the intent.
///
/// # Errors
/// Within: the reason why the button does nothing.
pub(crate) async fn confirm(
    bot: &Bot,
    words: Words,
    member: &Member,
    id: &IntentId,
) -> Result<Result<Page, IntentRefusal>, AppError> {
    let asked = match confirm_withdrawal(&bot.app, member, id).await {
        Ok(Confirmed::Asked(asked)) => asked,
        Ok(Confirmed::Refused(refusal)) => return Ok(Err(refusal)),
        Err(WithdrawalError::App(error)) => return Err(error),
        Err(error) => {
            let settings = settings_now(&bot.app).await?;
            let rules = settings.preset.withdrawals.as_ref();
            let text =
                rules.map_or_else(|| words.not_offered.to_owned(), |rules| refused(words, rules, &error));
            return Ok(Ok(Page::text(text)));
        }
    };
    let (amount, masked) = (asked.withdrawal().amount.to_string(), &asked.withdrawal().destination.masked);
    Ok(Ok(Page::text(fill(words.withdraw.asked, &[("amount", &amount), ("destination", masked)]))))
}

/// `500 upi name@bank`: an IBAN may have spaces in it, so the destination is all the rest.
fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let (amount, rest) = line.trim().split_once(char::is_whitespace)?;
    let (method, destination) = rest.trim_start().split_once(char::is_whitespace)?;
    Some((amount, method, destination.trim()))
}

fn read_method(word: &str) -> Option<PayoutMethod> {
    PayoutMethod::parse(&word.to_ascii_lowercase())
}

/// The least amount, as it is typed.
fn least(rules: &WithdrawalRules) -> String {
    rules.minimum.to_major().to_string()
}

fn usage(text: &WithdrawTexts, rules: &WithdrawalRules) -> String {
    let row = |method: &PayoutMethod| {
        let template = match method {
            PayoutMethod::Upi => text.usage_upi,
            PayoutMethod::Iban => text.usage_iban,
            PayoutMethod::BankIn => text.usage_bank_in,
        };
        fill(template, &[("amount", &least(rules))])
    };
    rules.methods.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// `2026-11-22 09:30:00 UTC`.
fn clock(at: Timestamp) -> String {
    at.to_string().replace('T', " ").replace('Z', " UTC")
}

/// Tells the member why a request was refused, and what to do next.
fn refused(words: Words, rules: &WithdrawalRules, error: &WithdrawalError) -> String {
    use WithdrawalError as E;
    let text = &words.withdraw;
    match error {
        E::NotOffered => words.not_offered.to_owned(),
        E::MethodNotOffered => fill_html(text.bad_method, &[("rows", &usage(text, rules))]),
        E::Destination(DestinationError::Malformed(PayoutMethod::Upi)) => text.bad_upi.to_owned(),
        E::Destination(DestinationError::Malformed(PayoutMethod::Iban)) => text.bad_iban.to_owned(),
        E::Destination(DestinationError::Malformed(PayoutMethod::BankIn)) => text.bad_bank_in.to_owned(),
        E::BadAmount(_) => fill(text.bad_amount, &[("amount", &least(rules))]),
        E::BelowMinimum(minimum) => fill(text.below_minimum, &[("minimum", &minimum.to_string())]),
        E::Insufficient { available } => fill(text.insufficient, &[("available", &available.to_string())]),
        E::Owes(owed) => fill(text.owes, &[("owed", &owed.to_string())]),
        E::OneOpen(_) => text.one_open.to_owned(),
        E::CoolingDown(at) => fill(text.cooling_down, &[("at", &clock(*at))]),
        E::Barred => text.barred.to_owned(),
        E::UnderReview => text.under_review.to_owned(),
        // Nothing of this comes of a member's own line.
        E::Destination(DestinationError::Unreadable)
        | E::UnknownMember
        | E::Unknown
        | E::WrongState(_)
        | E::SameOperator
        | E::BadText(_)
        | E::KeyReused
        | E::App(_) => words.trouble.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_three_parts() {
        let check = |line: &str, expect| assert_eq!(parts(line), expect, "{line}");
        check("500 upi asha@okhdfc", Some(("500", "upi", "asha@okhdfc")));
        check(" 500   iban  PL61 1090 1014 ", Some(("500", "iban", "PL61 1090 1014")));
        for line in ["", "500", "500 upi", "500 upi "] {
            check(line, None);
        }
        assert_eq!(read_method("UPI"), Some(PayoutMethod::Upi));
        assert_eq!(read_method("bank_in"), Some(PayoutMethod::BankIn));
        assert_eq!(read_method("paypal"), None);
    }
}
