//! What happens to customers at Stripe and their bills, step by step.

use guerdon_app::{
    bill_credit::{
        InvoiceFacts, RelinkRefusal, note_billing, post_bill_credit, reconcile_invoice, relink_customer,
    },
    commissions::settle_wallet,
    once::{Answer, ChangeRefusal},
    payments::{link_customer, member_of_customer},
};
use guerdon_domain::{
    bill_credit::BillingReport,
    ids::{CustomerId, InvoiceId, MemberId},
    money::{Currency, Money},
};

use crate::{
    bills::{Bill, Customer, Step},
    desk,
    tasks::{Done, Undone},
    world::World,
};

/// Does one step.
pub async fn perform(world: &World, step: Step) -> Done {
    let customers = &world.plan.bills.customers;
    match step {
        Step::Link(n, member) => {
            link_customer(world.app(), &customers[n].id, World::telegram(member), &[]).await?;
            Ok(())
        }
        Step::Report(n, m) => report(world, &customers[n].id, &customers[n].reports[m]).await,
        Step::Delete(n) => {
            world.stripe.delete(&customers[n].id);
            Ok(())
        }
        Step::Deleted(n) => report(world, &customers[n].id, &BillingReport::Deleted).await,
        Step::Relink(n) => relink(world, &customers[n]).await,
        Step::Bill(n) => {
            let Bill { customer, due } = world.plan.bills.bills[n];
            world.stripe.bill(n, &customers[customer].id, due);
            Ok(())
        }
        Step::Void(n) => {
            world.stripe.void(n);
            Ok(())
        }
        Step::Tell(n) => tell(world, n).await,
        Step::Post(member, message) => {
            post_credit(world, &world.member(member), &format!("message-{message}")).await
        }
    }
}

/// The member whose customer it is. An event that comes before the link is delivered again.
async fn owner(world: &World, customer: &CustomerId) -> Result<MemberId, Undone> {
    member_of_customer(world.app(), customer).await?.ok_or(Undone::Again)
}

async fn report(world: &World, customer: &CustomerId, report: &BillingReport) -> Done {
    let member = owner(world, customer).await?;
    note_billing(world.app(), &member, customer, std::slice::from_ref(report)).await?;
    Ok(())
}

async fn tell(world: &World, n: usize) -> Done {
    let Some(invoiced) = world.stripe.invoice(n) else { return Ok(()) };
    let member = owner(world, &invoiced.customer).await?;
    #[expect(clippy::unwrap_used, reason = "a well-formed id")]
    let invoice = InvoiceId::parse(format!("in_bill_{n}")).unwrap();
    let facts = InvoiceFacts {
        invoice,
        customer: Some(invoiced.customer),
        applied: Money::new(invoiced.applied, Currency::USD),
        voided: invoiced.voided,
    };
    reconcile_invoice(world.app(), &member, &facts).await?;
    Ok(())
}

/// Settles and posts, as billing-worker does for each event about a member's credit.
pub async fn post_credit(world: &World, member: &MemberId, message: &str) -> Done {
    settle_wallet(world.app(), member).await?;
    post_bill_credit(world.app(), &*world.stripe, member, message).await?;
    Ok(())
}

/// The operator takes the credit from the balance, links the customer to the right member, and corrects the balance to
/// what the answer says.
async fn relink(world: &World, customer: &Customer) -> Done {
    let Some(right) = customer.right else { return Ok(()) };
    owner(world, &customer.id).await?;
    let request = desk::about(right, format!("relink-{}", customer.id));
    world.stripe.remove(&customer.id);
    match relink_customer(world.app(), &request, &customer.id, true).await {
        Ok(Answer::Applied(change) | Answer::AlreadyApplied(change)) => {
            world.stripe.removed(&customer.id, change.amount.minor());
            Ok(())
        }
        Err(RelinkRefusal::AlreadyLinked) => {
            world.stripe.put_back(&customer.id);
            Ok(())
        }
        Err(RelinkRefusal::Posting) => Err(Undone::Again),
        Err(RelinkRefusal::Change(ChangeRefusal::App(error))) => Err(error.into()),
        Err(error) => Err(Undone::Never(error.to_string())),
    }
}
