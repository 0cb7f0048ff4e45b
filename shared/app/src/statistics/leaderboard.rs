//! Rankings of referrers: per week, per month and for all time.

use guerdon_domain::{
    ids::MemberId,
    members::{Member, mask_name},
    statistics::Counter,
    time::Timestamp,
};
use guerdon_store::{
    statistics::{Projection, Ranked},
    table::metered,
};

use crate::{context::App, error::AppError, statistics::ahead_of};

/// The span of a ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// All time.
    All,
    /// The current ISO week.
    Week,
    /// The current calendar month.
    Month,
}

impl Period {
    /// Returns the key of the ranking that counts a conversion at `at`.
    pub fn key(self, at: Timestamp) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Week => format!("week-{}", at.iso_week()),
            Self::Month => format!("month-{}", at.month()),
        }
    }

    /// Parses `all`, `week` or `month`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "all" => Some(Self::All),
            "week" => Some(Self::Week),
            "month" => Some(Self::Month),
            _ => None,
        }
    }
}

/// A row of the leaderboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The member's id, for authorized readers only. Other readers see the masked name.
    pub member: MemberId,
    /// The place, starting at 1. Equal scores share a place.
    pub place: i64,
    /// The masked name, which every reader may see.
    pub masked_name: String,
    /// Number of converted referrals.
    pub score: i64,
    /// True when the row is the viewer's.
    pub is_viewer: bool,
}

/// The leaderboard for one viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// The best rows, highest score first.
    pub rows: Vec<Row>,
    /// The viewer's place, if they have a score. It is exact up to a score of 127; above that, the score is
    /// rounded to a sixteenth of its power of two.
    pub viewer_place: Option<i64>,
}

/// Returns the best `limit` rows of a ranking and the viewer's place, without members who are blocked from rewards. It
/// needs three bounded reads, however long the history is, and one more for each page of blocked members. Behind the rows
/// the viewer's place still counts blocked members who are not among those that were read.
pub async fn leaderboard(
    app: &App,
    period: Period,
    viewer: &MemberId,
    limit: i32,
) -> Result<Board, AppError> {
    metered("leaderboard", async {
        let key = period.key(app.now());
        let Best { rows, blocked } = best(app, &key, limit, Some(viewer)).await?;
        let viewer_place = match rows.iter().find(|row| row.is_viewer) {
            Some(row) => Some(row.place),
            None => place_below(app, &key, viewer, &blocked).await?,
        };
        Ok(Board { rows, viewer_place })
    })
    .await
}

/// Returns the best `limit` (at most 100) rows of a ranking, each with the member's number of referrals for
/// all time. Members who are blocked from rewards have no row.
pub async fn public_board(app: &App, period: Period, limit: i32) -> Result<Vec<(Row, i64)>, AppError> {
    metered("leaderboard", async {
        let rows = best(app, &period.key(app.now()), limit.clamp(1, 100), None).await?.rows;
        let ids: Vec<_> = rows.iter().map(|row| row.member.clone()).collect();
        let counters = app.store.statistics().counters_of(&ids).await?;
        let recruits = counters.iter().map(|all| all.get(Counter::Recruits));
        Ok(rows.into_iter().zip(recruits).collect())
    })
    .await
}

/// The best rows of a ranking, and the blocked members who were met on the way to them.
struct Best {
    rows: Vec<Row>,
    blocked: Vec<Ranked>,
}

/// The most pages of a ranking that are read to fill a board.
const MOST_PAGES: u32 = 10;

async fn best(app: &App, key: &str, limit: i32, viewer: Option<&MemberId>) -> Result<Best, AppError> {
    let most = usize::try_from(limit).unwrap_or_default();
    let mut best = Best { rows: Vec::with_capacity(most), blocked: Vec::new() };
    let mut after: Option<Ranked> = None;
    for _ in 0..MOST_PAGES {
        let ranked = app.store.statistics().ranking_after(key, after.as_ref(), limit).await?;
        let is_last = ranked.len() < most;
        after = ranked.last().cloned();
        let ids: Vec<_> = ranked.iter().map(|r| r.member.clone()).collect();
        let members = app.store.members().find_all(&ids).await?;
        for entry in ranked {
            match members.iter().find(|member| member.id == entry.member) {
                Some(member) if member.is_barred() => best.blocked.push(entry),
                member if best.rows.len() < most => best.add(entry, member, viewer),
                _ => {}
            }
        }
        if is_last || best.rows.len() >= most {
            break;
        }
    }
    Ok(best)
}

impl Best {
    fn add(&mut self, entry: Ranked, member: Option<&Member>, viewer: Option<&MemberId>) {
        let index = i64::try_from(self.rows.len()).unwrap_or(i64::MAX).saturating_add(1);
        let equal = self.rows.last().filter(|above| above.score == entry.score);
        self.rows.push(Row {
            place: equal.map_or(index, |above| above.place),
            masked_name: mask_name(member.map_or("", |member| member.first_name.as_str())),
            score: entry.score,
            is_viewer: viewer == Some(&entry.member),
            member: entry.member,
        });
    }
}

async fn place_below(
    app: &App,
    key: &str,
    viewer: &MemberId,
    blocked: &[Ranked],
) -> Result<Option<i64>, AppError> {
    let score = app.store.statistics().score(viewer, key).await?.filter(|score| *score > 0);
    let Some(score) = score.filter(|_| blocked.iter().all(|entry| entry.member != *viewer)) else {
        return Ok(None);
    };
    if app.store.members().find(viewer).await?.is_some_and(|member| member.is_barred()) {
        return Ok(None);
    }
    let histogram = app.store.statistics().counters(&Projection::Histogram(key.to_owned())).await?;
    let above = blocked.iter().filter(|entry| entry.score > score).count();
    Ok(Some(ahead_of(&histogram, score) + 1 - i64::try_from(above).unwrap_or_default()))
}
