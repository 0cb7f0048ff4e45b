//! The operations, one after the other.

use anyhow::ensure;
use guerdon_app::{
    bill_credit::{InvoiceFacts, Reconciled, post_bill_credit, reconcile_invoice},
    commissions::settle_wallet,
    gamification::profile_view,
    once::{Call, MemberCall},
    statistics::{Period, admin_stats, leaderboard},
    wallets::{apply_credit, credits_view},
};
use guerdon_domain::ids::{CustomerId, InvoiceId};
use guerdon_store::{commissions::RELEASE_BATCH, table::Cost};

use crate::{
    Budget, Line, two_levels,
    world::{World, telegram_id, usd},
};

/// Measures everything.
pub(crate) async fn run() -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    lines.extend(joining().await?);
    lines.extend(paying().await?);
    lines.extend(two_levels::run().await?);
    lines.extend(crediting().await?);
    lines.extend(operating().await?);
    lines.extend(projecting().await?);
    lines.extend(pages().await?);
    let not_built = [("reserve a unit", "2.0, 1"), ("buy it from the wallet", "9.0, 1")];
    lines.extend(not_built.map(|(operation, budget)| Line::NotBuilt { operation, budget }));
    Ok(lines)
}

pub(crate) fn line(operation: &'static str, cost: Cost, budget: Option<Budget>) -> Line {
    Line::Measured { operation, cost, count: 1, budget }
}

async fn joining() -> anyhow::Result<Vec<Line>> {
    let world = World::of("bitten").await?;
    world.start(1, None).await?;
    let making = world.cost(world.code(1)).await?;
    let code = world.code(1).await?;
    let start = world.cost(world.start(2, Some(&code))).await?;
    let seen =
        world.cost(async { Ok(world.app.store().messages().see_update(77, world.app.now()).await?) }).await?;
    let link = world.cost(world.link(2)).await?;
    world.bill(2).await?;
    let billed = world.cost(world.bill(2)).await?;
    Ok(vec![
        line("first /start with a referral code", start, Some(Budget::new(5, 1))),
        line("a member's code is made", making, None),
        line("an update is remembered", seen, None),
        line("a Stripe customer is linked", link, None),
        line("a Stripe customer is billed again", billed, None),
    ])
}

async fn paying() -> anyhow::Result<Vec<Line>> {
    // The budget in the design is for two commissions.
    let budget = Some(Budget::new(8, 1));
    let world = World::of("bitten").await?;
    world.start(1, None).await?;
    let code = world.code(1).await?;
    world.start(2, Some(&code)).await?;
    Ok(vec![
        line("payment that converts, one commission", world.cost(world.pay(2, "in_2")).await?, budget),
        line("the same payment again", world.cost(world.pay(2, "in_2")).await?, Some(Budget::new(0, 0))),
        line("payment of a converted member", world.cost(world.pay(2, "in_3")).await?, budget),
        line("payment of a member without referrer", world.cost(world.pay(1, "in_1")).await?, budget),
    ])
}

async fn crediting() -> anyhow::Result<Vec<Line>> {
    let world = World::of("bitten").await?;
    let id = world.id(1)?;
    world.start(1, None).await?;
    world.link(1).await?;
    let batch = i64::from(RELEASE_BATCH);
    world.convert(1, 1000..1000 + batch).await?;
    let release = world
        .cost(async {
            let settled = settle_wallet(&world.app, &id).await?;
            ensure!(i64::from(settled.released) == batch, "{settled:?}");
            Ok(())
        })
        .await?;
    let claim = world
        .cost(async {
            let posted = post_bill_credit(&world.app, &world.stripe, &id, "bench").await;
            ensure!(posted.is_err(), "Stripe's answer should have been lost: {posted:?}");
            Ok(())
        })
        .await?;
    let post =
        world.cost(async { Ok(post_bill_credit(&world.app, &world.stripe, &id, "bench").await?) }).await?;
    let reconcile = world
        .cost(async {
            let facts = InvoiceFacts {
                invoice: InvoiceId::parse("in_9")?,
                customer: Some(CustomerId::parse("cus_1")?),
                applied: usd(1000),
                voided: false,
            };
            let reconciled = reconcile_invoice(&world.app, &id, &facts).await?;
            ensure!(reconciled == Reconciled::Applied(usd(1000)), "{reconciled:?}");
            Ok(())
        })
        .await?;
    let count = u64::try_from(batch)?;
    let budget = Some(Budget::tenths(31, 1));
    Ok(vec![
        Line::Measured { operation: "release, per commission, 97 together", cost: release, count, budget },
        line("bill credit is claimed", claim, Some(Budget::new(6, 1))),
        line("bill credit is marked as posted", post, None),
        line("bill credit on an invoice", reconcile, Some(Budget::new(6, 1))),
    ])
}

async fn operating() -> anyhow::Result<Vec<Line>> {
    let world = World::of("bitten").await?;
    world.start(1, None).await?;
    let request = MemberCall {
        call: Call { principal: "admin-01234567".into(), key: "k-1".to_owned(), input_hash: "0".repeat(64) },
        user_id: telegram_id(1)?,
        reason: "goodwill".to_owned(),
    };
    let apply = world.cost(async { Ok(apply_credit(&world.app, &request, usd(500)).await?) }).await?;
    let counted = world
        .cost(async {
            Ok(world
                .app
                .store()
                .requests()
                .count_call(request.call.principal.as_str(), 120, world.app.now())
                .await?)
        })
        .await?;
    Ok(vec![
        line("credit given by an operator", apply, None),
        line("an operator's call is counted", counted, None),
    ])
}

/// Measures the projections that follow from a payment, with full batches of the stream.
async fn projecting() -> anyhow::Result<Vec<Line>> {
    const PAYMENTS: i64 = 100;
    let hot = World::of("bitten").await?;
    hot.start(1, None).await?;
    hot.convert(1, 1000..1000 + PAYMENTS).await?;
    let hot_cost = hot.cost(hot.project(100)).await?;

    let spread = World::of("bitten").await?;
    for referrer in 1..=PAYMENTS {
        spread.start(referrer, None).await?;
        spread.convert(referrer, 1000 + referrer..1001 + referrer).await?;
    }
    let spread_cost = spread.cost(spread.project(100)).await?;
    let count = u64::try_from(PAYMENTS)?;
    Ok(vec![
        Line::Measured {
            operation: "projections, per start and payment, one referrer",
            cost: hot_cost,
            count,
            budget: None,
        },
        Line::Measured {
            operation: "projections, per start and payment, 100 referrers",
            cost: spread_cost,
            count,
            budget: None,
        },
    ])
}

/// Measures pages of a member with 10 and with 200 conversions.
async fn pages() -> anyhow::Result<Vec<Line>> {
    let short = page_costs(10).await?;
    let long = page_costs(200).await?;
    let line = |((operation, short), (_, long))| Line::Page { operation, short, long };
    Ok(short.into_iter().zip(long).map(line).collect())
}

async fn page_costs(conversions: i64) -> anyhow::Result<Vec<(&'static str, Cost)>> {
    let world = World::of("bitten").await?;
    let (app, id) = (&world.app, world.id(1)?);
    world.start(1, None).await?;
    for referee in 1000..1000 + conversions {
        world.convert(1, referee..referee + 1).await?;
        settle_wallet(app, &id).await?;
    }
    world.project(100).await?;
    let member = app.store().members().find(&id).await?;
    let Some(member) = member else { anyhow::bail!("the referrer is missing") };
    Ok(vec![
        ("page: balance", world.cost(async { Ok(credits_view(app, &member, None, 5).await?) }).await?),
        ("page: profile", world.cost(async { Ok(profile_view(app, &id).await?) }).await?),
        ("page: leaderboard", world.cost(async { Ok(leaderboard(app, Period::All, &id, 10).await?) }).await?),
        ("page: operators' statistics", world.cost(async { Ok(admin_stats(app).await?) }).await?),
    ])
}
