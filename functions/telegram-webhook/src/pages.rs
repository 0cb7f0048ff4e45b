//! What the bot shows: use cases' views put into words and buttons.

use guerdon_app::{
    AppError, Period, StartRefusal, Started, credits_view, leaderboard as board_of, profile_view,
    recruit_view, stored::Member,
};
use guerdon_domain::{Entry, EntryKind, Money, TelegramId};
use guerdon_telegram::{
    Button, Keyboard, Nav, Outgoing, Period as NavPeriod, User, deep_link, share_link,
    texts::{fill, fill_html},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{dispatch::Words, handler::Bot};

/// A message with its buttons, not yet addressed.
pub(crate) struct Page {
    text: String,
    keyboard: Keyboard,
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

fn menu(words: Words) -> Keyboard {
    Keyboard::new()
        .row([Button::nav(words.button_recruit, Nav::Recruit)])
        .row([
            Button::nav(words.button_credits, Nav::Credits { cursor: None }),
            Button::nav(words.button_plans, Nav::Plans),
        ])
        .row([Button::nav(words.button_profile, Nav::Profile)])
}

/// Values that several texts share.
fn offer(bot: &Bot) -> Result<(String, String), AppError> {
    let program = &bot.app.preset.program;
    let reward = bot.app.preset.reward_words(program).unwrap_or_default();
    let minimum = program.headline().map(|rule| rule.minimum_payment.to_string()).unwrap_or_default();
    Ok((reward, minimum))
}

pub(crate) async fn started(
    bot: &Bot,
    words: Words,
    user: &User,
    started: &Started,
) -> Result<Page, AppError> {
    let (reward, minimum) = offer(bot)?;
    let brand = bot.app.preset.brand.as_str();
    let mut values = vec![
        ("brand", brand),
        ("name", user.first_name.as_str()),
        ("reward", reward.as_str()),
        ("minimum", minimum.as_str()),
    ];
    let friend;
    let text = match started {
        Started::Joined { referrer: Some(referrer) } => {
            let member = bot.app.store.member(referrer).await?;
            friend = member.map(|member| member.first_name).unwrap_or_default();
            values.push(("friend", &friend));
            words.welcome_referred
        }
        Started::Joined { referrer: None } => words.welcome,
        Started::Returned | Started::Duplicate => words.welcome_back,
        Started::Refused(refusal) => return Ok(Page::text(refused(words, *refusal))),
    };
    Ok(Page { text: fill(text, &values), keyboard: menu(words) })
}

const fn refused(words: Words, refusal: StartRefusal) -> &'static str {
    match refusal {
        StartRefusal::UnknownCode => words.refused_unknown_code,
        StartRefusal::ExpiredCode => words.refused_expired_code,
        StartRefusal::OwnCode => words.refused_own_code,
        StartRefusal::AlreadyReferred => words.refused_already_referred,
        StartRefusal::AlreadyMember => words.refused_already_member,
    }
}

pub(crate) async fn recruit(bot: &Bot, words: Words, member: &Member) -> Result<Page, AppError> {
    let view = recruit_view(&bot.app, &member.id).await?;
    let link = deep_link(&bot.username, &view.code.code);
    let (reward, minimum) = offer(bot)?;
    let text = fill(
        words.recruit,
        &[
            ("reward", &reward),
            ("minimum", &minimum),
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
            Button::nav(words.button_credits, Nav::Credits { cursor: None }),
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
    let balance = view.wallet.available().checked_add(view.wallet.held())?;
    let mut text = fill(
        words.credits,
        &[
            ("balance", &balance.to_string()),
            ("held", &view.on_hold.to_string()),
            ("applied", &view.wallet.applied().to_string()),
        ],
    );
    if view.wallet.held().is_positive() {
        text.push_str(&fill(words.credits_on_bill, &[("posted", &view.wallet.held().to_string())]));
    } else if balance.is_positive() && !view.has_customer {
        text.push_str(words.credits_no_customer);
    }
    if view.wallet.owed().is_positive() {
        text.push_str(&fill(words.credits_owed, &[("owed", &view.wallet.owed().to_string())]));
    }
    if view.entries.is_empty() {
        text.push_str(words.credits_no_history);
    } else {
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
    let keyboard = Keyboard::new()
        .row(paging)
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
    Ok(Page { text, keyboard: menu(words) })
}

pub(crate) fn plans(bot: &Bot, words: Words, user: TelegramId) -> Result<Page, AppError> {
    let (_, minimum) = offer(bot)?;
    let mut rows = Vec::new();
    let mut keyboard = Keyboard::new();
    for plan in &bot.app.preset.plans {
        let price = plan.price.to_string();
        let values = [("name", plan.name.as_str()), ("price", price.as_str())];
        rows.push(fill(words.plan_row, &values));
        if let Some(link) = &bot.payment_link {
            let label = fill_html(words.button_subscribe, &values);
            keyboard = keyboard.row([Button::url(label, payment_url(link, &plan.id, user))]);
        }
    }
    let template = if bot.payment_link.is_some() { words.plans } else { words.plans_no_link };
    let text = fill_html(template, &[("rows", &rows.join("\n")), ("minimum", &minimum)]);
    Ok(Page { text, keyboard })
}

/// A Payment Link with the member in `client_reference_id`, which Stripe hands back with the checkout.
fn payment_url(link: &str, plan: &str, user: TelegramId) -> String {
    let plan = utf8_percent_encode(plan, NON_ALPHANUMERIC).to_string();
    let url = link.replace("{plan}", &plan);
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}client_reference_id={user}")
}

pub(crate) fn terms(bot: &Bot, words: Words) -> Result<Page, AppError> {
    let (reward, minimum) = offer(bot)?;
    Ok(Page::text(fill(words.terms, &[("reward", &reward), ("minimum", &minimum)])))
}

pub(crate) fn pay_support(bot: &Bot, words: Words, user: TelegramId) -> Page {
    let member = bot.app.member_id(user);
    let short: String = member.as_str().chars().take(10).collect();
    Page::text(fill(words.pay_support, &[("id", &short)]))
}
