//! Payments and their reversals, as the worker handles their events.

use guerdon_app::{
    error::AppError,
    payments::{
        Parked, Recorded, Reversed, Tied, park_until_known, payment_behind, record_payment, replay_parked,
        reverse_payment, tie_reference, undo_payment_intent,
    },
};
use guerdon_domain::{
    ids::PaymentKey,
    money::Money,
    payments::{PaymentFacts, Reversal, ReversalKind},
};
use guerdon_store::payments::{ParkedEvent, PaymentReference, WaitsFor};

use crate::{
    tasks::{Done, Undone},
    world::World,
};

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

/// Handles a payment: records it, replays what waited for it, and reports it as paid.
pub async fn pay(world: &World, n: usize) -> Done {
    let (app, paid) = (world.app(), &world.plan.payments[n]);
    if paid.invoice.is_some() {
        return pay_intent(world, n).await;
    }
    let facts = facts(world, n);
    let recorded = record_payment(app, &facts).await?;
    replay(world, WaitsFor::Payment { payment: facts.key.clone() }).await?;
    if let Recorded::AlreadyApplied(_) = recorded {
        let paid = Reversal { at: facts.paid_at, kind: ReversalKind::Invoice { undone: false } };
        reverse_payment(app, &facts.key, &paid).await?;
    }
    for intent in world.plan.payments.iter().filter(|intent| intent.invoice == Some(n)) {
        tie(world, &intent.key, &facts.key).await?;
    }
    Ok(())
}

/// Books a payment intent by itself, unless it is known which invoice it paid.
async fn pay_intent(world: &World, n: usize) -> Done {
    let (app, facts) = (world.app(), facts(world, n));
    tie(world, &facts.key, &facts.key).await?;
    if payment_behind(app, &facts.key).await? == Some(facts.key.clone()) {
        record_payment(app, &facts).await?;
        replay(world, WaitsFor::Payment { payment: facts.key.clone() }).await?;
        undo_payment_intent(app, &facts.key).await?;
        replay(world, WaitsFor::Reference { reference: facts.key.clone() }).await?;
    } else {
        // It is never booked by itself, so what waits for that waits for its invoice.
        replay(world, WaitsFor::Payment { payment: facts.key.clone() }).await?;
    }
    Ok(())
}

async fn tie(world: &World, reference: &PaymentKey, payment: &PaymentKey) -> Done {
    let tie = PaymentReference { reference: reference.clone(), payment: payment.clone() };
    if tie_reference(world.app(), &tie).await? == Tied::PaymentUnknown {
        return Err(Undone::Again);
    }
    replay(world, WaitsFor::Reference { reference: reference.clone() }).await?;
    Ok(())
}

/// Plays what waited for a payment or a name again. It may have to wait for something else then.
async fn replay(world: &World, waits_for: WaitsFor) -> Result<(), AppError> {
    replay_parked(world.app(), &waits_for, |event| async move {
        let (n, m) = numbers(&event)
            .ok_or_else(|| AppError::Corrupt("a parked event that this world did not make".into()))?;
        match reverse(world, n, m).await {
            Ok(()) => Ok(()),
            Err(Undone::Again) => Err(AppError::Conflict),
            Err(Undone::Never(_)) => Err(AppError::Corrupt("a parked event cannot be played".into())),
        }
    })
    .await?;
    Ok(())
}

fn numbers(event: &ParkedEvent) -> Option<(usize, usize)> {
    let (n, m) = event.body.split_once('.')?;
    Some((n.parse().ok()?, m.parse().ok()?))
}

/// Reverses the payment. That of an intent is the payment behind it, which may change meanwhile.
pub async fn reverse(world: &World, n: usize, m: usize) -> Done {
    let (app, paid) = (world.app(), &world.plan.payments[n]);
    let behind = match paid.invoice {
        Some(_) => payment_behind(app, &paid.key).await?,
        None => Some(paid.key.clone()),
    };
    let waits_for = match behind {
        None => WaitsFor::Reference { reference: paid.key.clone() },
        Some(payment) => match reverse_payment(app, &payment, &paid.words[m]).await? {
            Reversed::UnknownPayment => WaitsFor::Payment { payment },
            Reversed::OtherCurrency => {
                return Err(Undone::Never(format!("{payment} has another currency")));
            }
            Reversed::Applied { .. } | Reversed::AlreadyApplied => {
                let has_moved =
                    paid.invoice.is_some() && payment_behind(app, &paid.key).await? != Some(payment);
                return if has_moved { Err(Undone::Again) } else { Ok(()) };
            }
        },
    };
    let event = ParkedEvent {
        event_id: format!("evt_{n}_{m}"),
        waits_for,
        event_kind: "reversal".to_owned(),
        created: paid.words[m].at,
        parked_at: app.now(),
        body: format!("{n}.{m}"),
        replay_requested_at: None,
        replays: 0,
    };
    let has_moved = match park_until_known(app, &event).await? {
        Parked::KnownNow => true,
        Parked::Waiting if paid.invoice.is_some() => {
            payment_behind(app, &paid.key).await?.is_some_and(|behind| behind != paid.key)
        }
        Parked::Waiting => false,
    };
    if has_moved {
        app.store().parked().remove(&event).await.map_err(AppError::from)?;
        return Err(Undone::Again);
    }
    Ok(())
}
