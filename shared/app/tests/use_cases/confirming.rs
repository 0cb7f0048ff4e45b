//! Withdrawals by a button: what was shown happens, once, to its owner, in its time.

use guerdon_app::{
    intents::{Cancelled, IntentRefusal, cancel_intent},
    withdrawals::{
        Confirmed, WithdrawalAsked, WithdrawalError, WithdrawalOffer, confirm_withdrawal, offer_withdrawal,
        reject_withdrawal,
    },
};
use guerdon_domain::{
    ids::IntentId,
    intents::{ActionKind, Closed, VALID_SECONDS},
    members::Member,
    withdrawals::{PayoutMethod, Withdrawal},
};
use guerdon_store::table::Effect;

use crate::{
    support::*,
    withdrawing::{OTT, inr},
};

const UPI: &str = "asha@okhdfc";

/// The confirmed withdrawal.
fn asked(confirmed: Result<Confirmed, WithdrawalError>) -> Withdrawal {
    match confirmed {
        Ok(Confirmed::Asked(asked)) => asked.withdrawal().clone(),
        other => panic!("{other:?}"),
    }
}

fn refused(confirmed: Result<Confirmed, WithdrawalError>) -> IntentRefusal {
    match confirmed {
        Ok(Confirmed::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

impl Business {
    async fn member(&self, user: i64) -> Member {
        self.calm().members().find(&self.id(user)).await.unwrap().unwrap()
    }

    async fn offer(&self, minor: i64, destination: &str, cause: &str) -> WithdrawalOffer {
        let member = self.member(1).await;
        let parts = (PayoutMethod::Upi, destination);
        offer_withdrawal(&self.app, &member, inr(minor), parts, cause).await.unwrap()
    }

    async fn confirm(&self, id: &IntentId) -> Result<Confirmed, WithdrawalError> {
        confirm_withdrawal(&self.app, &self.member(1).await, id).await
    }

    async fn cancel(&self, id: &IntentId) -> Cancelled {
        cancel_intent(&self.app, &self.id(1), ActionKind::Withdraw, id).await.unwrap()
    }

    async fn withdrawals(&self) -> Vec<Withdrawal> {
        self.calm().withdrawals().of(&self.id(1), None, 100).await.unwrap()
    }
}

#[tokio::test]
async fn only_the_tap_asks_and_it_asks_for_what_was_shown() {
    let b = Business::earning(OTT, 25).await;
    let offer = b.offer(60_000, "Asha@okhdfc", "message-1").await;
    assert_eq!((offer.amount, offer.destination.expose()), (inr(60_000), UPI));
    assert_eq!(offer.until, b.app.now().plus_seconds(900));
    assert_eq!((b.earnings().await, b.withdrawals().await.len()), ((70_000, 0, 0), 0), "nothing moves yet");
    let stored = b.dump().await;
    let intent = stored.iter().find(|(key, _)| key.contains("INTENT#withdraw")).unwrap();
    assert!(!format!("{intent:?}").contains("asha"), "the destination is sealed: {intent:?}");
    let withdrawal = asked(b.confirm(&offer.id).await);
    assert_eq!((withdrawal.amount, b.earnings().await), (inr(60_000), (10_000, 60_000, 0)));
    let opened = withdrawal.destination.open(&b.app.pseudonyms, &withdrawal.id).unwrap();
    assert_eq!((opened.expose(), withdrawal.request_key), (UPI, format!("intent-{}", offer.id)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 10)]
async fn taps_at_once_make_one_withdrawal_and_get_one_answer() {
    let b = Business::earning(OTT, 25).await;
    let (offer, member) = (b.offer(60_000, UPI, "message-1").await, b.member(1).await);
    b.race(10);
    let taps = at_once(10, |_| {
        let (app, member, id) = (b.app.clone(), member.clone(), offer.id.clone());
        async move { asked(confirm_withdrawal(&app, &member, &id).await) }
    })
    .await;
    assert!(taps.iter().all(|withdrawal| *withdrawal == taps[0]), "{taps:?}");
    assert_eq!((b.earnings().await, b.withdrawals().await.len()), ((10_000, 60_000, 0), 1));
}

#[tokio::test]
async fn a_button_is_good_once_and_only_while_its_state_and_time_allow() {
    let b = Business::earning(OTT, 60).await;
    let before = b.earnings().await;
    let replaced = b.offer(50_000, "old@okhdfc", "message-1").await;
    let late = b.offer(50_000, UPI, "message-2").await;
    assert_eq!(refused(b.confirm(&replaced.id).await), IntentRefusal::Outdated, "a newer one is shown");
    b.advance(VALID_SECONDS);
    assert_eq!(refused(b.confirm(&late.id).await), Closed::Expired.into());
    assert_eq!(b.cancel(&late.id).await, Cancelled::Refused(Closed::Expired.into()));
    let unwanted = b.offer(50_000, UPI, "message-3").await;
    assert_eq!(b.cancel(&unwanted.id).await, Cancelled::Done(Effect::Applied));
    assert_eq!(b.cancel(&unwanted.id).await, Cancelled::Done(Effect::AlreadyApplied));
    assert_eq!(refused(b.confirm(&unwanted.id).await), Closed::Cancelled.into());
    let unknown = IntentId::parse(format!("{}0000000000000000", &b.id(1).as_str()[..8])).unwrap();
    assert_eq!(refused(b.confirm(&unknown).await), IntentRefusal::Outdated);
    assert_eq!((b.earnings().await, b.withdrawals().await.len()), (before, 0));
    let wanted = b.offer(50_000, UPI, "message-4").await;
    let first = asked(b.confirm(&wanted.id).await);
    assert_eq!(b.cancel(&wanted.id).await, Cancelled::Refused(Closed::Used.into()), "too late");
    reject_withdrawal(&b.app, &first.id, &"ops".into(), "wrong name").await.unwrap();
    // The money is back, and the old taps still mean the old withdrawal, whatever was shown since.
    assert_eq!(asked(b.confirm(&wanted.id).await).id, first.id);
    b.offer(50_000, UPI, "message-5").await;
    assert_eq!(asked(b.confirm(&wanted.id).await).id, first.id);
    assert_eq!((b.earnings().await, b.withdrawals().await.len()), (before, 1));
}

#[tokio::test]
async fn another_members_button_does_nothing() {
    let b = Business::earning(OTT, 25).await;
    let offer = b.offer(60_000, UPI, "message-1").await;
    let before = b.dump().await;
    let thief = b.member(2).await;
    let theft = confirm_withdrawal(&b.app, &thief, &offer.id).await;
    assert_eq!(refused(theft), IntentRefusal::NotYours);
    let vandal = cancel_intent(&b.app, &thief.id, ActionKind::Withdraw, &offer.id).await.unwrap();
    assert_eq!(vandal, Cancelled::Refused(IntentRefusal::NotYours));
    assert_eq!(b.dump().await, before);
    asked(b.confirm(&offer.id).await);
}

#[tokio::test]
async fn a_message_that_comes_again_does_not_open_its_button_again() {
    let b = Business::earning(OTT, 60).await;
    let first = b.offer(50_000, UPI, "message-1").await;
    b.advance(60);
    let again = b.offer(50_000, UPI, "message-1").await;
    assert_eq!((&again.id, again.until), (&first.id, first.until), "the same button with the same end");
    let withdrawal = asked(b.confirm(&first.id).await);
    reject_withdrawal(&b.app, &withdrawal.id, &"ops".into(), "wrong name").await.unwrap();
    assert_eq!(b.offer(50_000, UPI, "message-1").await.id, first.id);
    assert_eq!(asked(b.confirm(&first.id).await).id, withdrawal.id);
    assert_eq!((b.earnings().await.1, b.withdrawals().await.len()), (0, 1));
}

#[tokio::test]
async fn what_no_longer_holds_at_the_tap_is_refused_and_changes_nothing() {
    let b = Business::earning(OTT, 25).await;
    let offer = b.offer(60_000, UPI, "message-1").await;
    let refusals = async |change: fn(&mut Member)| {
        let mut member = b.member(1).await;
        change(&mut member);
        confirm_withdrawal(&b.app, &member, &offer.id).await.unwrap_err().code()
    };
    let before = b.dump().await;
    assert_eq!(refusals(|member| member.barred = true).await, "member_barred");
    assert_eq!(b.dump().await, before);
    let other = b.offer(70_000, UPI, "message-2").await;
    let taken = b.offer(60_000, UPI, "message-3").await;
    asked(b.confirm(&taken.id).await);
    assert_eq!(refused(b.confirm(&other.id).await), IntentRefusal::Outdated);
    assert_eq!(b.earnings().await, (10_000, 60_000, 0));
}

#[tokio::test(start_paused = true)]
async fn cut_off_at_any_request_the_tap_asks_once() {
    for seed in 1..=60 {
        let b = Business::earning(OTT, 25).await;
        let (offer, member) = (b.offer(60_000, UPI, "message-1").await, b.member(1).await);
        b.break_with(Seeded::new(seed));
        let mut answers = Vec::new();
        while answers.len() < 2 {
            match confirm_withdrawal(&b.app, &member, &offer.id).await {
                Err(WithdrawalError::App(error)) => assert!(error.retryable(), "seed {seed}: {error:?}"),
                other => answers.push(asked(other).id),
            }
        }
        b.mend();
        assert_eq!(answers[0], answers[1], "seed {seed}");
        assert_eq!(
            (b.earnings().await, b.withdrawals().await.len()),
            ((10_000, 60_000, 0), 1),
            "seed {seed}"
        );
    }
}

#[tokio::test]
async fn an_offer_costs_one_unit_and_its_tap_nine() {
    let b = Business::earning(OTT, 25).await;
    b.meter.reset();
    let offer = b.offer(60_000, UPI, "message-1").await;
    let cost = b.cost("offer_withdrawal");
    assert!(cost.write_tenths <= 10 && cost.transactions == 0, "{cost:?}");
    let applied = async || match b.confirm(&offer.id).await {
        Ok(Confirmed::Asked(asked)) => matches!(*asked, WithdrawalAsked::Applied(_)),
        other => panic!("{other:?}"),
    };
    assert!(applied().await);
    let cost = b.cost("confirm_withdrawal");
    assert!(cost.write_tenths <= 90 && cost.transactions == 1, "{cost:?}");
    assert!(!applied().await, "it was applied before");
}
