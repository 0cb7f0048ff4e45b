//! What the bot shows: use cases' views put into words and buttons.

use guerdon_app::{
    error::AppError,
    gamification::profile_view,
    members::{StartRefusal, Started},
    operators::sign_in_link,
    programs::{program_now, reward_wallet},
    referrals::recruit_view,
    settings::settings_now,
    statistics::{Period, leaderboard as board_of},
    wallets::{CreditsView, ToClaim, claim_and_view, credits_view},
};
use guerdon_domain::{
    ids::TelegramId,
    members::Member,
    money::Money,
    wallets::{Entry, EntryKind},
};
use guerdon_telegram::{
    html::escape,
    keyboard::{Button, Keyboard},
    links::{deep_link, share_link},
    nav::{Nav, Period as NavPeriod},
    offer::Offer,
    outbound::Outgoing,
    purse::Purse,
    texts::{fill, fill_html},
    update::User,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{dispatch::Words, handler::Bot};

/// A message with its buttons, not yet addressed.
pub(crate) struct Page {
    pub(crate) text: String,
    pub(crate) keyboard: Keyboard,
}

impl Page {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), keyboard: Keyboard::new() }
    }

    pub(crate) fn send(self, to: TelegramId) -> Outgoing {
        Outgoing::send_html(to, self.text, self.keyboard)
    }

    pub(crate) fn edit(self, chat: TelegramId, message_id: i32) -> Outgoing {
        Outgoing::edit_html(chat, message_id, self.text, self.keyboard)
    }
}

/// Lines of a statement on one page.
const HISTORY_LINES: i32 = 8;
/// Lines of a leaderboard.
const BOARD_LINES: i32 = 10;

/// What the program in force promises, and the kind of reward that it gives.
struct Deal {
    offer: Offer,
    purse: Purse,
}

async fn deal(bot: &Bot, words: Words) -> Result<Deal, AppError> {
    let (settings, program) = (settings_now(&bot.app).await?, program_now(&bot.app).await?);
    let preset = &settings.preset;
    let (kind, currency) = reward_wallet(preset, &program);
    Ok(Deal { offer: Offer::of(words, preset, &program), purse: Purse::of(kind, currency) })
}

impl Deal {
    /// `template` with the promise in it, escaped; `without` where nothing is promised.
    fn promise(&self, template: &str, without: &str) -> String {
        match &self.offer.promise {
            Some(promise) => fill(template, &[("offer", promise)]),
            None => without.to_owned(),
        }
    }

    fn menu(&self, words: Words) -> Keyboard {
        Keyboard::new()
            .row([Button::nav(words.button_recruit, Nav::Recruit)])
            .row([
                Button::nav(words.purse(self.purse).button, Nav::Credits { cursor: None }),
                Button::nav(words.button_plans, Nav::Plans),
            ])
            .row([Button::nav(words.button_profile, Nav::Profile)])
    }
}

pub(crate) async fn started(
    bot: &Bot,
    words: Words,
    user: &User,
    started: &Started,
) -> Result<Page, AppError> {
    let deal = deal(bot, words).await?;
    let friend;
    let (template, who) = match started {
        Started::Joined { referrer: Some(referrer) } => {
            let member = bot.app.store.members().find(referrer).await?;
            friend = member.map(|member| member.first_name).unwrap_or_default();
            (words.welcome_referred, friend.as_str())
        }
        Started::Joined { referrer: None } => (words.welcome, ""),
        Started::Returned | Started::Duplicate => (words.welcome_back, ""),
        Started::Refused(refusal) => return Ok(Page::text(refused(words, *refusal))),
    };
    // The offer is HTML by now, so the rest is escaped before it joins.
    let values = [
        ("brand", escape(&bot.app.preset.brand)),
        ("name", escape(&user.first_name)),
        ("friend", escape(who)),
        ("offer", deal.promise(words.welcome_offer, words.welcome_no_offer)),
    ];
    let text = fill_html(template, &values.each_ref().map(|(name, value)| (*name, value.as_str())));
    Ok(Page { text, keyboard: deal.menu(words) })
}

const fn refused(words: Words, refusal: StartRefusal) -> &'static str {
    match refusal {
        StartRefusal::UnknownCode => words.refused_unknown_code,
        StartRefusal::ExpiredCode => words.refused_expired_code,
        StartRefusal::OwnCode => words.refused_own_code,
        StartRefusal::AlreadyReferred => words.refused_already_referred,
        StartRefusal::AlreadyMember => words.refused_already_member,
        StartRefusal::ReferralsOff => words.refused_referrals_off,
    }
}

pub(crate) async fn recruit(bot: &Bot, words: Words, member: &Member) -> Result<Page, AppError> {
    let view = recruit_view(&bot.app, member).await?;
    let link = deep_link(&bot.username, &view.code.code);
    let deal = deal(bot, words).await?;
    // None of the values means anything in HTML.
    let text = fill_html(
        words.recruit,
        &[
            ("offer", &deal.promise(words.recruit_offer, "")),
            ("link", &link),
            ("code", view.code.code.as_str()),
            ("until", &view.code.expires_at.day()),
            ("recruits", &view.stats.recruits.to_string()),
            ("pending", &view.stats.pending.to_string()),
            ("converted", &view.stats.converted.to_string()),
            ("earned", &view.stats.earned.to_string()),
        ],
    );
    let invitation = fill_html(words.recruit_share_text, &[("brand", &bot.app.preset.brand)]);
    let keyboard = Keyboard::new()
        .row([
            Button::url(words.button_share, share_link(&link, &invitation)),
            Button::copy(words.button_copy, link),
        ])
        .row([
            Button::nav(words.button_leaderboard, Nav::Leaderboard(NavPeriod::Week)),
            Button::nav(words.purse(deal.purse).button, Nav::Credits { cursor: None }),
        ]);
    Ok(Page { text, keyboard })
}

pub(crate) async fn leaderboard(
    bot: &Bot,
    words: Words,
    member: &Member,
    period: NavPeriod,
) -> Result<Page, AppError> {
    let (span, name) = match period {
        NavPeriod::Week => (Period::Week, words.period_week),
        NavPeriod::Month => (Period::Month, words.period_month),
        NavPeriod::All => (Period::All, words.period_all),
    };
    let board = board_of(&bot.app, span, &member.id, BOARD_LINES).await?;
    let rows: Vec<_> = board
        .rows
        .iter()
        .map(|row| {
            let (place, score) = (row.place.to_string(), row.score.to_string());
            let values = [("place", place.as_str()), ("name", &row.masked_name), ("score", &score)];
            fill(words.leaderboard_row, &values)
        })
        .collect();
    let rows = if rows.is_empty() { words.leaderboard_empty.to_owned() } else { rows.join("\n") };
    let you = match board.viewer_place {
        Some(place) => fill(words.leaderboard_you, &[("place", &place.to_string())]),
        None => words.leaderboard_not_ranked.to_owned(),
    };
    let text = fill_html(words.leaderboard, &[("period", name), ("rows", &rows), ("you", &you)]);
    let tab = |label, period| Button::nav(label, Nav::Leaderboard(period));
    let keyboard = Keyboard::new()
        .row([
            tab(words.period_week, NavPeriod::Week),
            tab(words.period_month, NavPeriod::Month),
            tab(words.period_all, NavPeriod::All),
        ])
        .row([Button::nav(words.button_back, Nav::Recruit)]);
    Ok(Page { text, keyboard })
}

pub(crate) async fn credits(
    bot: &Bot,
    words: Words,
    member: &Member,
    cursor: Option<u64>,
) -> Result<Page, AppError> {
    let view = credits_view(&bot.app, member, cursor, HISTORY_LINES).await?;
    statement(bot, words, &view, cursor).await
}

/// Claims what waits for it, and shows the statement.
pub(crate) async fn claimed(bot: &Bot, words: Words, member: &Member) -> Result<Page, AppError> {
    let view = claim_and_view(&bot.app, member, HISTORY_LINES).await?;
    statement(bot, words, &view, None).await
}

async fn statement(
    bot: &Bot,
    words: Words,
    view: &CreditsView,
    cursor: Option<u64>,
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
        let amounts: Vec<_> = amounts.iter().map(Money::to_string).collect();
        let (amount, day) = (amounts.join(", "), until.last_whole_day());
        text.push_str(&fill(words.credits_to_claim, &[("amount", &amount), ("day", &day)]));
        claim = Some(Button::nav(fill_html(words.button_claim, &[("amount", &amount)]), Nav::Claim));
    }
    if purse == Purse::BillCredit && wallet.held().is_positive() {
        text.push_str(&fill(words.credits_on_bill, &[("posted", &wallet.held().to_string())]));
    } else if purse == Purse::BillCredit && balance.is_positive() && !view.has_customer {
        text.push_str(words.credits_no_customer);
    }
    if view.wallet.owed().is_positive() {
        text.push_str(&fill(words.credits_owed, &[("owed", &view.wallet.owed().to_string())]));
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

fn entry_row(words: Words, entry: &Entry) -> String {
    let inside = entry.delta.available.saturating_add(entry.delta.held);
    // What crossed the wallet's border says more than the bucket it landed in: some of it may have paid a
    // debt.
    let moved = match entry.house {
        Some((_, minor)) => minor,
        None if inside == 0 => entry.delta.held,
        None => inside,
    };
    let template = match entry.kind {
        EntryKind::CommissionsReleased { .. } => words.entry_released,
        EntryKind::CreditPosted { .. } => words.entry_posted,
        EntryKind::CreditUnposted { .. } => words.entry_unposted,
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

pub(crate) async fn profile(bot: &Bot, words: Words, member: &Member) -> Result<Page, AppError> {
    let view = profile_view(&bot.app, &member.id).await?;
    let mut text = fill(
        words.profile,
        &[
            ("name", &member.first_name),
            ("recruits", &view.stats.recruits.to_string()),
            ("converted", &view.stats.converted.to_string()),
            ("earned", &view.stats.earned.to_string()),
        ],
    );
    if let Some(standing) = view.standing {
        let values = [("rank", standing.rank.as_str()), ("xp", &standing.xp.to_string())];
        text.push_str(&fill(words.profile_standing, &values));
        if !standing.badges.is_empty() {
            text.push_str(&fill(words.profile_badges, &[("badges", &standing.badges.join(", "))]));
        }
        if let Some((rank, missing)) = standing.next {
            let values = [("rank", rank.as_str()), ("missing", &missing.to_string())];
            text.push_str(&fill(words.profile_next, &values));
        }
    }
    Ok(Page { text, keyboard: deal(bot, words).await?.menu(words) })
}

pub(crate) async fn plans(bot: &Bot, words: Words, user: TelegramId) -> Result<Page, AppError> {
    let settings = settings_now(&bot.app).await?;
    if settings.preset.plans.is_empty() {
        return Ok(Page::text(words.plans_none));
    }
    let mut rows = Vec::new();
    let mut keyboard = Keyboard::new();
    for plan in &settings.preset.plans {
        let price = plan.price.to_string();
        let values = [("name", plan.name.as_str()), ("price", price.as_str())];
        rows.push(fill(words.plan_row, &values));
        if let Some(link) = &bot.payment_link {
            let label = fill_html(words.button_subscribe, &values);
            keyboard = keyboard.row([Button::url(label, payment_url(link, &plan.id, user))]);
        }
    }
    let template = if bot.payment_link.is_some() { words.plans } else { words.plans_no_link };
    let from = deal(bot, words).await?.offer.counts_from;
    let count = from.map(|from| fill(words.plans_count, &[("minimum", &from.to_string())]));
    let values = [("rows", rows.join("\n")), ("count", count.unwrap_or_default())];
    let text = fill_html(template, &values.each_ref().map(|(name, value)| (*name, value.as_str())));
    Ok(Page { text, keyboard })
}

/// A Payment Link with the member in `client_reference_id`, which Stripe hands back with the checkout.
fn payment_url(link: &str, plan: &str, user: TelegramId) -> String {
    let plan = utf8_percent_encode(plan, NON_ALPHANUMERIC).to_string();
    let url = link.replace("{plan}", &plan);
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}client_reference_id={user}")
}

pub(crate) async fn terms(bot: &Bot, words: Words) -> Result<Page, AppError> {
    let deal = deal(bot, words).await?;
    let purse = [("purse", words.purse(deal.purse).terms)];
    let offer = fill_html(&deal.promise(words.terms_offer, ""), &purse);
    Ok(Page::text(fill_html(words.terms, &[("offer", &offer)])))
}

pub(crate) fn help(bot: &Bot, words: Words) -> Page {
    let withdraw = bot.app.preset.withdrawals.as_ref().map_or("", |_| words.help_withdraw);
    Page::text(fill_html(words.help, &[("withdraw", withdraw)]))
}

pub(crate) fn pay_support(bot: &Bot, words: Words, user: TelegramId) -> Page {
    let member = bot.app.member_id(user);
    let short: String = member.as_str().chars().take(10).collect();
    Page::text(fill(words.pay_support, &[("id", &short)]))
}

/// The operators' way in; for everybody else there is no such command.
pub(crate) async fn sign_in(bot: &Bot, words: Words, user: TelegramId) -> Result<Page, AppError> {
    let Some(url) = &bot.public_url else { return Ok(Page::text(words.unknown)) };
    let Some(token) = sign_in_link(&bot.app, user).await? else { return Ok(Page::text(words.unknown)) };
    // Behind the `#`, so that it is in no server's log and no preview opens it.
    let button = Button::url(words.button_sign_in, format!("{url}/admin/auth/link#{token}"));
    Ok(Page { text: words.sign_in.to_owned(), keyboard: Keyboard::new().row([button]) })
}
