//! Withdrawals: members ask, operators act, the bank executes.

use std::rc::Rc;

use guerdon_app::{
    error::AppError,
    intents::cancel_intent,
    withdrawals::{
        Confirmed, Outcome, WithdrawalAsked, WithdrawalError, approve_withdrawal, confirm_withdrawal,
        export_batch, finish_withdrawal, offer_withdrawal, pay_out, reject_withdrawal, request_withdrawal,
    },
};
use guerdon_domain::{ids::WithdrawalId, intents::ActionKind, money::Money};

use crate::{
    clock::elapsed_millis,
    kinds::METHOD,
    plan::OPERATORS,
    tasks::{Done, Undone, spawn},
    world::World,
};

const MINUTE: u64 = 60_000;

/// Requests a share of the balance that a member sees. A repetition requests the same amount.
pub async fn ask(world: &Rc<World>, member: usize, percent: i64, key: &str) -> Done {
    let app = world.app();
    let Some(rules) = &app.preset.withdrawals else { return Ok(()) };
    let id = world.member(member);
    let known = world.asked.amounts.borrow().get(key).copied();
    let minor = match known {
        Some(minor) => minor,
        None => {
            let wallet = app.store().wallets().find(&id, rules.wallet, app.preset.currency).await;
            let available = wallet.map_err(|_| Undone::Again)?.buckets.available;
            let minor = (available * percent / 100).max(rules.minimum.minor());
            // The member's other tap may have been faster: both request the same.
            *world.asked.amounts.borrow_mut().entry(key.to_owned()).or_insert(minor)
        }
    };
    let amount = Money::new(minor, app.preset.currency);
    // Two members with one destination would be held by a fraud rule.
    let home = format!("friend{member}@bank");
    let asked = if uses_buttons(key) {
        by_button(world, member, amount, &home, key).await
    } else {
        request_withdrawal(app, &id, amount, (METHOD, &home), key).await.map(Some)
    };
    match asked {
        Ok(None) => Ok(()),
        Ok(Some(asked)) => {
            see(world, &asked.withdrawal().id);
            Ok(())
        }
        // Perhaps an earlier try made it, and did not live to tell.
        Err(WithdrawalError::OneOpen(id)) => {
            see(world, &id);
            Ok(())
        }
        Err(WithdrawalError::App(error)) => Err(error.into()),
        Err(
            WithdrawalError::Insufficient { .. }
            | WithdrawalError::CoolingDown(_)
            | WithdrawalError::Owes(_)
            | WithdrawalError::Barred,
        ) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Shows a withdrawal to the operators, once.
fn see(world: &Rc<World>, id: &WithdrawalId) {
    if world.asked.seen.borrow_mut().insert(id.to_string()) {
        decide(world, id);
    }
}

/// True for the requests that members make in the bot; services make the others.
fn uses_buttons(key: &str) -> bool {
    key.bytes().map(u32::from).sum::<u32>() % 2 == 0
}

/// Shows what the message `key` asks for, and taps its button twice at once, or once while the member cancels. Nothing
/// when the button does nothing any more.
async fn by_button(
    world: &Rc<World>,
    member: usize,
    amount: Money,
    home: &str,
    key: &str,
) -> Result<Option<WithdrawalAsked>, WithdrawalError> {
    let (app, other) = (world.app(), world.app());
    let found = app.store().members().find(&world.member(member)).await.map_err(AppError::from)?;
    let Some(found) = found else { return Ok(None) };
    let button = offer_withdrawal(app, &found, amount, (METHOD, home), key).await?.id;
    let first = confirm_withdrawal(app, &found, &button);
    let (first, second) = if world.net.draw(3) == 0 {
        let cancel = cancel_intent(other, &found.id, ActionKind::Withdraw, &button);
        let (first, cancelled) = futures::future::join(first, cancel).await;
        cancelled?;
        (first?, None)
    } else {
        let second = confirm_withdrawal(other, &found, &button);
        let (first, second) = futures::future::join(first, second).await;
        (first?, Some(second?))
    };
    match (first, second) {
        (Confirmed::Asked(one), Some(Confirmed::Asked(two))) => {
            if one.withdrawal().id != two.withdrawal().id {
                world.net.violate(format!("{button} made two withdrawals"));
            }
            Ok(Some(*one))
        }
        (Confirmed::Asked(asked), _) | (_, Some(Confirmed::Asked(asked))) => Ok(Some(*asked)),
        (Confirmed::Refused(_), _) => Ok(None),
    }
}

/// Schedules the operators' steps for a withdrawal: too many, too late, and at the same time.
fn decide(world: &Rc<World>, id: &WithdrawalId) {
    let net = world.net.clone();
    let now = elapsed_millis();
    let approved = now + net.draw(5 * MINUTE);
    for _ in 0..1 + net.draw(2) {
        let operator = OPERATORS[usize::from(net.draw(4) == 0)];
        let id = id.clone();
        spawn(world, format!("approve {id}"), approved + net.draw(100), move |world| {
            approve(world, id.clone(), operator)
        });
    }
    let paid = approved + [net.draw(300), net.draw(30 * MINUTE)][net.draw(2) as usize];
    if net.draw(4) == 0 {
        let at = [approved, paid][net.draw(2) as usize] + net.draw(100);
        let id = id.clone();
        spawn(world, format!("reject {id}"), at, move |world| reject(world, id.clone()));
    }
    let payments = [0, 1, 1, 2, 3][net.draw(5) as usize];
    for _ in 0..payments {
        let at = paid + [net.draw(100), net.draw(10 * MINUTE)][net.draw(2) as usize];
        let (payer, id) = (OPERATORS[usize::from(net.draw(4) != 0)], id.clone());
        spawn(world, format!("pay out {id} {payer}"), at, move |world| pay(world, id.clone(), payer));
    }
    if net.draw(3) == 0 {
        for n in 0..1 + net.draw(2) {
            let (batch, operator) = (format!("extra-{id}-{n}"), OPERATORS[net.draw(2) as usize]);
            let at = paid + net.draw(100);
            spawn(world, format!("export {batch} {operator}"), at, move |world| {
                let batch = batch.clone();
                async move { export(&world, &batch, operator).await }
            });
        }
    }
}

/// Accepts a refusal as an answer: another operator was faster.
fn answered<T>(result: Result<T, WithdrawalError>) -> Done {
    match result {
        Ok(_)
        | Err(
            WithdrawalError::WrongState(_)
            | WithdrawalError::SameOperator
            | WithdrawalError::Owes(_)
            | WithdrawalError::Barred,
        ) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn approve(world: Rc<World>, id: WithdrawalId, operator: &'static str) -> Done {
    answered(approve_withdrawal(world.app(), &id, &operator.into()).await)
}

async fn reject(world: Rc<World>, id: WithdrawalId) -> Done {
    answered(reject_withdrawal(world.app(), &id, &"ann".into(), "not today").await)
}

/// Pays by the provider.
pub async fn pay(world: Rc<World>, id: WithdrawalId, payer: &str) -> Done {
    let bank = world.bank.clone();
    answered(pay_out(world.app(), &*bank, &id, &payer.into()).await)
}

/// Exports a file for the bank, which executes it, and records the outcome of each line.
pub async fn export(world: &Rc<World>, batch: &str, operator: &str) -> Done {
    let app = world.app();
    let lines = export_batch(app, &batch.into(), METHOD, &operator.into()).await?;
    for line in lines {
        let id = line.withdrawal.id;
        tokio::time::sleep(std::time::Duration::from_millis(world.net.draw(200))).await;
        let outcome = execute(world, id.as_str(), batch);
        answered(finish_withdrawal(app, &id, &operator.into(), &outcome).await)?;
    }
    Ok(())
}

/// The bank's outcome for a line of a file.
pub fn execute(world: &World, id: &str, batch: &str) -> Outcome {
    if world.bank.transfer(id, batch) {
        Outcome::Paid(format!("{batch}-{id}"))
    } else {
        Outcome::Failed("account closed".to_owned())
    }
}
