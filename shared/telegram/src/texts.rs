//! Everything the bot says, in one place: one constant a language.
//!
//! A template's `{name}` is filled by [`fill`], which escapes the value: no member's name can break or
//! forge a message. Texts are Telegram HTML.

use crate::html::escape;

/// All texts of one language.
#[derive(Debug)]
#[allow(missing_docs, reason = "each field is named after the place where its text stands")]
pub struct Texts {
    pub welcome: &'static str,
    pub welcome_referred: &'static str,
    pub welcome_back: &'static str,
    pub refused_unknown_code: &'static str,
    pub refused_expired_code: &'static str,
    pub refused_own_code: &'static str,
    pub refused_already_referred: &'static str,
    pub refused_already_member: &'static str,
    pub refused_unreadable: &'static str,
    pub recruit: &'static str,
    pub recruit_share_text: &'static str,
    pub leaderboard: &'static str,
    pub leaderboard_empty: &'static str,
    pub leaderboard_row: &'static str,
    pub leaderboard_you: &'static str,
    pub leaderboard_not_ranked: &'static str,
    pub period_week: &'static str,
    pub period_month: &'static str,
    pub period_all: &'static str,
    pub credits: &'static str,
    pub credits_on_bill: &'static str,
    pub credits_no_customer: &'static str,
    pub credits_owed: &'static str,
    pub credits_history: &'static str,
    pub credits_no_history: &'static str,
    pub entry_released: &'static str,
    pub entry_posted: &'static str,
    pub entry_unposted: &'static str,
    pub entry_applied: &'static str,
    pub entry_returned: &'static str,
    pub entry_clawed_back: &'static str,
    pub entry_reinstated: &'static str,
    pub entry_withdrawal_requested: &'static str,
    pub entry_withdrawal_returned: &'static str,
    pub entry_withdrawal_paid: &'static str,
    pub entry_given: &'static str,
    pub entry_taken: &'static str,
    pub profile: &'static str,
    pub profile_standing: &'static str,
    pub profile_next: &'static str,
    pub profile_badges: &'static str,
    pub plans: &'static str,
    pub plans_no_link: &'static str,
    pub plan_row: &'static str,
    pub help: &'static str,
    pub privacy: &'static str,
    pub terms: &'static str,
    pub pay_support: &'static str,
    pub unknown: &'static str,
    pub not_offered: &'static str,
    pub stars_refused: &'static str,
    pub trouble: &'static str,
    pub notice_new_referral: &'static str,
    pub notice_earned: &'static str,
    pub notice_earned_later: &'static str,
    pub notice_released: &'static str,
    pub notice_applied: &'static str,
    pub notice_taken_back: &'static str,
    pub notice_withdrawal_paid: &'static str,
    pub notice_withdrawal_returned: &'static str,
    pub button_recruit: &'static str,
    pub button_credits: &'static str,
    pub button_profile: &'static str,
    pub button_plans: &'static str,
    pub button_share: &'static str,
    pub button_copy: &'static str,
    pub button_leaderboard: &'static str,
    pub button_older: &'static str,
    pub button_back: &'static str,
    pub button_subscribe: &'static str,
}

/// English.
pub const EN: Texts = Texts {
    welcome: "👋 <b>Welcome to {brand}, {name}!</b>\n\nInvite friends and get <b>{reward}</b> off your bills for \
              each one who subscribes to a plan from {minimum}.\n\nGot a friend's code? Only new members can \
              use one, and you have just joined without it.",
    welcome_referred: "👋 <b>Welcome to {brand}, {name}!</b>\n\n{friend} invited you. Pick a plan from {minimum} \
                       and {friend} gets {reward} off a bill. Then invite your own friends and get the same.",
    welcome_back: "👋 Welcome back, {name}. What would you like to do?",
    refused_unknown_code: "🔍 There is no referral code like that. Check it with your friend, or send /start to \
                           join without one.",
    refused_expired_code: "⌛ That referral code has expired. Ask your friend for a new link, or send /start to \
                           join without one.",
    refused_own_code: "🙂 That is your own code. Share it with friends: /recruit",
    refused_already_referred: "👍 You have joined through a friend's link already, and that stays.",
    refused_already_member: "ℹ️ Referral links are for new members, and you were here before. Nothing has \
                             changed. You can still invite friends: /recruit",
    refused_unreadable: "🔍 I can't read that link. A referral code has 8 letters and digits. Check it with your \
                         friend, or send /start to join without one.",
    recruit: "🎯 <b>Invite friends, earn {reward} each</b>\n\nYou get {reward} off your bill when a friend \
              subscribes to a plan from {minimum}.\n\n🔗 Your link:\n<code>{link}</code>\n🏷 Your code: \
              <code>{code}</code>, valid until {until}\n\n👥 Recruits: <b>{recruits}</b>\n⏳ Pending: \
              <b>{pending}</b>\n✅ Converted: <b>{converted}</b>\n💰 Earned: <b>{earned}</b>",
    recruit_share_text: "Join me on {brand}!",
    leaderboard: "🏆 <b>Top recruiters {period}</b>\n\n{rows}\n\n{you}",
    leaderboard_empty: "Nobody yet. The first place is free!",
    leaderboard_row: "{place}. {name}: <b>{score}</b>",
    leaderboard_you: "You: <b>#{place}</b>",
    leaderboard_not_ranked: "You: not ranked yet. One converted friend puts you on the board.",
    period_week: "this week",
    period_month: "this month",
    period_all: "of all time",
    credits: "💳 <b>Your credit</b>\n\n💰 Balance: <b>{balance}</b>\n⏳ On hold: <b>{held}</b>\n🧾 Applied to \
              bills so far: <b>{applied}</b>",
    credits_on_bill: "\n\n{posted} is booked for your next bill.",
    credits_no_customer: "\n\nYour credit waits here until you subscribe: /plans",
    credits_owed: "\n\n⚠️ {owed} has to be paid back after a refund. New credit is set off against it first.",
    credits_history: "\n\n<b>History</b>\n{rows}",
    credits_no_history: "\n\nNothing has happened yet. Invite a friend: /recruit",
    entry_released: "{day}  <b>+{amount}</b>  referral credit",
    entry_posted: "{day}  {amount}  booked for your next bill",
    entry_unposted: "{day}  {amount}  back from your bill",
    entry_applied: "{day}  <b>−{amount}</b>  taken off a bill",
    entry_returned: "{day}  <b>+{amount}</b>  a bill was cancelled",
    entry_clawed_back: "{day}  <b>−{amount}</b>  a friend's payment was refunded",
    entry_reinstated: "{day}  <b>+{amount}</b>  a refund or dispute was undone",
    entry_withdrawal_requested: "{day}  {amount}  kept for your withdrawal",
    entry_withdrawal_returned: "{day}  {amount}  back from your withdrawal",
    entry_withdrawal_paid: "{day}  <b>−{amount}</b>  paid out to you",
    entry_given: "{day}  <b>+{amount}</b>  from support",
    entry_taken: "{day}  <b>−{amount}</b>  corrected by support",
    profile: "👤 <b>{name}</b>\n\n👥 Recruits: <b>{recruits}</b>, converted <b>{converted}</b>\n💰 Earned: \
              <b>{earned}</b>",
    profile_standing: "\n🎖 Rank: <b>{rank}</b>\n⭐ XP: <b>{xp}</b>",
    profile_next: "\n➡️ Next: {rank}, {missing} more to go",
    profile_badges: "\n🏅 Badges: {badges}",
    plans: "📦 <b>Plans</b>\n\n{rows}\n\nPlans from {minimum} count for your friend's referral credit.",
    plans_no_link: "📦 <b>Plans</b>\n\n{rows}\n\nAsk support how to subscribe: /paysupport",
    plan_row: "<b>{name}</b>: {price} a month",
    help: "<b>What I can do</b>\n\n/recruit  your invite link and how it is going\n/credits  your credit and its \
           history\n/plans  what there is to subscribe to\n/profile  your rank and numbers\n/paysupport  help with \
           a payment\n/privacy  what is stored about you\n/terms  the rules\n\nHave a friend's code and are new \
           here? Just send me the code.",
    privacy: "🔒 <b>Privacy</b>\n\nWe keep your Telegram id, your name as Telegram shows it, who invited you, and \
              your payments and credits. The ledger knows you by a pseudonym. Other members see your name only \
              as initials. We never see your card: Stripe does.\n\nTo get a copy of your data or have it deleted, \
              write to support: /paysupport",
    terms: "📜 <b>Terms</b>\n\nA referral counts for new members only, once, and for the friend whose link came \
            first. You get {reward} of bill credit when the friend's first payment for a plan from {minimum} has \
            settled. Credit comes off your next bills, is not paid out, and goes back if the payment is refunded. \
            Inviting yourself is not allowed.",
    pay_support: "🛟 <b>Payment support</b>\n\nSomething wrong with a payment or with your credit? Reply here with \
                  what happened and when, and support will look at it. Your support number: <code>{id}</code>\n\n\
                  Telegram's own support cannot help with purchases made through this bot.",
    unknown: "🤔 I don't know that. /help shows what I can do.",
    not_offered: "This is not on offer here. /help shows what is.",
    stars_refused: "Payments in Stars are not on offer here yet. You were not charged.",
    trouble: "⚠️ Something went wrong on our side. Nothing was lost; please try again in a minute.",
    notice_new_referral: "🎉 <b>{friend}</b> joined through your link. You get {reward} when they subscribe to a \
                          plan from {minimum}.",
    notice_earned: "💰 <b>You earned {amount}!</b> {friend} has subscribed. It comes off your next bill: /credits",
    notice_earned_later: "💰 <b>You earned {amount}!</b> {friend} has subscribed. You can use it from {day}: \
                          /credits",
    notice_released: "✅ {amount} of your referral credit is ready to use: /credits",
    notice_applied: "🧾 {amount} of your credit was taken off your bill. /credits",
    notice_taken_back: "↩️ {friend}'s payment was refunded, so {amount} of your reward for it is taken back: /credits",
    notice_withdrawal_paid: "🏦 Your withdrawal of <b>{amount}</b> was paid.",
    notice_withdrawal_returned: "⚠️ Your withdrawal of {amount} was not paid: {reason}. The money is available \
        again.",
    button_recruit: "🎯 Invite friends",
    button_credits: "💳 My credit",
    button_profile: "👤 Profile",
    button_plans: "📦 Plans",
    button_share: "📨 Share",
    button_copy: "📋 Copy link",
    button_leaderboard: "🏆 Leaderboard",
    button_older: "Older ▸",
    button_back: "◂ Back",
    button_subscribe: "Subscribe: {name}, {price}",
};

/// The texts for a user's language; English for all that we do not have.
pub fn texts(_language_code: Option<&str>) -> &'static Texts {
    &EN
}

/// Puts values into a template, escaped.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    fill_with(template, values, escape)
}

/// Puts values into a template as they are: for values that are HTML already.
pub fn fill_html(template: &str, values: &[(&str, &str)]) -> String {
    fill_with(template, values, str::to_owned)
}

/// One pass from left to right, so that a value with braces in it is never filled again.
fn fill_with(template: &str, values: &[(&str, &str)], encode: impl Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let slot = after.split_once('}').and_then(|(name, tail)| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value, tail))
        });
        match slot {
            Some((value, tail)) => {
                filled.push_str(&encode(value));
                rest = tail;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_filled_once() {
        assert_eq!(
            fill("Hi {name}!", &[("name", "<b>{name}</b> & co")]),
            "Hi &lt;b&gt;{name}&lt;/b&gt; &amp; co!"
        );
        assert_eq!(fill("{a}{b}{c}", &[("a", "{b}"), ("b", "2")]), "{b}2{c}");
        assert_eq!(fill_html("{rows}", &[("rows", "<b>1</b>")]), "<b>1</b>");
    }
}
