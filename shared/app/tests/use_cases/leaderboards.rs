//! Leaderboards without members who are blocked.

use guerdon_app::{
    fraud::unblock_member,
    statistics::{Period, leaderboard, public_board},
};
use guerdon_domain::fraud::FraudAction;

use crate::support::*;

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
