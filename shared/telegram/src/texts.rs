//! All texts of the bot, as one constant for each language.
//!
//! A template's `{name}` is filled by [`fill`], which escapes the value: no member's name can break or
//! forge a message. Texts are Telegram HTML.

use guerdon_domain::members::shown_name;

use crate::{html::escape, purse::Purse};

/// All texts of one language.
#[derive(Debug)]
#[allow(missing_docs, reason = "each field is named after the place where its text stands")]
pub struct Texts {
    pub offer: OfferTexts,
    pub bill_credit: PurseTexts,
    pub earnings: PurseTexts,
    pub balance: PurseTexts,
    pub days: PurseTexts,
    pub service_credits: PurseTexts,
    pub welcome: &'static str,
    pub nameless: &'static str,
    pub nameless_friend: &'static str,
    pub welcome_offer: &'static str,
    pub welcome_no_offer: &'static str,
    pub welcome_referred: &'static str,
    pub welcome_back: &'static str,
    pub refused_unknown_code: &'static str,
    pub refused_expired_code: &'static str,
    pub refused_own_code: &'static str,
    pub refused_already_referred: &'static str,
    pub refused_already_member: &'static str,
    pub refused_referrals_off: &'static str,
    pub refused_unreadable: &'static str,
    pub recruit: &'static str,
    pub recruit_off: &'static str,
    pub recruit_offer: &'static str,
    pub recruit_share_text: &'static str,
    pub leaderboard: &'static str,
    pub leaderboard_empty: &'static str,
    pub leaderboard_row: &'static str,
    pub leaderboard_you: &'static str,
    pub leaderboard_not_ranked: &'static str,
    pub period_week: &'static str,
    pub period_month: &'static str,
    pub period_all: &'static str,
    pub credits_on_bill: &'static str,
    pub credits_no_customer: &'static str,
    pub credits_to_claim: &'static str,
    pub credits_owed: &'static str,
    pub credits_other: &'static str,
    pub credits_other_held: &'static str,
    pub credits_other_owed: &'static str,
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
    pub plans_count: &'static str,
    pub plans_no_link: &'static str,
    pub plans_none: &'static str,
    pub plan_row: &'static str,
    pub help: &'static str,
    pub help_withdraw: &'static str,
    pub privacy: &'static str,
    pub terms: &'static str,
    pub terms_offer: &'static str,
    pub pay_support: &'static str,
    pub unknown: &'static str,
    pub own_words: &'static str,
    pub intents: IntentTexts,
    pub not_offered: &'static str,
    pub sign_in: &'static str,
    pub button_sign_in: &'static str,
    pub stars_refused: &'static str,
    pub trouble: &'static str,
    pub withdraw: WithdrawTexts,
    pub notice_new_referral: &'static str,
    pub notice_new_referral_offer: &'static str,
    pub notice_earned: &'static str,
    pub notice_earned_later: &'static str,
    pub notice_earned_to_claim: &'static str,
    pub notice_released: &'static str,
    pub notice_applied: &'static str,
    pub notice_taken_back: &'static str,
    pub notice_withdrawal_paid: &'static str,
    pub notice_withdrawal_returned: &'static str,
    pub button_recruit: &'static str,
    pub button_profile: &'static str,
    pub button_plans: &'static str,
    pub button_share: &'static str,
    pub button_copy: &'static str,
    pub button_leaderboard: &'static str,
    pub button_older: &'static str,
    pub button_back: &'static str,
    pub button_subscribe: &'static str,
    pub button_withdraw: &'static str,
    pub button_claim: &'static str,
}

impl Texts {
    /// The texts about a kind of reward.
    pub const fn purse(&self, purse: Purse) -> &PurseTexts {
        match purse {
            Purse::BillCredit => &self.bill_credit,
            Purse::Earnings => &self.earnings,
            Purse::Balance => &self.balance,
            Purse::Days => &self.days,
            Purse::Credits => &self.service_credits,
        }
    }
}

/// The texts about one kind of reward.
#[derive(Debug)]
#[allow(missing_docs, reason = "each field is named after the place where its text stands")]
pub struct PurseTexts {
    pub button: &'static str,
    pub page: &'static str,
    pub terms: &'static str,
    pub ready: &'static str,
}

/// The parts of an offer: a phrase that follows "you", not HTML.
#[derive(Debug)]
#[allow(missing_docs, reason = "each field is named after the place where its text stands")]
pub struct OfferTexts {
    pub get: &'static str,
    pub earn: &'static str,
    pub and: &'static str,
    pub friend_gets: &'static str,
    pub off_your_bills: &'static str,
    pub off_their_bills: &'static str,
    pub premium: &'static str,
    pub share_of_profit: &'static str,
    pub from_to: &'static str,
    pub at_most: &'static str,
    pub some_products: &'static str,
    pub from: &'static str,
    pub friend: &'static str,
    pub friend_of_friend: &'static str,
    pub a_friend_buys: &'static str,
    pub their_friends_buy: &'static str,
    pub your_friends: &'static str,
    pub their_friends: &'static str,
    pub for_subscribing: &'static str,
    pub for_becoming: &'static str,
    pub for_first_purchase: &'static str,
    pub for_each_plan: &'static str,
    pub for_each_purchase: &'static str,
    pub for_nth: &'static str,
    pub for_months: &'static str,
    pub for_deposit: &'static str,
    pub for_spending: &'static str,
    pub percent: &'static str,
    pub percent_of_first: &'static str,
    pub percent_of_each: &'static str,
    pub percent_of_deposit: &'static str,
    pub percent_of_spending: &'static str,
    pub percent_of_that: &'static str,
    pub news_subscribed: &'static str,
    pub news_paid: &'static str,
    pub news_bought: &'static str,
    pub news_deposit: &'static str,
    pub news_unnamed: &'static str,
}

/// The texts about buttons that move money.
#[derive(Debug)]
#[allow(missing_docs, reason = "each field is named after the place where its text stands")]
pub struct IntentTexts {
    pub button_confirm: &'static str,
    pub button_cancel: &'static str,
    pub not_yours: &'static str,
    pub not_private: &'static str,
    pub expired: &'static str,
    pub outdated: &'static str,
    pub cancelled: &'static str,
    pub used: &'static str,
    pub claim_outdated: &'static str,
}

/// The texts about withdrawals.
#[derive(Debug)]
#[allow(missing_docs, reason = "each field is named after the place where its text stands")]
pub struct WithdrawTexts {
    pub page: &'static str,
    pub open: &'static str,
    pub state_requested: &'static str,
    pub state_approved: &'static str,
    pub state_paying: &'static str,
    pub later: &'static str,
    pub usage: &'static str,
    pub usage_upi: &'static str,
    pub usage_iban: &'static str,
    pub usage_bank_in: &'static str,
    pub offer: &'static str,
    pub method_upi: &'static str,
    pub method_iban: &'static str,
    pub method_bank_in: &'static str,
    pub asked: &'static str,
    pub unreadable: &'static str,
    pub bad_method: &'static str,
    pub bad_upi: &'static str,
    pub bad_iban: &'static str,
    pub bad_bank_in: &'static str,
    pub bad_amount: &'static str,
    pub below_minimum: &'static str,
    pub insufficient: &'static str,
    pub owes: &'static str,
    pub one_open: &'static str,
    pub cooling_down: &'static str,
    pub barred: &'static str,
    pub under_review: &'static str,
}

/// English.
pub const EN: Texts = Texts {
    offer: EN_OFFER,
    bill_credit: EN_BILL_CREDIT,
    earnings: EN_EARNINGS,
    balance: EN_BALANCE,
    days: EN_DAYS,
    service_credits: EN_SERVICE_CREDITS,
    welcome: "👋 <b>Welcome to {brand}, {name}!</b>\n\n{offer}\n\nGot a friend's code? Only new members can use \
              one, and you have just joined without it.",
    nameless: "friend",
    nameless_friend: "A friend",
    welcome_offer: "Invite friends and {offer}.",
    welcome_no_offer: "You can invite friends here: /recruit",
    welcome_referred: "👋 <b>Welcome to {brand}, {name}!</b>\n\n{friend} invited you. {offer}",
    welcome_back: "👋 Welcome back, {name}. What would you like to do?",
    refused_unknown_code: "🔍 There is no referral code like that. Check it with your friend, or send /start to \
                           join without one.",
    refused_expired_code: "⌛ That referral code has expired. Ask your friend for a new link, or send /start to \
                           join without one.",
    refused_own_code: "🙂 That is your own code. Share it with friends: /recruit",
    refused_already_referred: "👍 You have joined through a friend's link already, and that stays.",
    refused_already_member: "ℹ️ Referral links are for new members, and you were here before. Nothing has \
                             changed. You can still invite friends: /recruit",
    refused_referrals_off: "⏸ Referral links are not taken at the moment. Send /start to join without one.",
    refused_unreadable: "🔍 I can't read that link. A referral code has 8 letters and digits. Check it with your \
                         friend, or send /start to join without one.",
    recruit: "🎯 <b>Invite friends</b>\n\n{offer}🔗 Your link:\n<code>{link}</code>\n🏷 Your code: \
              <code>{code}</code>, valid until {until}\n\n👥 Recruits: <b>{recruits}</b>\n⏳ Pending: \
              <b>{pending}</b>\n✅ Converted: <b>{converted}</b>\n💰 Earned: <b>{earned}</b>",
    recruit_off: "🎯 <b>Invite friends</b>\n\n⏸ Referral links are not given out at the moment. What you have earned \
                  stays.\n\n👥 Recruits: <b>{recruits}</b>\n⏳ Pending: <b>{pending}</b>\n✅ Converted: \
                  <b>{converted}</b>\n💰 Earned: <b>{earned}</b>",
    recruit_offer: "You {offer}.\n\n",
    recruit_share_text: "Join me on {brand}!",
    leaderboard: "🏆 <b>Top recruiters {period}</b>\n\n{rows}\n\n{you}",
    leaderboard_empty: "Nobody yet. The first place is free!",
    leaderboard_row: "{place}. {name}: <b>{score}</b>",
    leaderboard_you: "You: <b>#{place}</b>",
    leaderboard_not_ranked: "You: not ranked yet. One converted friend puts you on the board.",
    period_week: "this week",
    period_month: "this month",
    period_all: "of all time",
    credits_on_bill: "\n\n{posted} is booked for your next bill.",
    credits_no_customer: "\n\nYour credit waits here until you subscribe: /plans",
    credits_to_claim: "\n\n🎁 To claim: <b>{amount}</b>, by {day}",
    credits_owed: "\n\n⚠️ {owed} has to be paid back after a refund. New rewards are set off against it first.",
    credits_other: "\n\n{kind}, from other rewards: <b>{available}</b>",
    credits_other_held: ", {held} set aside",
    credits_other_owed: ", {owed} to be paid back",
    credits_history: "\n\n<b>History</b>\n{rows}",
    credits_no_history: "\n\nNothing has happened yet. Invite a friend: /recruit",
    entry_released: "{day}  <b>+{amount}</b>  referral reward",
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
    plans: "📦 <b>Plans</b>\n\n{rows}{count}",
    plans_count: "\n\nPlans from {minimum} count for your friend's referral reward.",
    plans_no_link: "📦 <b>Plans</b>\n\n{rows}\n\nAsk support how to subscribe: /paysupport",
    plans_none: "📦 There are no plans to subscribe to here. /help shows what there is.",
    plan_row: "<b>{name}</b>: {price} a month",
    help: "<b>What I can do</b>\n\n/recruit  your invite link and how it is going\n/credits  what you have earned, \
           and its history\n{withdraw}/plans  what there is to subscribe to\n/profile  your numbers\n/paysupport  \
           help with a payment\n/privacy  what is stored about you\n/terms  the rules\n\nHave a friend's code and \
           are new here? Just send me the code.",
    help_withdraw: "/withdraw  have your earnings paid out\n",
    privacy: "🔒 <b>Privacy</b>\n\nWe keep your Telegram id, your name as Telegram shows it, who invited you, \
              your payments and rewards, and where withdrawals go, encrypted. The ledger knows you by a pseudonym. \
              Other members see your name only as initials, except for who invited you. We never see your card: \
              Stripe does.\n\nTo get a copy of your data or have it deleted, write to support: /paysupport",
    terms: "📜 <b>Terms</b>\n\nA referral counts for new members only, once, and for the friend whose link came \
            first. {offer}Inviting yourself is not allowed.",
    terms_offer: "You {offer}, once the payment has settled. {purse} ",
    pay_support: "🛟 <b>Payment support</b>\n\nSomething wrong with a payment or with your credit? Reply here with \
                  what happened and when, and support will look at it. Your support number: <code>{id}</code>\n\n\
                  Telegram's own support cannot help with purchases made through this bot.",
    own_words: "✋ I act on your own words only, and that message was forwarded, edited or sent by a bot or a chat. \
                Nothing has changed. If you want this, type it here yourself.",
    intents: EN_INTENTS,
    unknown: "🤔 I don't know that. /help shows what I can do.",
    sign_in: "🔑 This signs you in as an operator, once and within 10 minutes. Don't pass it on.",
    button_sign_in: "Sign in",
    not_offered: "This is not on offer here. /help shows what is.",
    stars_refused: "Payments in Stars are not on offer here yet. You were not charged.",
    trouble: "⚠️ Something went wrong on our side. Nothing was lost; please try again in a minute.",
    withdraw: EN_WITHDRAW,
    notice_new_referral: "🎉 <b>{friend}</b> joined through your link.",
    notice_new_referral_offer: "🎉 <b>{friend}</b> joined through your link. You {offer}.",
    notice_earned: "💰 <b>You earned {amount}!</b> {news} {ready}",
    notice_earned_later: "💰 <b>You earned {amount}!</b> {news} You can use it from {day}: /credits",
    notice_earned_to_claim: "💰 <b>You earned {amount}!</b> {news} Claim it by {day}: /credits",
    notice_released: "✅ {amount} of your referral rewards is ready to use: /credits",
    notice_applied: "🧾 {amount} of your credit was taken off your bill. /credits",
    notice_taken_back: "↩️ A payment was refunded or disputed, so {amount} of your reward for it is taken back: /credits",
    notice_withdrawal_paid: "🏦 Your withdrawal of <b>{amount}</b> was paid.",
    notice_withdrawal_returned: "⚠️ Your withdrawal of {amount} was not paid: {reason}. The money is available \
        again.",
    button_recruit: "🎯 Invite friends",
    button_profile: "👤 Profile",
    button_plans: "📦 Plans",
    button_share: "📨 Share",
    button_copy: "📋 Copy link",
    button_leaderboard: "🏆 Leaderboard",
    button_older: "Older ▸",
    button_back: "◂ Back",
    button_subscribe: "Subscribe: {name}, {price}",
    button_withdraw: "🏦 Withdraw",
    button_claim: "🎁 Claim {amount}",
};

const EN_OFFER: OfferTexts = OfferTexts {
    get: "get",
    earn: "earn",
    and: ", and ",
    friend_gets: "the friend gets {reward}",
    off_your_bills: "{amount} off your bills",
    off_their_bills: "{amount} off their bills",
    premium: "{amount} of premium",
    share_of_profit: "a share of the profit",
    from_to: "{least} to {most}",
    at_most: " (at most {cap})",
    some_products: " (some products only)",
    from: " from {minimum}",
    friend: "friend",
    friend_of_friend: "friend of theirs",
    a_friend_buys: "a friend buys",
    their_friends_buy: "their friends buy",
    your_friends: "your friends",
    their_friends: "their friends",
    for_subscribing: "for each {friend} who subscribes to a plan{from}",
    for_becoming: "for each {friend} who becomes a paying member",
    for_first_purchase: "for each {friend} whose first purchase is{from} up",
    for_each_plan: "for each plan{from} {buys}",
    for_each_purchase: "for each purchase{from} {friends} make",
    for_nth: "for each {friend} who makes {count} purchases{from}",
    for_months: "for each {friend} who pays in {count} different months",
    for_deposit: "for each deposit{from} {friends} make",
    for_spending: "for each purchase{from} {friends} make from their balance",
    percent: "{percent}% of the payment",
    percent_of_first: "{percent}% of the first payment{from} of each {friend}",
    percent_of_each: "{percent}% of every purchase{from} {friends} make",
    percent_of_deposit: "{percent}% of every deposit{from} {friends} make",
    percent_of_spending: "{percent}% of every purchase{from} {friends} make from their balance",
    percent_of_that: "{percent}% of that payment ",
    news_subscribed: "{friend} has subscribed.",
    news_paid: "{friend} became a paying member.",
    news_bought: "{friend} bought something.",
    news_deposit: "{friend} made a deposit.",
    news_unnamed: "A friend, or a friend of theirs, has paid.",
};

const EN_BILL_CREDIT: PurseTexts = PurseTexts {
    button: "💳 My credit",
    page: "💳 <b>Your credit</b>\n\n💰 Balance: <b>{balance}</b>\n⏳ On hold: <b>{on_hold}</b>\n🧾 Applied to bills so \
           far: <b>{applied}</b>",
    terms: "Credit comes off your next bills, is not paid out, and goes back if the payment is refunded.",
    ready: "It comes off your next bill: /credits",
};

const EN_EARNINGS: PurseTexts = PurseTexts {
    button: "💰 My earnings",
    page: "💰 <b>Your earnings</b>\n\n✅ Available: <b>{available}</b>\n⏳ On hold: <b>{on_hold}</b>\n🏦 Kept for a \
           withdrawal: <b>{held}</b>",
    terms: "Earnings can be withdrawn when their hold is over, and go back if the payment is refunded.",
    ready: "It is available now: /credits",
};

const EN_BALANCE: PurseTexts = PurseTexts {
    button: "👛 My balance",
    page: "👛 <b>Your balance</b>\n\n✅ Available: <b>{available}</b>\n⏳ On hold: <b>{on_hold}</b>",
    terms: "Rewards go to your balance, are not paid out, and go back if the payment is refunded.",
    ready: "It is in your balance: /credits",
};

const EN_DAYS: PurseTexts = PurseTexts {
    button: "🎁 My premium",
    page: "🎁 <b>Your premium days</b>\n\n✅ Earned and unused: <b>{available}</b>\n⏳ On hold: <b>{on_hold}</b>",
    terms: "Premium days are not paid out, and go back if the payment is refunded.",
    ready: "They wait for you: /credits",
};

const EN_SERVICE_CREDITS: PurseTexts = PurseTexts {
    button: "🎫 My credits",
    page: "🎫 <b>Your credits</b>\n\n✅ Available: <b>{available}</b>\n⏳ On hold: <b>{on_hold}</b>",
    terms: "Credits are not paid out, and go back if the payment is refunded.",
    ready: "It is available now: /credits",
};

const EN_INTENTS: IntentTexts = IntentTexts {
    button_confirm: "✅ Confirm",
    button_cancel: "✖️ Cancel",
    not_yours: "This button is somebody else's. Nothing has changed.",
    not_private: "This button works only in your own chat with me. Nothing has changed.",
    expired: "⌛ This button has expired, and nothing has changed. To start again: {again}",
    outdated: "⌛ This button is outdated, and nothing has changed. To start again: {again}",
    cancelled: "✖️ Cancelled. Nothing has changed. To start again: {again}",
    used: "ℹ️ This was confirmed before and can no longer be cancelled here. How it is going: {again}",
    claim_outdated: "⌛ That button was outdated, so nothing was claimed by it. This is how it stands now.\n\n",
};

const EN_WITHDRAW: WithdrawTexts = WithdrawTexts {
    page: "🏦 <b>Withdraw</b>\n\n✅ Available: <b>{available}</b>\nThe least you can withdraw is {minimum}.",
    open: "\n\n⏳ {amount} to <code>{destination}</code>: {state}.",
    state_requested: "waiting for approval",
    state_approved: "approved, to be paid soon",
    state_paying: "being paid",
    later: "\n\nYour next withdrawal is possible from {at}.",
    usage: "\n\nTo withdraw, send me one line with the amount and where it goes:\n{rows}",
    usage_upi: "<code>/withdraw {amount} upi name@bank</code>",
    usage_iban: "<code>/withdraw {amount} iban PL61109010140000071219812874</code>",
    usage_bank_in: "<code>/withdraw {amount} bank_in 12345678901/HDFC0001234</code>",
    offer: "🏦 <b>Withdraw {amount}</b>\n\nBy: {method}\nTo: <code>{destination}</code>\n\nCheck that it is right. I ask \
            for it only when you tap Confirm, until {until}.",
    method_upi: "UPI",
    method_iban: "IBAN",
    method_bank_in: "bank account and IFSC",
    asked: "✅ You have asked for {amount} to <code>{destination}</code>. I tell you when it is paid. /withdraw shows \
            how it is going.",
    unreadable: "🤔 I can't read that. Send one line with the amount and where it goes:\n{rows}",
    bad_method: "⚠️ That way of paying out is not on offer. There is:\n{rows}",
    bad_upi: "⚠️ That is no UPI id. One looks like name@bank. Check it and send the line again.",
    bad_iban: "⚠️ That is no valid IBAN. Check its digits and send the line again.",
    bad_bank_in: "⚠️ That is no bank account. Send the account number, a slash and the IFSC, as \
                  12345678901/HDFC0001234.",
    bad_amount: "⚠️ I can't read that amount. Send it in plain digits, as {amount}.",
    below_minimum: "⚠️ The least you can withdraw is {minimum}.",
    insufficient: "⚠️ Only {available} is available. Ask for less, or wait for what is on hold: /credits",
    owes: "⚠️ {owed} has to be paid back after a refund. Your next rewards are set off against it; then you can \
           withdraw again.",
    one_open: "⏳ A withdrawal of yours is under way. Wait until it is paid or turned down: /withdraw",
    cooling_down: "⏳ Your next withdrawal is possible from {at}. Send the line again then.",
    barred: "🚫 This account cannot withdraw. Write to support: /paysupport",
    under_review: "🔎 This account is being looked at. Nothing is lost, and you can withdraw once that is done. Questions: \
                   /paysupport",
};

/// Returns the texts for a user's language; English for a language that we do not have.
pub fn texts(_language_code: Option<&str>) -> &'static Texts {
    &EN
}

/// Fills values into a template, escaped.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    fill_with(template, values, escape)
}

/// A person's name as it is shown, or `otherwise` when the name has nothing that can be seen.
pub fn called(name: &str, otherwise: &str) -> String {
    let shown = shown_name(name);
    if shown.is_empty() { otherwise.to_owned() } else { shown }
}

/// Fills values into a template without escaping, for values that are HTML already.
pub fn fill_html(template: &str, values: &[(&str, &str)]) -> String {
    fill_with(template, values, str::to_owned)
}

/// Fills in one pass from left to right, so that braces in a value are never filled.
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
