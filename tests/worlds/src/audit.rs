//! Checks after each commit, on the items that the commit touched.

use std::collections::{BTreeMap, BTreeSet};

use guerdon_domain::{
    commissions::{Commission, CommissionState, VoidReason, clawback_target},
    ids::MemberId,
    intents::{Intent, IntentState},
    members::Member,
    payments::PaymentRecord,
    referrals::Referral,
    wallets::{Buckets, Entry, House, Wallet, WalletKind},
    withdrawals::{Withdrawal, WithdrawalState},
};
use guerdon_engine::engine::Engine;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::requests::{ItemKey, TABLE, writes_of, written_key};

/// A wallet by member, kind and currency.
type WalletKey = (MemberId, String, String);

/// Sums of a wallet's entries.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    entries: u64,
    buckets: Buckets,
    /// Credited for commissions.
    credited: i64,
    /// The amount that released commissions grant.
    entitled: i64,
}

/// The items after the commits so far.
#[derive(Debug, Default)]
pub struct Audit {
    commissions: BTreeMap<ItemKey, Commission>,
    by_id: BTreeMap<String, ItemKey>,
    payments: BTreeMap<String, (ItemKey, PaymentRecord)>,
    withdrawals: BTreeMap<ItemKey, Withdrawal>,
    asked: BTreeSet<(MemberId, String)>,
    intents: BTreeMap<ItemKey, Intent>,
    wallets: BTreeMap<WalletKey, Wallet>,
    entries: BTreeSet<ItemKey>,
    edges: BTreeSet<ItemKey>,
    sums: BTreeMap<WalletKey, Sum>,
}

#[derive(Default)]
struct Touched {
    wallets: BTreeSet<WalletKey>,
    payments: BTreeSet<String>,
}

macro_rules! must {
    ($holds:expr, $($what:tt)+) => {
        if !$holds {
            return Err(format!($($what)+));
        }
    };
}

impl Audit {
    /// Applies a commit and checks it.
    ///
    /// # Errors
    /// A description of the violation.
    pub fn committed(&mut self, engine: &Engine, operation: &str, request: &Value) -> Result<(), String> {
        let mut touched = Touched::default();
        for (kind, write) in writes_of(operation, request) {
            let Some(key) = written_key(kind, write) else { continue };
            if !matches!(kind, "Put" | "Update") || !is_watched(&key) {
                continue;
            }
            let item = if kind == "Put" { write["Item"].clone() } else { item_at(engine, &key) };
            self.take(key, item, kind == "Put", &mut touched)?;
        }
        for wallet in &touched.wallets {
            self.check_wallet(wallet)?;
        }
        for payment in &touched.payments {
            self.check_payment(payment)?;
        }
        Ok(())
    }

    fn take(&mut self, key: ItemKey, item: Value, put: bool, touched: &mut Touched) -> Result<(), String> {
        match item["type"]["S"].as_str().unwrap_or_default() {
            "wallet" => {
                let wallet: Wallet = decode(item)?;
                let of =
                    (wallet.member.clone(), wallet.kind.as_str().to_owned(), wallet.currency.to_string());
                touched.wallets.insert(of.clone());
                self.wallets.insert(of, wallet);
                Ok(())
            }
            "entry" => self.take_entry(key, decode(item)?, touched),
            "commission" => self.take_commission(key, decode(item)?, touched),
            "payment" => self.take_payment(key, decode(item)?, put, touched),
            "withdrawal" => self.take_withdrawal(key, decode(item)?, touched),
            "intent" => self.take_intent(key, decode(item)?),
            "member" if put => self.take_edge(key, decode::<Member>(item)?.id.to_string()),
            "referral" if put => self.take_edge(key, decode::<Referral>(item)?.referee.to_string()),
            _ => Ok(()),
        }
    }

    fn take_edge(&mut self, key: ItemKey, whose: String) -> Result<(), String> {
        must!(self.edges.insert(key), "{whose} joined twice");
        Ok(())
    }

    fn take_entry(&mut self, key: ItemKey, entry: Entry, touched: &mut Touched) -> Result<(), String> {
        let of = (entry.member.clone(), entry.wallet.as_str().to_owned(), entry.currency.to_string());
        must!(self.entries.insert(key), "entry {} of {} was overwritten", entry.seq, entry.member);
        let sum = self.sums.entry(of.clone()).or_default();
        sum.entries += 1;
        sum.buckets.available += entry.delta.available;
        sum.buckets.held += entry.delta.held;
        sum.buckets.owed += entry.delta.owed;
        if let Some((House::CommissionExpense, minor)) = entry.house {
            sum.credited -= minor;
        }
        must!(sum.entries == entry.seq, "entry {} is the {}th of its wallet", entry.seq, sum.entries);
        must!(sum.buckets == entry.after, "running balance {:?} is {:?}", entry.after, sum.buckets);
        touched.wallets.insert(of);
        Ok(())
    }

    fn take_commission(
        &mut self,
        key: ItemKey,
        after: Commission,
        touched: &mut Touched,
    ) -> Result<(), String> {
        let id = after.id.to_string();
        let known = self.by_id.entry(id.clone()).or_insert_with(|| key.clone());
        must!(*known == key, "commission {id} was booked twice");
        let before = self.commissions.get(&key);
        if let Some(before) = before {
            must!(before.id == after.id, "commission {} was overwritten by {id}", before.id);
            step_of(before, &after)?;
        }
        let entitled = released(&after) - before.map_or(0, released);
        let kind = after.snapshot.rule.target.as_str().to_owned();
        let of = (after.beneficiary.clone(), kind, after.amount.currency().to_string());
        self.sums.entry(of.clone()).or_default().entitled += entitled;
        touched.wallets.insert(of);
        touched.payments.insert(after.payment.to_string());
        self.commissions.insert(key, after);
        Ok(())
    }

    fn take_payment(
        &mut self,
        key: ItemKey,
        after: PaymentRecord,
        put: bool,
        touched: &mut Touched,
    ) -> Result<(), String> {
        let name = after.payment.to_string();
        if let Some((standing, before)) = self.payments.get(&name) {
            must!(!put, "payment {name} was recorded twice, at {standing:?} and {key:?}");
            let of = |payment: &PaymentRecord| (payment.reversals.seq, payment.decisions);
            let (was, is) = (of(before), of(&after));
            let one_step = is == (was.0 + 1, was.1) || is == (was.0, was.1 + 1);
            must!(one_step, "payment {name}: what was said and decided went from {was:?} to {is:?}");
        }
        touched.payments.insert(name.clone());
        self.payments.insert(name, (key, after));
        Ok(())
    }

    /// Checks that an intent is used or cancelled while it is open, and that a new one is another one.
    fn take_intent(&mut self, key: ItemKey, after: Intent) -> Result<(), String> {
        let before = self.intents.get(&key).map(|before| (before.id == after.id, before.state));
        let legal = match (before, after.state) {
            (None | Some((false, _)), IntentState::Open) => true,
            (Some((true, IntentState::Open)), end) => end != IntentState::Open,
            _ => false,
        };
        must!(legal, "intent {} is {:?} after {before:?}", after.id, after.state);
        self.intents.insert(key, after);
        Ok(())
    }

    fn take_withdrawal(
        &mut self,
        key: ItemKey,
        after: Withdrawal,
        touched: &mut Touched,
    ) -> Result<(), String> {
        use WithdrawalState::{Approved, Failed, Paid, Paying, Rejected, Requested};
        let before = self.withdrawals.get(&key);
        let step = (before.map(Withdrawal::state), after.state());
        let legal = matches!(
            step,
            (None, Requested)
                | (Some(Requested), Approved | Rejected)
                | (Some(Approved), Rejected | Paying)
                | (Some(Paying), Paying | Paid | Failed)
        );
        must!(legal, "withdrawal {} went {step:?}", after.id);
        if before.is_none() {
            let first = self.asked.insert((after.member.clone(), after.request_key.clone()));
            must!(first, "{} asked twice for {}", after.member, after.request_key);
        }
        if step == (Some(Paying), Paying) {
            let claim = |of: &Withdrawal| of.step.claim().map(|c| (c.claimed.clone(), c.batch.clone()));
            let same = before.is_some_and(|before| claim(before) == claim(&after));
            must!(same, "withdrawal {} was claimed twice", after.id);
        }
        let of =
            (after.member.clone(), after.wallet.as_str().to_owned(), after.amount.currency().to_string());
        if step.1 == Approved {
            let owed = self.wallets.get(&of).map_or(0, |wallet| wallet.buckets.owed);
            must!(owed == 0, "withdrawal {} was approved while {owed} is owed", after.id);
        }
        touched.wallets.insert(of);
        self.withdrawals.insert(key, after);
        Ok(())
    }

    fn check_wallet(&self, of: &WalletKey) -> Result<(), String> {
        let sum = self.sums.get(of).copied().unwrap_or_default();
        let (seq, buckets) = self.wallets.get(of).map_or((0, Buckets::default()), |w| (w.seq, w.buckets));
        let sound = buckets.available >= 0 && buckets.held >= 0 && buckets.owed >= 0;
        must!(sound, "a bucket of {of:?} is below zero: {buckets:?}");
        must!(seq == sum.entries, "wallet {of:?} is at {seq} and has {} entries", sum.entries);
        must!(buckets == sum.buckets, "wallet {of:?} is {buckets:?}, its entries say {:?}", sum.buckets);
        let (credited, entitled) = (sum.credited, sum.entitled);
        must!(
            credited == entitled,
            "{of:?}: {credited} was credited, {entitled} is due for what is released"
        );
        // What of bill credit is held is on its way to a balance, or there.
        if of.1 == WalletKind::BillCredit.as_str() {
            return Ok(());
        }
        let open = self
            .withdrawals
            .values()
            .filter(|w| w.member == of.0 && w.wallet.as_str() == of.1 && !w.state().is_final());
        let asked: i64 = open.map(|withdrawal| withdrawal.amount.minor()).sum();
        must!(buckets.held == asked, "{of:?}: {} is held, {asked} is asked for", buckets.held);
        Ok(())
    }

    fn check_payment(&self, name: &str) -> Result<(), String> {
        let Some((_, payment)) = self.payments.get(name) else {
            return Err(format!("a commission stands for payment {name}, which does not"));
        };
        let undone = payment.reversals.undone(payment.paid);
        for (candidate, beneficiary, reward) in payment.grants() {
            let id =
                payment.payment.commission(&candidate.rule, candidate.level).map_err(|e| e.to_string())?;
            let commission = self.by_id.get(id.as_str()).and_then(|key| self.commissions.get(key));
            let Some(commission) = commission else { return Err(format!("commission {id} is missing")) };
            let same = commission.amount == reward && commission.beneficiary == *beneficiary;
            must!(same, "commission {id} is another than was granted");
            let target = if commission.superseded {
                reward.minor()
            } else {
                clawback_target(reward, payment.paid, undone).map_err(|e| e.to_string())?.minor()
            };
            must!(commission.clawed == target, "{id}: {} is clawed back, not {target}", commission.clawed);
        }
        Ok(())
    }
}

/// Checks that a commission may change in this way.
fn step_of(before: &Commission, after: &Commission) -> Result<(), String> {
    use CommissionState::{Held, Released, Void};
    let id = &before.id;
    match (&before.state, &after.state) {
        (Held, Released { .. } | Void { reason: VoidReason::Capped, .. }) => {
            must!(!before.frozen, "{id} was settled while it was frozen");
            must!(before.clawed == after.clawed, "{id} was settled with another amount clawed back");
        }
        (Released { entry_seq: one, .. }, Released { entry_seq: other, .. }) => {
            must!(one == other, "{id} was released twice, by entries {one} and {other}");
        }
        (
            Held | Void { reason: VoidReason::Reversed, .. },
            Held | Void { reason: VoidReason::Reversed, .. },
        )
        | (Void { reason: VoidReason::Capped, .. }, Void { reason: VoidReason::Capped, .. }) => {}
        (one, other) => return Err(format!("{id} went from {one:?} to {other:?}")),
    }
    Ok(())
}

fn released(commission: &Commission) -> i64 {
    match commission.state {
        CommissionState::Released { .. } => commission.entitlement().minor(),
        _ => 0,
    }
}

fn is_watched((pk, sk): &ItemKey) -> bool {
    let (member, referrer) = (pk.starts_with("M#"), pk.starts_with("R#"));
    (member
        && (sk == "MEMBER"
            || ["WALLET#", "ENTRY#", "WITHDRAWAL#", "INTENT#"].iter().any(|p| sk.starts_with(p))))
        || (referrer && (sk.starts_with("COMMISSION#") || sk.starts_with("REFERRAL#")))
        || sk == "PAYMENT"
}

fn item_at(engine: &Engine, (pk, sk): &ItemKey) -> Value {
    let key = json!({ "TableName": TABLE, "ConsistentRead": true, "Key": { "pk": { "S": pk }, "sk": { "S": sk } } });
    let (_, answer) = engine.answer("GetItem", key.to_string().as_bytes());
    serde_json::from_str::<Value>(&answer).map(|mut answer| answer["Item"].take()).unwrap_or_default()
}

/// Reads a record from an item in the table's own JSON.
///
/// # Errors
/// The reason why it cannot be read.
pub fn decode<T: DeserializeOwned>(item: Value) -> Result<T, String> {
    let item: serde_dynamo::Item = serde_json::from_value(item).map_err(|error| error.to_string())?;
    serde_dynamo::from_item(item).map_err(|error| error.to_string())
}
