//! Verification of what decides about a member's money without being money: the customers whose bills use it, and the
//! fraud flags that hold it.

use std::collections::BTreeMap;

use guerdon_domain::{
    bill_credit::BilledCustomers,
    fraud::{FraudAction, FraudFlag},
    ids::{FraudFlagId, MemberId},
    members::Member,
};
use guerdon_store::{payments::CustomerLink, verification::Verification};

use super::difference::{Difference, Problems};
use crate::{context::App, error::AppError};

/// Compares the customers of members with the links of these customers, and with the one that gets the credit.
pub(super) async fn customer_differences(
    (app, reads): (&App, Verification<'_>),
    customers: &[BilledCustomers],
) -> Result<Vec<Difference>, AppError> {
    let ids: Vec<_> = customers.iter().map(|known| known.member.clone()).collect();
    let members = reads.members(&ids).await?;
    let mut found = Vec::new();
    for (known, member) in customers.iter().zip(members) {
        let mut problems = Problems::default();
        let gets_credit = member.as_ref().and_then(|member| member.customer.as_ref());
        problems.check(gets_credit == known.target(), || {
            "another customer gets their credit than the one that is billed".to_owned()
        });
        let own: Vec<_> = known.iter().filter(|(_, one)| !one.unlinked && one.linked_at.is_some()).collect();
        let keys: Vec<_> = own.iter().map(|(customer, _)| (*customer).clone()).collect();
        for link in reads.customer_links(&keys).await? {
            let is_theirs = link.is_some_and(|link| link.member == known.member);
            problems.check(is_theirs, || {
                "a customer of theirs is linked to nobody or to another member".to_owned()
            });
        }
        found.extend(problems.of(&format!("customers of {}", app.tag(&known.member))));
    }
    Ok(found)
}

/// Checks that each linked customer is among those of its member. A member whom an older version linked has no list.
pub(super) async fn customer_link_differences(
    (app, reads): (&App, Verification<'_>),
    links: &[CustomerLink],
) -> Result<Vec<Difference>, AppError> {
    let ids: Vec<_> = links.iter().map(|link| link.member.clone()).collect();
    let (known, members) = (reads.customers(&ids).await?, reads.members(&ids).await?);
    let mut found = Vec::new();
    for ((link, known), member) in links.iter().zip(known).zip(members) {
        let mut problems = Problems::default();
        problems.check(member.is_some(), || "it is linked to nobody who is a member".to_owned());
        let listed = known.is_none_or(|known| {
            let one = known.get(&link.customer);
            one.map_or(known.are_full(), |one| !one.unlinked)
        });
        problems
            .check(listed, || "it is not among the customers of the member whom it is linked to".to_owned());
        let tag = app.pseudonyms.log_tag(link.customer.as_str());
        found.extend(problems.of(&format!("customer {tag}")));
    }
    Ok(found)
}

/// Compares the flags in force of members with the two sets by which they take effect.
pub(super) async fn flag_differences(
    (app, reads): (&App, Verification<'_>),
    members: &[Member],
    flags: &[FraudFlag],
) -> Result<Vec<Difference>, AppError> {
    let mut found = Vec::new();
    let flagged = members.iter().filter(|member| !member.holds.is_empty() || !member.rejects.is_empty());
    for member in flagged {
        let own = reads.of_member(&member.id).await?.flags;
        let in_force =
            |id: &FraudFlagId, least| own.iter().any(|flag| flag.id == *id && flag.in_force() >= least);
        let mut problems = Problems::default();
        problems.check(member.holds.iter().all(|id| in_force(id, FraudAction::Hold)), || {
            "their rewards are held by a flag that is not in force".to_owned()
        });
        problems.check(member.rejects.iter().all(|id| in_force(id, FraudAction::Reject)), || {
            "they are rejected by a flag that is not in force".to_owned()
        });
        found.extend(problems.of(&format!("member {}", app.tag(&member.id))));
    }
    let in_force: Vec<_> = flags.iter().filter(|flag| flag.in_force() >= FraudAction::Hold).collect();
    let ids: Vec<MemberId> = in_force.iter().map(|flag| flag.subject.clone()).collect();
    let members = reads.members(&ids).await?.into_iter().flatten();
    let members: BTreeMap<_, _> = members.map(|member| (member.id.clone(), member)).collect();
    for flag in in_force {
        let takes_effect = members.get(&flag.subject).is_some_and(|member| match flag.in_force() {
            FraudAction::Reject => member.rejects.contains(&flag.id),
            _ => member.holds.contains(&flag.id),
        });
        if !takes_effect {
            let subject = format!("flag {}", app.pseudonyms.log_tag(flag.id.as_str()));
            found.push(Difference::new(subject, "it is in force, and its member does not say so"));
        }
    }
    Ok(found)
}
