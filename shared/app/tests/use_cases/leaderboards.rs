//! Leaderboards without members who are blocked.

use guerdon_app::{
    fraud::unblock_member,
    statistics::{Period, admin_stats, leaderboard, list_referrers, public_board, top_referrers},
};
use guerdon_domain::fraud::FraudAction;

use crate::{reversing::refunded, support::*};

/// Referrers 1 to 4 with 4, 3, 2 and 1 converted referrals.
async fn ranked() -> Business {
    let b = bitten().await;
    for referrer in 1..=4 {
        b.join(referrer).await;
        for n in referrer..=4 {
            let referee = referrer * 1000 + n;
            b.refer(referrer, referee).await;
            b.pay(referee, &format!("in_{referee}")).await;
        }
    }
    b.pump().await;
    b
}

impl Business {
    async fn board(&self, limit: i32) -> Vec<(i64, String)> {
        let rows = public_board(&self.app, Period::All, limit).await.unwrap().into_iter();
        rows.map(|(row, _)| (row.place, row.member.to_string())).collect()
    }

    fn places(&self, users: &[i64]) -> Vec<(i64, String)> {
        (1..).zip(users).map(|(place, user)| (place, self.id(*user).to_string())).collect()
    }

    async fn place_of(&self, viewer: i64, limit: i32) -> Option<i64> {
        leaderboard(&self.app, Period::All, &self.id(viewer), limit).await.unwrap().viewer_place
    }
}

#[tokio::test]
async fn a_blocked_referrer_leaves_the_board_until_they_are_unblocked() {
    let b = ranked().await;
    assert_eq!(b.board(3).await, b.places(&[1, 2, 3]));
    for blocked in [1, 2] {
        b.by_hand(blocked, FraudAction::Reject).await;
    }
    assert_eq!(b.board(2).await, b.places(&[3, 4]), "the next ones move up, and the board is full");
    assert_eq!(b.board(10).await, b.places(&[3, 4]));
    assert_eq!((b.place_of(3, 1).await, b.place_of(4, 1).await), (Some(1), Some(2)));
    assert_eq!(
        (b.place_of(1, 1).await, b.place_of(2, 10).await),
        (None, None),
        "they have no place themselves"
    );
    for blocked in [1, 2] {
        unblock_member(&b.app, &"olga".into(), tid(blocked), "all is well").await.unwrap();
    }
    assert_eq!(b.board(3).await, b.places(&[1, 2, 3]));
}

#[tokio::test]
async fn a_member_who_is_only_held_stays_on_the_board() {
    let b = ranked().await;
    b.by_hand(1, FraudAction::Hold).await;
    assert_eq!(b.board(3).await, b.places(&[1, 2, 3]));
    assert_eq!(b.place_of(1, 1).await, Some(1));
}

#[tokio::test]
async fn whose_conversions_were_all_undone_is_in_no_list_of_referrers() {
    let b = ranked().await;
    b.reverse("in_4004", 1, refunded(3900)).await;
    b.pump().await;
    let ids = [1, 2, 3].map(|user| Some(tid(user)));
    let shown = |top: Vec<guerdon_app::statistics::TopReferrer>| {
        top.into_iter().map(|top| top.user_id).collect::<Vec<_>>()
    };
    assert_eq!(shown(top_referrers(&b.app, Period::All, 10).await.unwrap()), ids);
    assert_eq!(shown(admin_stats(&b.app).await.unwrap().top_referrers), ids);
    let (listed, next) = list_referrers(&b.app, Period::All, None, 3).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.score).collect::<Vec<_>>(), [4, 3, 2]);
    let (rest, end) = list_referrers(&b.app, Period::All, next.as_ref(), 3).await.unwrap();
    assert_eq!((rest.len(), end), (0, None));
    assert_eq!(b.board(10).await, b.places(&[1, 2, 3]));
}
