//! Statistics: counters projected from the stream, and the queries on them.
mod analytics;
mod counters;
mod dashboard;
mod leaderboard;
mod lists;
mod project;
mod referrer;
mod totals;

pub use analytics::{Analytics, MOST_TREND_DAYS, TrendDay, referral_analytics, referral_trends};
pub use dashboard::{Dashboard, Figures, Monitoring, Success, Sums, Waiting, dashboard, payment_monitoring};
pub use leaderboard::{Board, Period, Row, leaderboard, public_board};
pub use lists::{
    LONGEST_PAGE, ListedReferrer, ListedUser, UserFilter, UserPlace, list_orders, list_referrers, list_users,
    list_withdrawals,
};
pub use project::{PROJECTED, project};
pub use referrer::ReferralStats;
pub use totals::{AdminStats, DayTrend, TopReferrer, admin_stats, members_of, top_referrers};

pub(crate) use counters::{ahead_of, bucket};
pub(crate) use project::searchable;
pub(crate) use referrer::{referral_stats, stats_in};
