//! Operations of a program with two levels: payments, reversals and withdrawals.

use anyhow::ensure;
use guerdon_app::{
    commissions::settle_wallet,
    payments::{Reversed, reverse_payment},
    withdrawals::{
        Confirmed, Outcome, approve_withdrawal, claim_withdrawal, confirm_withdrawal, finish_withdrawal,
        offer_withdrawal, reject_withdrawal, request_withdrawal,
    },
};
use guerdon_domain::{
    ids::{MemberId, WithdrawalId},
    money::{Currency, Money},
    payments::{RefundStage, Reversal, ReversalKind},
    withdrawals::PayoutMethod,
};
use guerdon_store::table::Cost;

use crate::{
    Budget, Line,
    operations::line,
    world::{World, payment_key},
};

/// The plan's price.
const PRICE: Money = Money::new(13_500, Currency::INR);
/// The preset's hold.
const DAY: i64 = 86_400;

/// Makes 1 bring 2, and 2 bring 3.
pub(crate) async fn run() -> anyhow::Result<Vec<Line>> {
    let world = World::of("ott").await?;
    for user in 1..=3 {
        let code = if user > 1 { Some(world.code(user - 1).await?) } else { None };
        world.start(user, code.as_ref()).await?;
    }
    let first = world.cost(world.pay_of(3, "in_1", PRICE)).await?;
    let next = world.cost(world.pay_of(3, "in_2", PRICE)).await?;
    let held = world.cost(refund(&world, "in_1", 1)).await?;
    world.advance(DAY + 1);
    for user in 1..=2 {
        settle_wallet(&world.app, &world.id(user)?).await?;
    }
    let released = world.cost(refund(&world, "in_2", DAY + 2)).await?;
    let budget = Some(Budget::new(8, 1));
    let mut lines = vec![
        line("payment with two levels that converts", first, budget),
        line("payment with two levels", next, budget),
        line("refund of two levels while held", held, budget),
        line("refund of two levels after the release", released, None),
    ];
    lines.extend(withdrawing(&world).await?);
    Ok(lines)
}

async fn refund(world: &World, invoice: &str, seconds: i64) -> anyhow::Result<()> {
    let kind = ReversalKind::Refund { id: "re_1".to_owned(), amount: PRICE, stage: RefundStage::Succeeded };
    let reversal = Reversal { at: world.app.now().plus_seconds(seconds), kind };
    let reversed = reverse_payment(&world.app, &payment_key(invoice)?, &reversal).await?;
    ensure!(reversed == Reversed::Applied { undone: PRICE, changed: 2 }, "{reversed:?}");
    Ok(())
}

/// Makes 2 earn enough by payments of 3 to withdraw all of it.
async fn withdrawing(world: &World) -> anyhow::Result<Vec<Line>> {
    const PAYMENTS: i64 = 25;
    for n in 0..PAYMENTS {
        world.pay_of(3, &format!("in_w{n}"), PRICE).await?;
    }
    world.advance(DAY + 1);
    let (app, member) = (&world.app, world.id(2)?);
    settle_wallet(app, &member).await?;
    let all = Money::new(PAYMENTS * 2800, Currency::INR);
    let destination = (PayoutMethod::Upi, "friend@bank");
    let mut asked = None;
    let requested = world
        .cost(async {
            asked = Some(request_withdrawal(app, &member, all, destination, "key").await?);
            Ok(())
        })
        .await?;
    let Some(asked) = asked else { anyhow::bail!("nothing was asked for") };
    reject_withdrawal(app, &asked.withdrawal().id, &"ops".into(), "asked again in the bot").await?;
    let (shown, confirmed, id) = in_the_bot(world, &member, all).await?;
    let id = &id;
    let approved = world.cost(async { Ok(approve_withdrawal(app, id, &"ops".into()).await?) }).await?;
    let claimed = world.cost(async { Ok(claim_withdrawal(app, id, &"ops".into()).await?) }).await?;
    let outcome = Outcome::Paid("UTR".to_owned());
    let paid = world.cost(async { Ok(finish_withdrawal(app, id, &"ops".into(), &outcome).await?) }).await?;
    Ok(vec![
        line("withdrawal: request", requested, Some(Budget::new(9, 1))),
        line("withdrawal: shown in the bot", shown, Some(Budget::new(1, 0))),
        line("withdrawal: confirmed in the bot", confirmed, Some(Budget::new(9, 1))),
        line("withdrawal: approve", approved, Some(Budget::new(6, 1))),
        line("withdrawal: claim", claimed, None),
        line("withdrawal: paid", paid, Some(Budget::new(7, 1))),
    ])
}

/// Makes the member ask for `all` by a button; returns what both steps cost, and the withdrawal.
async fn in_the_bot(
    world: &World,
    member: &MemberId,
    all: Money,
) -> anyhow::Result<(Cost, Cost, WithdrawalId)> {
    let app = &world.app;
    let member = app.store().members().find(member).await?;
    let Some(member) = member else { anyhow::bail!("there is no such member") };
    let (mut button, mut made) = (None, None);
    let shown = world
        .cost(async {
            let destination = (PayoutMethod::Upi, "friend@bank");
            button = Some(offer_withdrawal(app, &member, all, destination, "message-1").await?.id);
            Ok(())
        })
        .await?;
    let Some(button) = button else { anyhow::bail!("no button was shown") };
    let confirmed = world
        .cost(async {
            made = Some(confirm_withdrawal(app, &member, &button).await?);
            Ok(())
        })
        .await?;
    match made {
        Some(Confirmed::Asked(asked)) => Ok((shown, confirmed, asked.withdrawal().id.clone())),
        other => anyhow::bail!("the button did nothing: {other:?}"),
    }
}
