//! The referral tree of a member: two levels, read in pages.

use std::collections::HashMap;

use guerdon_domain::{
    ids::MemberId, members::Member, referrals::Referral, statistics::Counter, time::Timestamp,
};
use guerdon_store::{statistics::Projection, table::metered};

use crate::{context::App, error::AppError};

/// A referee in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The referee; `None` after they deleted their data.
    pub member: Option<Member>,
    /// Time when the referee joined.
    pub joined_at: Timestamp,
    /// State of the referral: `pending`, `converted` or `expired`.
    pub state: &'static str,
    /// Number of members whom the referee referred.
    pub recruits: i64,
    /// The newest of those members, if two levels were requested.
    pub referees: Vec<Branch>,
}

/// A page of a member's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// Number of members whom the member referred.
    pub recruits: i64,
    /// The page's referees, newest first.
    pub branches: Vec<Branch>,
    /// The position of the next page, if there is one.
    pub next: Option<TreePlace>,
}

/// The position of the last referee of a page: time of joining, and member id.
pub type TreePlace = (Timestamp, MemberId);

/// Number of second-level members shown for each first-level member.
const SECOND_LEVEL: i32 = 10;

/// Lists up to `limit` (at most 50) referees of `member`, newest first, after `before`.
pub async fn referral_tree(
    app: &App,
    member: &MemberId,
    before: Option<&TreePlace>,
    limit: i32,
    two_levels: bool,
) -> Result<Tree, AppError> {
    metered("referral_tree", async {
        let limit = limit.clamp(1, 50);
        let first = app.store.referrals().brought_by(member, before, limit).await?;
        let full = i32::try_from(first.len()).unwrap_or(i32::MAX) >= limit;
        let next = first.last().filter(|_| full).map(|last| (last.joined_at, last.referee.clone()));
        let mut second = HashMap::new();
        for referral in first.iter().filter(|_| two_levels) {
            let found = app.store.referrals().brought_by(&referral.referee, None, SECOND_LEVEL).await?;
            second.insert(referral.referee.clone(), found);
        }
        let people: Vec<_> =
            first.iter().chain(second.values().flatten()).map(|r| r.referee.clone()).collect();
        let known = Known::of(app, &people).await?;
        let branches = first
            .iter()
            .map(|referral| {
                let below = second.remove(&referral.referee).unwrap_or_default();
                let referees = below.iter().map(|referral| known.branch(referral, Vec::new())).collect();
                known.branch(referral, referees)
            })
            .collect();
        let counters = app.store.statistics().counters(&Projection::Member(member.clone())).await?;
        Ok(Tree { recruits: counters.get(Counter::Recruits), branches, next })
    })
    .await
}

/// The stored members and their numbers of referees, for everybody on a page.
struct Known {
    members: HashMap<MemberId, Member>,
    recruits: HashMap<MemberId, i64>,
}

impl Known {
    async fn of(app: &App, people: &[MemberId]) -> Result<Self, AppError> {
        let members = app.store.members().find_all(people).await?.into_iter();
        let members = members.map(|member| (member.id.clone(), member)).collect();
        let counters = app.store.statistics().counters_of(people).await?;
        let recruits = counters.iter().map(|all| all.get(Counter::Recruits));
        Ok(Self { members, recruits: people.iter().cloned().zip(recruits).collect() })
    }

    fn branch(&self, referral: &Referral, referees: Vec<Branch>) -> Branch {
        Branch {
            member: self.members.get(&referral.referee).cloned(),
            joined_at: referral.joined_at,
            state: referral.state.as_str(),
            recruits: self.recruits.get(&referral.referee).copied().unwrap_or_default(),
            referees,
        }
    }
}
