//! The member's profile, and the best referrers.

use guerdon_app::{
    error::AppError,
    gamification::profile_view,
    statistics::{Period, leaderboard as board_of},
};
use guerdon_domain::members::Member;
use guerdon_telegram::{
    keyboard::{Button, Keyboard},
    nav::{Nav, Period as NavPeriod},
    texts::{called, fill, fill_html},
};

use crate::{
    programs::deal,
    reply::{Page, Words},
    state::Bot,
};

/// Lines of a leaderboard.
const BOARD_LINES: i32 = 10;

pub(crate) async fn profile(bot: &Bot, words: Words, member: &Member) -> Result<Page, AppError> {
    let view = profile_view(&bot.app, &member.id).await?;
    let mut text = fill(
        words.profile,
        &[
            ("name", &called(&member.first_name, words.nameless)),
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
