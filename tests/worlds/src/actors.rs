//! Actors: each delivery and each action of a person is an actor that runs until it is done.

use std::rc::Rc;

use guerdon_app::{
    commissions::{ClaimRefusal, claim_reward, settle_wallet, sweep_releases},
    error::AppError,
    members::{Profile, StartRefusal, Started, start_member},
    referrals::share_code,
};
use guerdon_store::commissions::CommissionCursor;

use crate::{
    billing, desk,
    plan::What,
    stream,
    tasks::{Done, Undone, spawn, until_done},
    till, withdrawals,
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
        What::Bill(step) => format!("{step:?}"),
    }
}

async fn perform(world: Rc<World>, what: Rc<What>) -> Done {
    let app = world.app().clone();
    match &*what {
        What::Pay(n) => till::pay(&world, *n).await,
        What::Reverse(n, m) => till::reverse(&world, *n, *m).await,
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
        What::Bill(step) => billing::perform(&world, *step).await,
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
