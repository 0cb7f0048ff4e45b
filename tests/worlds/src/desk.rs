//! Operators: they bar members, change the program and the costs, and let payments be decided again.

use guerdon_app::{
    members::set_barred,
    once::{Call, ChangeRefusal, MemberCall},
    payments::{DecideRefusal, Undecided, decide_again, decide_all, undecided_payments},
    programs::{ProgramRefusal, set_program as set_rules},
    settings::{SettingRefusal, set_setting},
};

use crate::{
    kinds::changed,
    tasks::{Done, Undone},
    world::World,
};

fn call(key: impl Into<String>) -> Call {
    Call { principal: "ann".into(), key: key.into(), input_hash: "same".to_owned() }
}

/// A request about a member.
pub fn about(member: usize, key: String) -> MemberCall {
    MemberCall { call: call(key), user_id: World::telegram(member), reason: "simulated".to_owned() }
}

/// Bars a member, or lets them in again.
pub async fn bar(world: &World, member: usize, barred: bool) -> Done {
    let request = about(member, format!("bar-{member}-{barred}"));
    match set_barred(world.app(), &request, barred).await {
        Ok(_) => Ok(()),
        Err(ChangeRefusal::App(error)) => Err(error.into()),
        Err(error) => Err(Undone::Never(error.to_string())),
    }
}

/// Sets the second version of the program.
pub async fn set_program(world: &World) -> Done {
    let program = changed(&world.plan.preset.program);
    match set_rules(world.app(), &call("program"), "simulated", program).await {
        Ok(_) => Ok(()),
        Err(ProgramRefusal::App(error)) => Err(error.into()),
        Err(error) => Err(Undone::Never(error.to_string())),
    }
}

/// Sets what a plan costs.
pub async fn set_cost(world: &World, plan: &'static str, dollars: i64) -> Done {
    let (key, json) = (format!("plans.{plan}.cost"), dollars.to_string());
    match set_setting(world.app(), &"ann".into(), &key, &json, None).await {
        Ok(state) => {
            let at = state.changed.map(|(at, _)| at);
            world.costs.borrow_mut().extend(at.map(|at| (plan, at)));
            Ok(())
        }
        Err(SettingRefusal::App(error)) => Err(error.into()),
        Err(error) => Err(Undone::Never(error.to_string())),
    }
}

/// Lets a payment be decided again, with what the operator knows about its goods.
pub async fn decide(world: &World, payment: usize, key: &str) -> Done {
    let paid = &world.plan.payments[payment];
    let supplied = paid.goods.cost.supplied();
    match decide_again(world.app(), &call(key), &paid.key, &supplied, "simulated").await {
        Ok(_)
        | Err(
            DecideRefusal::UnknownPayment
            | DecideRefusal::Decided
            | DecideRefusal::Undone
            | DecideRefusal::StillOpen(_),
        ) => Ok(()),
        Err(DecideRefusal::App(error)) => Err(error.into()),
        Err(error) => Err(Undone::Never(error.to_string())),
    }
}

/// Works off the list of payments that wait for a decision.
///
/// # Errors
/// The refusal.
pub async fn work_off(world: &World) -> Result<(), String> {
    let app = &world.apps[0];
    let until = app.now().plus_seconds(3600);
    decide_all(app, &"ann".into(), "at rest", until).await.map_err(|error| error.to_string())?;
    let mut from = Some(Undecided::default());
    while let Some(position) = from {
        let page = undecided_payments(app, position, 3).await;
        let (waiting, next) = page.map_err(|error| error.to_string())?;
        for payment in waiting {
            let known = world.plan.payments.iter().find(|paid| paid.key == payment.payment);
            let Some(paid) = known else { return Err(format!("{} waits", payment.payment)) };
            let (call, supplied) = (call(format!("rest-{}", paid.key)), paid.goods.cost.supplied());
            let decided = decide_again(app, &call, &paid.key, &supplied, "at rest").await;
            decided.map_err(|error| format!("decide {}: {error}", paid.key))?;
        }
        from = next;
    }
    Ok(())
}
