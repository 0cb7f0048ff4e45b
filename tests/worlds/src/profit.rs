//! The shares of the profit, computed again from the plan: in whatever order payments, costs, corrections and decisions came.

use guerdon_domain::{
    ids::MemberId,
    money::{Currency, Money},
    payments::PaymentRecord,
};

use crate::{
    goods::{FANG, FANG_COST, HALF},
    items::Items,
    kinds::Kind,
    paid::Paid,
    world::World,
};

macro_rules! must {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err(format!($($what)+));
        }
    };
}

/// Checks each payment of a world that shares its profit.
pub fn check(world: &World, items: &Items) -> Result<(), String> {
    if world.plan.kind != Kind::Profit {
        return Ok(());
    }
    for record in &items.payments {
        let known = world.plan.payments.iter().find(|paid| paid.key == record.payment);
        let Some(paid) = known else { return Err(format!("nobody made {}", record.payment)) };
        must!(!record.is_undecided(), "{} is still undecided", record.payment);
        account(record)?;
        if record.paid.is_zero() {
            must!(record.grants().next().is_none(), "{} earned without money", record.payment);
            continue;
        }
        let right =
            possible(world, record, paid).iter().any(|cost| is_right(world, items, (record, paid), *cost));
        let (cost, grants) = (record.cost, granted(record));
        must!(right, "{} cost {cost:?} and earned {grants:?}: {:?}", record.payment, paid.goods);
    }
    let decisions: usize = items.payments.iter().map(|record| record.decisions as usize).sum();
    let lines = items.audits.iter().filter(|line| line.action == "payment.decide").count();
    must!(lines == decisions, "{decisions} decisions, {lines} lines about them");
    Ok(())
}

/// The costs that are right for a payment. An operator's change is in force for payments from its second on, and known to
/// every process half a minute later.
fn possible(world: &World, record: &PaymentRecord, paid: &Paid) -> Vec<i64> {
    let [before, after] = paid.goods.cost.right();
    let changes = world.costs.borrow();
    let changed = changes.iter().find(|(plan, _)| *plan == "scout").map(|(_, at)| *at);
    match changed {
        Some(at) if record.paid_at.seconds() < at.seconds() => vec![before],
        Some(at) if record.recorded_at > at.plus_seconds(40) => vec![after],
        _ => vec![before, after],
    }
}

/// Rewards by rule, in minor units.
fn granted(record: &PaymentRecord) -> Vec<(String, i64)> {
    record.grants().map(|(candidate, _, reward)| (candidate.rule.to_string(), reward.minor())).collect()
}

fn is_right(world: &World, items: &Items, (record, paid): (&PaymentRecord, &Paid), cost: i64) -> bool {
    let joined = joined_at(items, &record.member);
    let in_time = joined.is_some_and(|at| record.paid_at.seconds() >= at);
    let expected = if in_time { shares(record, paid, cost) } else { Vec::new() };
    let grants = granted(record);
    // What is undone as a whole is not decided, and who is barred gets nothing.
    let may_lack = record.is_undone() || world.plan.bars;
    let cost_fits = match record.cost {
        Some(known) => known == Money::new(cost, Currency::USD),
        None => may_lack || expected.is_empty(),
    };
    let all = expected.iter().all(|share| grants.contains(share)) || may_lack;
    cost_fits && all && grants.iter().all(|share| expected.contains(share))
}

/// The instant at which the payer joined through a code, in seconds.
fn joined_at(items: &Items, payer: &MemberId) -> Option<i64> {
    let referral = items.referrals.iter().find(|referral| referral.referee == *payer);
    referral.map(|referral| referral.joined_at.seconds())
}

/// The rate of the program's version, as a fraction.
const fn rate(version: u32) -> (i128, i128) {
    if version == 1 { (11, 10) } else { (5, 4) }
}

fn half_even(minor: i64, (part, whole): (i128, i128)) -> i64 {
    let product = i128::from(minor) * part;
    let (quotient, rest) = (product.div_euclid(whole), product.rem_euclid(whole));
    let up = rest * 2 > whole || (rest * 2 == whole && quotient % 2 != 0);
    i64::try_from(quotient).unwrap_or(i64::MAX) + i64::from(up)
}

/// The rules' shares above zero.
fn shares(record: &PaymentRecord, paid: &Paid, cost: i64) -> Vec<(String, i64)> {
    let version = record.program_version;
    let in_dollars = |minor: i64| match paid.paid.currency() {
        Currency::USD => Some(minor),
        Currency::EUR => Some(half_even(minor, rate(version))),
        _ => None,
    };
    let net = (paid.paid.minor() - paid.tax.minor()).clamp(0, paid.paid.minor());
    let Some(base) = in_dollars(net).filter(|base| *base > 0) else { return Vec::new() };
    let percents = if version == 1 { [50, 20] } else { [20, 20] };
    let fang = if version > 1 || paid.goods.are_huge() {
        // Corrected: it is a rule for everything.
        Some((base, cost))
    } else {
        of_fangs(paid, net).and_then(|(net, cost)| Some((in_dollars(net)?, cost)))
    };
    let share = |rule: &str, percent: i64, (base, cost): (i64, i64)| {
        let minor = ((base - cost) * percent + 50).div_euclid(100);
        (minor > 0).then(|| (rule.to_owned(), minor))
    };
    let half = share(HALF, percents[0], (base, cost));
    half.into_iter().chain(fang.and_then(|fang| share(FANG, percents[1], fang))).collect()
}

/// The fangs' part of the net payment, and what they cost.
fn of_fangs(paid: &Paid, net: i64) -> Option<(i64, i64)> {
    let lines = &paid.goods.lines;
    let fangs = lines.iter().find(|line| line.product.as_str() == FANG)?;
    let all: i64 = lines.iter().map(|line| line.amount.minor()).sum();
    let matching = fangs.amount.minor();
    let part = if matching >= all { net } else { (net * matching * 2 + all) / (2 * all) };
    Some((part, if fangs.proration { FANG_COST / 2 } else { FANG_COST }))
}

/// Checks what a payment in another currency is in the currency of account.
fn account(record: &PaymentRecord) -> Result<(), String> {
    let expected = (record.paid.currency() == Currency::EUR)
        .then(|| Money::new(half_even(record.paid.minor(), rate(record.program_version)), Currency::USD));
    must!(record.account == expected, "{} is {:?} in dollars", record.payment, record.account);
    Ok(())
}
