//! Actors: each delivery and each action of a person is an actor that runs until it is done.

use std::rc::Rc;

use guerdon_app::{
    commissions::{ClaimRefusal, claim_reward, settle_wallet, sweep_releases},
    error::AppError,
    members::{Profile, StartRefusal, Started, start_member},
    payments::{
        Parked, Recorded, Reversed, park_until_known, record_payment, replay_parked, reverse_payment,
    },
    referrals::share_code,
};
use guerdon_domain::{
    money::Money,
    payments::{PaymentFacts, Reversal, ReversalKind},
};
use guerdon_store::{
    commissions::CommissionCursor,
    payments::{ParkedEvent, WaitsFor},
};

use crate::{
    desk,
    plan::What,
    stream,
    tasks::{Done, Undone, spawn, until_done},
    withdrawals,
    world::World,
};

/// Runs the whole plan, up to the last message.
pub async fn run(world: &Rc<World>) {
    stream::start(world);
    for number in 0..world.plan.members.len() {
        until_done(world, &format!("join {number}"), |world| join(world, number)).await;
    }
    let mut jobs = world.plan.jobs.clone();
    jobs.sort_by_key(|job| job.at);
    for (n, job) in jobs.into_iter().enumerate() {
        let what = Rc::new(job.what);
        spawn(world, format!("{n} {}", name_of(&what)), job.at, move |world| perform(world, what.clone()));
    }
    world.tasks.idle.notified().await;
}

fn name_of(what: &What) -> String {
    match what {
        What::Pay(n) => format!("pay {n}"),
        What::Reverse(n, m) => format!("reverse {n}.{m}"),
        What::Look(n) => format!("look {n}"),
        What::Sweep => "sweep".to_owned(),
        What::Ask { member, .. } => format!("ask {member}"),
        What::Export { operator, .. } => format!("export {operator}"),
        What::Bar(n, barred) => format!("bar {n} {barred}"),
        What::SetProgram => "set program".to_owned(),
        What::SetCost(plan, _) => format!("set cost {plan}"),
        What::Decide { payment, .. } => format!("decide {payment}"),
        What::Claim(n) => format!("claim {n}"),
    }
}

async fn perform(world: Rc<World>, what: Rc<What>) -> Done {
    let app = world.app().clone();
    match &*what {
        What::Pay(n) => pay(&world, *n).await,
        What::Reverse(n, m) => reverse(&world, *n, *m).await,
        What::Look(member) => {
            settle_wallet(&app, &world.member(*member)).await?;
            Ok(())
        }
        What::Sweep => {
            sweep_releases(&app).await?;
            Ok(())
        }
        What::Ask { member, percent, key } => withdrawals::ask(&world, *member, *percent, key).await,
        What::Export { batch, operator } => withdrawals::export(&world, batch, operator).await,
        What::Bar(member, barred) => desk::bar(&world, *member, *barred).await,
        What::SetProgram => desk::set_program(&world).await,
        What::SetCost(plan, dollars) => desk::set_cost(&world, plan, *dollars).await,
        What::Decide { payment, key } => desk::decide(&world, *payment, key).await,
        What::Claim(member) => claim(&world, *member).await,
    }
}

async fn join(world: Rc<World>, number: usize) -> Done {
    let app = world.app().clone();
    let code = match world.plan.members[number] {
        Some(referrer) => Some(share_code(&app, &world.member(referrer)).await?.code),
        None => None,
    };
    let profile = Profile {
        telegram_id: World::telegram(number),
        first_name: format!("Member {number}"),
        last_name: None,
        username: None,
        language: None,
    };
    let update = 1 + number as i64;
    let first = start_member(&app, &profile, code.as_ref(), update);
    // Telegram delivers the update a second time meanwhile.
    let second = start_member(&app, &profile, code.as_ref(), update);
    let (first, second) = futures::future::join(first, second).await;
    for started in [first?, second?] {
        if let Started::Refused(StartRefusal::OwnCode | StartRefusal::UnknownCode) = started {
            return Err(Undone::Never(format!("{number} was refused: {started:?}")));
        }
    }
    Ok(())
}

/// The content of a payment's event.
pub fn facts(world: &World, n: usize) -> PaymentFacts {
    let paid = &world.plan.payments[n];
    let member = world.member(paid.member);
    let usual = PaymentFacts::purchase(paid.key.clone(), member, paid.paid, paid.settled);
    // The list price of an invoice that credits the customer is no lower for that.
    let tier = if paid.paid.is_zero() { Money::new(3900, paid.paid.currency()) } else { usual.tier };
    let (purpose, lines) = (paid.purpose, paid.goods.lines.clone());
    PaymentFacts { purpose, lines, tax: paid.tax, tier, known_at: paid.at, ..usual }
}

/// Handles a payment as the worker does: records it, replays what waited for it, and reports it as paid.
async fn pay(world: &World, n: usize) -> Done {
    let app = world.app();
    let facts = facts(world, n);
    let recorded = record_payment(app, &facts).await?;
    let waits_for = WaitsFor::Payment { payment: facts.key.clone() };
    replay_parked(app, &waits_for, |event| async move {
        let word = word_of(world, n, &event)?;
        match reverse_payment(app, &world.plan.payments[n].key, &word).await? {
            Reversed::UnknownPayment | Reversed::OtherCurrency => {
                Err(AppError::Corrupt("the payment is gone, or has another currency".into()))
            }
            Reversed::Applied { .. } | Reversed::AlreadyApplied => Ok(()),
        }
    })
    .await?;
    if let Recorded::AlreadyApplied(_) = recorded {
        let paid = Reversal { at: facts.paid_at, kind: ReversalKind::Invoice { undone: false } };
        reverse_payment(app, &facts.key, &paid).await?;
    }
    Ok(())
}

fn word_of(world: &World, n: usize, event: &ParkedEvent) -> Result<Reversal, AppError> {
    let word = event.body.parse().ok().and_then(|m: usize| world.plan.payments[n].words.get(m));
    word.cloned().ok_or_else(|| AppError::Corrupt("a parked event that this world did not make".into()))
}

async fn reverse(world: &World, n: usize, m: usize) -> Done {
    let app = world.app();
    let paid = &world.plan.payments[n];
    let word = &paid.words[m];
    if reverse_payment(app, &paid.key, word).await? != Reversed::UnknownPayment {
        return Ok(());
    }
    let event = ParkedEvent {
        event_id: format!("evt_{n}_{m}"),
        waits_for: WaitsFor::Payment { payment: paid.key.clone() },
        event_kind: "reversal".to_owned(),
        created: word.at,
        parked_at: app.now(),
        body: m.to_string(),
        replay_requested_at: None,
        replays: 0,
    };
    match park_until_known(app, &event).await? {
        Parked::Waiting => Ok(()),
        Parked::KnownNow => Err(Undone::Again),
    }
}

/// Claims all that a member can claim. Another tap may be faster.
async fn claim(world: &World, member: usize) -> Done {
    let (app, id) = (world.app(), world.member(member));
    let waiting = app.store().commissions().redeemable(&id, app.now(), 50).await;
    for reward in waiting.map_err(AppError::from)? {
        match claim_reward(app, &id, &CommissionCursor::of(&reward)).await {
            Ok(_) | Err(ClaimRefusal::Unknown | ClaimRefusal::Disputed) => {}
            Err(ClaimRefusal::App(error)) => return Err(error.into()),
            Err(error) => return Err(Undone::Never(error.to_string())),
        }
    }
    Ok(())
}
