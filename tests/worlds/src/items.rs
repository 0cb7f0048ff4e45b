//! The items of the table at rest.

use guerdon_domain::{
    bill_credit::{InvoiceCredit, Posting},
    commissions::Commission,
    intents::Intent,
    members::Member,
    operators::AuditRecord,
    payments::PaymentRecord,
    referrals::Referral,
    wallets::{Entry, Wallet},
    withdrawals::Withdrawal,
};
use guerdon_store::payments::CustomerLink;
use serde_json::{Value, json};

use crate::{audit::decode, requests::TABLE, world::World};

/// Every item of the table that matters.
#[derive(Default)]
pub struct Items {
    /// Members.
    pub members: Vec<Member>,
    /// Referrals.
    pub referrals: Vec<Referral>,
    /// Payments.
    pub payments: Vec<PaymentRecord>,
    /// Commissions.
    pub commissions: Vec<Commission>,
    /// Statement lines.
    pub entries: Vec<Entry>,
    /// Codes.
    pub codes: usize,
    /// Withdrawals.
    pub withdrawals: Vec<Withdrawal>,
    /// Intents.
    pub intents: Vec<Intent>,
    /// Wallets.
    pub wallets: Vec<Wallet>,
    /// Postings of bill credit.
    pub postings: Vec<Posting>,
    /// Credit that invoices used.
    pub invoice_credits: Vec<InvoiceCredit>,
    /// Links of Stripe customers.
    pub links: Vec<CustomerLink>,
    /// Events that wait.
    pub parked: usize,
    /// Lines of the audit trail.
    pub audits: Vec<AuditRecord>,
    /// Period keys of limits with what was used.
    pub limits: Vec<(String, String, i64)>,
}

/// Reads the whole table.
///
/// # Errors
/// An item that is not what its type says.
pub fn scan(world: &World) -> Result<Items, String> {
    let mut items = Items::default();
    let mut start = Value::Null;
    loop {
        let mut request = json!({ "TableName": TABLE, "ConsistentRead": true });
        if !start.is_null() {
            request["ExclusiveStartKey"] = start;
        }
        let (_, answer) = world.net.engine.answer("Scan", request.to_string().as_bytes());
        let mut page: Value = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
        for item in page["Items"].as_array_mut().into_iter().flatten() {
            take(&mut items, item.take())?;
        }
        start = page["LastEvaluatedKey"].take();
        if start.is_null() {
            return Ok(items);
        }
    }
}

fn take(items: &mut Items, item: Value) -> Result<(), String> {
    match item["type"]["S"].as_str().unwrap_or_default() {
        "member" => items.members.push(decode(item)?),
        "code" => items.codes += 1,
        "referral" => items.referrals.push(decode(item)?),
        "payment" => items.payments.push(decode(item)?),
        "commission" => items.commissions.push(decode(item)?),
        "entry" => items.entries.push(decode(item)?),
        "wallet" => items.wallets.push(decode(item)?),
        "intent" => items.intents.push(decode(item)?),
        "withdrawal" => items.withdrawals.push(decode(item)?),
        "audit" => items.audits.push(decode(item)?),
        "posting" => items.postings.push(decode(item)?),
        "invoice_credit" => items.invoice_credits.push(decode(item)?),
        "customer" => items.links.push(decode(item)?),
        "parked" => items.parked += 1,
        "limit" => {
            let text = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
            let used = item["used"]["N"].as_str().and_then(|n| n.parse().ok()).unwrap_or_default();
            items.limits.push((text("pk"), text("sk"), used));
        }
        _ => {}
    }
    Ok(())
}
