//! Who recruits most: per week, per month, of all time.

use guerdon_domain::{ids::MemberId, members::mask_name, statistics::Counter, time::Timestamp};
use guerdon_store::{statistics::Projection, table::metered};

use crate::{context::App, error::AppError, statistics::ahead_of};

/// The span of a ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Of all time.
    All,
    /// The running ISO week.
    Week,
    /// The running calendar month.
    Month,
}

impl Period {
    /// The ranking that a conversion at `at` counts in.
    pub fn key(self, at: Timestamp) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Week => format!("week-{}", at.iso_week()),
            Self::Month => format!("month-{}", at.month()),
        }
    }

    /// Reads `all`, `week` or `month`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "all" => Some(Self::All),
            "week" => Some(Self::Week),
            "month" => Some(Self::Month),
            _ => None,
        }
    }
}

/// A line of the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Who. Only for those who may know; strangers see the name, masked.
    pub member: MemberId,
    /// 1 for the best; equal scores share a place.
    pub place: i64,
    /// The name as strangers may see it.
    pub masked_name: String,
    /// Converted referrals.
    pub score: i64,
    /// It is the viewer.
    pub is_viewer: bool,
}

/// The board as one member sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Board {
    /// The best, highest first.
    pub rows: Vec<Row>,
    /// The viewer's place, if they have a score: exact up to a score of 127, then within a sixteenth.
    pub viewer_place: Option<i64>,
}

/// The best `limit` of a ranking and the viewer's own place. Three bounded reads, whatever the history.
///
/// # Errors
/// [`AppError`].
pub async fn leaderboard(
    app: &App,
    period: Period,
    viewer: &MemberId,
    limit: i32,
) -> Result<Board, AppError> {
    metered("leaderboard", async {
        let key = period.key(app.now());
        let rows = best(app, &key, limit, Some(viewer)).await?;
        let viewer_place = match rows.iter().find(|row| row.is_viewer) {
            Some(row) => Some(row.place),
            None => place_below(app, &key, viewer).await?,
        };
        Ok(Board { rows, viewer_place })
    })
    .await
}

/// The best `limit` (100 at the most) of a ranking, each with the referrals of all time.
///
/// # Errors
/// [`AppError`].
pub async fn public_board(app: &App, period: Period, limit: i32) -> Result<Vec<(Row, i64)>, AppError> {
    metered("leaderboard", async {
        let rows = best(app, &period.key(app.now()), limit.clamp(1, 100), None).await?;
        let ids: Vec<_> = rows.iter().map(|row| row.member.clone()).collect();
        let counters = app.store.statistics().counters_of(&ids).await?;
        let recruits = counters.iter().map(|all| all.get(Counter::Recruits));
        Ok(rows.into_iter().zip(recruits).collect())
    })
    .await
}

async fn best(app: &App, key: &str, limit: i32, viewer: Option<&MemberId>) -> Result<Vec<Row>, AppError> {
    let ranked = app.store.statistics().ranking(key, limit).await?;
    let ids: Vec<_> = ranked.iter().map(|r| r.member.clone()).collect();
    let members = app.store.members().find_all(&ids).await?;
    let mut rows: Vec<Row> = Vec::with_capacity(ranked.len());
    for (index, entry) in (1_i64..).zip(ranked) {
        let name = members.iter().find(|m| m.id == entry.member).map_or("", |m| m.first_name.as_str());
        let place = rows.last().filter(|above| above.score == entry.score).map_or(index, |above| above.place);
        rows.push(Row {
            place,
            masked_name: mask_name(name),
            score: entry.score,
            is_viewer: viewer == Some(&entry.member),
            member: entry.member,
        });
    }
    Ok(rows)
}

async fn place_below(app: &App, key: &str, viewer: &MemberId) -> Result<Option<i64>, AppError> {
    let Some(score) = app.store.statistics().score(viewer, key).await? else { return Ok(None) };
    let histogram = app.store.statistics().counters(&Projection::Histogram(key.to_owned())).await?;
    Ok(Some(ahead_of(&histogram, score) + 1))
}
