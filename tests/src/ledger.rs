//! The ledger as a text: two worlds with the same text have the same money to the byte.

use guerdon_domain::{
    bill_credit::Posting,
    ids::{ExternalPaymentId, MemberId, PaymentKey, Rail, TelegramId},
    payments::PaymentRecord,
    wallets::{Entry, WalletKind, verify_statement},
};
use serde_json::{Value, json};

use crate::{World, telegram::Person};

impl World {
    /// The pseudonym of a person.
    pub fn member(&self, person: Person) -> MemberId {
        self.stack().app().member_id(TelegramId::try_new(person.id).expect("an id"))
    }

    /// Wallets, statements, commissions, referrals and postings of `people`, and the payments of
    /// `invoices`. Each statement is verified as well.
    pub async fn ledger(&self, people: &[Person], invoices: &[&str]) -> String {
        let mut lines = Vec::new();
        for person in people {
            lines.push(self.ledger_of(*person).await);
        }
        for invoice in invoices {
            let id = ExternalPaymentId::parse(*invoice).expect("an id");
            let key = PaymentKey { rail: Rail::Stripe, id };
            let payment = self.stack().app().store().payments().find(&key).await.expect("the table answers");
            let payment = payment.map(|payment| PaymentRecord { correlation_id: None, ..payment });
            lines.push(serde_json::to_value(payment).expect("JSON"));
        }
        serde_json::to_string_pretty(&lines).expect("JSON")
    }

    async fn ledger_of(&self, person: Person) -> Value {
        let (app, id) = (self.stack().app(), self.member(person));
        let (store, currency) = (app.store(), app.preset.currency);
        let wallet = store.wallets().find(&id, WalletKind::BillCredit, currency).await.expect("a wallet");
        let statement =
            store.wallets().statement(&id, WalletKind::BillCredit, currency).await.expect("a statement");
        verify_statement(&wallet, &statement).expect("a sound statement");
        let member = store.members().find(&id).await.expect("the table answers");
        let referral = match &member {
            Some(member) => store.referrals().of(member).await.expect("the table answers"),
            None => None,
        };
        // The event or message that caused a change may differ from run to run; it is not part of the ledger.
        let statement: Vec<_> =
            statement.into_iter().map(|entry| Entry { correlation_id: None, ..entry }).collect();
        let posting = store.bill_credit().latest_posting(&id).await.expect("the table answers");
        let posting = posting.map(|posting| Posting { claimed_by: String::new(), ..posting });
        json!({
            "person": person.name,
            "wallet": wallet,
            "statement": statement,
            "commissions": store.commissions().list(&id, None, 100).await.expect("commissions"),
            "posting": posting,
            "referral": referral,
        })
    }
}
