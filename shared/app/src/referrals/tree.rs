//! Whom a member brought, and whom those brought: two levels, a page at a time.

use std::collections::HashMap;

use guerdon_domain::{
    ids::MemberId, members::Member, referrals::Referral, statistics::Counter, time::Timestamp,
};
use guerdon_store::{statistics::Projection, table::metered};

use crate::{context::App, error::AppError};

/// Somebody in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Who; none after they deleted their data.
    pub member: Option<Member>,
    /// When they joined.
    pub joined_at: Timestamp,
    /// How far their referral has come: `pending`, `converted` or `expired`.
    pub state: &'static str,
    /// How many they brought themselves.
    pub recruits: i64,
    /// The newest of those, where two levels were asked for.
    pub referees: Vec<Branch>,
}

/// A page of a member's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// How many the member brought.
    pub recruits: i64,
    /// Some of them, newest first.
    pub branches: Vec<Branch>,
    /// Where the next page begins, if there is one.
    pub next: Option<TreePlace>,
}

/// Where a page of a tree ended: when the last one joined, and who that was.
pub type TreePlace = (Timestamp, MemberId);

/// Members of the second level that are shown of each of the first.
const SECOND_LEVEL: i32 = 10;

/// Up to `limit` (50 at the most) of those whom `member` brought, newest first, after `before`.
///
/// # Errors
/// [`AppError`].
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

/// What is on record of everybody on a page.
struct Known {
    members: HashMap<MemberId, Member>,
    recruits: HashMap<MemberId, i64>,
}

impl Known {
    async fn of(app: &App, people: &[MemberId]) -> Result<Self, AppError> {
        let (mut members, mut recruits) = (HashMap::new(), HashMap::new());
        for chunk in people.chunks(100) {
            let found = app.store.members().find_all(chunk).await?;
            members.extend(found.into_iter().map(|member| (member.id.clone(), member)));
            let counters = app.store.statistics().counters_of(chunk).await?;
            recruits.extend(chunk.iter().cloned().zip(counters.iter().map(|all| all.get(Counter::Recruits))));
        }
        Ok(Self { members, recruits })
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
