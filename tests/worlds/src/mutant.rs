//! Planted faults: each removes one guard by rewriting requests to the table. No product code changes. Every one of
//! them must be detected.

use serde_json::Value;

use crate::kinds::Kind;

/// A guard that is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A payment is written even if it exists.
    PaymentUnguarded,
    /// A conversion's place is written even if it is taken.
    ConversionUnguarded,
    /// A release does not check the commission's state.
    ReleaseIgnoresState,
    /// A release does not check what was clawed back since.
    ReleaseIgnoresClawed,
    /// A release does not check whether a dispute has frozen the commission.
    ReleaseIgnoresFrozen,
    /// A wallet is written whatever its version, and its entry even if it exists. Without the wallet's
    /// condition alone nothing would go wrong: the entry's own key also contains the version.
    WalletUnguarded,
    /// Transactions are written item by item.
    Split,
    /// Every cancelled transaction is treated as one that was done before.
    CancelledIsSuccess,
    /// A lost request is treated as one that arrived.
    LostIsSuccess,
    /// A payment's reversals overwrite those that were written meanwhile.
    ReversalUnguarded,
    /// A commission is clawed back whatever its state is now.
    ClawbackUnguarded,
    /// A withdrawal takes a step whatever its state.
    WithdrawalUnguarded,
    /// A withdrawal's claim has no effect: it is paid before the claim is written.
    ClaimPretended,
    /// A payment's natural key differs for each attempt.
    KeyPerAttempt,
    /// The projector does not check what it has counted before.
    ProjectorUnguarded,
    /// An event is parked although what it waits for exists.
    ParkedBehindBack,
    /// A payment takes the place of one that is restored at the same time.
    AttemptUnguarded,
    /// A payment is restored although another one took its place at the same time.
    RestoreUnguarded,
    /// A first payment is rewarded as a conversion, although the rule rewards another one in its own place at the same
    /// time.
    FirstElsewhere,
    /// A limit is used without a check of what was used since.
    LimitUnguarded,
    /// Payments are counted without a check of what was counted since.
    ProgressUnguarded,
    /// An intent is used or cancelled whatever became of it.
    IntentUnguarded,
    /// A withdrawal is approved whatever its member owes.
    ApprovedInDebt,
    /// A member joins even if the member exists.
    MemberUnguarded,
    /// A payment is decided again whatever was decided and undone since.
    DecisionUnguarded,
    /// A payment is undone by the decision that was read, whatever was decided since.
    ReversalIgnoresDecision,
    /// Settings are overwritten that were set since.
    SettingsUnguarded,
    /// A customer is taken from a member while credit is posted to it: the wallet has no fence.
    FenceUnguarded,
    /// The customers of a member are overwritten whatever was reported since.
    CustomersUnguarded,
    /// The effect of an invoice is written even if it exists, and given back twice.
    InvoiceUnguarded,
    /// A customer is linked whoever has it.
    LinkUnguarded,
    /// A payment intent is tied to itself whatever invoice it is tied to.
    TieUnguarded,
}

/// Result of rewriting a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewritten {
    /// The request is unchanged.
    Same,
    /// The request was changed.
    Changed,
    /// The request must not run, only be answered.
    Pretend,
    /// The request must run item by item.
    Split,
}

impl Mutant {
    /// All faults.
    pub const ALL: [Self; 32] = [
        Self::PaymentUnguarded,
        Self::ConversionUnguarded,
        Self::ReleaseIgnoresState,
        Self::ReleaseIgnoresClawed,
        Self::ReleaseIgnoresFrozen,
        Self::WalletUnguarded,
        Self::Split,
        Self::CancelledIsSuccess,
        Self::LostIsSuccess,
        Self::ReversalUnguarded,
        Self::ClawbackUnguarded,
        Self::WithdrawalUnguarded,
        Self::ClaimPretended,
        Self::KeyPerAttempt,
        Self::ProjectorUnguarded,
        Self::ParkedBehindBack,
        Self::AttemptUnguarded,
        Self::RestoreUnguarded,
        Self::FirstElsewhere,
        Self::LimitUnguarded,
        Self::ProgressUnguarded,
        Self::IntentUnguarded,
        Self::ApprovedInDebt,
        Self::MemberUnguarded,
        Self::DecisionUnguarded,
        Self::ReversalIgnoresDecision,
        Self::SettingsUnguarded,
        Self::FenceUnguarded,
        Self::CustomersUnguarded,
        Self::InvoiceUnguarded,
        Self::LinkUnguarded,
        Self::TieUnguarded,
    ];

    /// The only kind of worlds that has what it guards, if there is only one.
    pub const fn kind(self) -> Option<Kind> {
        match self {
            Self::FirstElsewhere => Some(Kind::Beside),
            Self::DecisionUnguarded | Self::ReversalIgnoresDecision | Self::SettingsUnguarded => {
                Some(Kind::Profit)
            }
            Self::FenceUnguarded
            | Self::CustomersUnguarded
            | Self::InvoiceUnguarded
            | Self::LinkUnguarded => Some(Kind::Credit),
            _ => None,
        }
    }

    /// Removes the guard from a request.
    pub fn rewrite(self, operation: &str, request: &mut Value) -> Rewritten {
        if operation == "TransactWriteItems" {
            return self.rewrite_transaction(request);
        }
        let kind = operation.trim_end_matches("Item");
        if self == Self::ClaimPretended && is(&request["Item"], "withdrawal", "paying") {
            return Rewritten::Pretend;
        }
        if self.rewrite_write(kind, request) { Rewritten::Changed } else { Rewritten::Same }
    }

    fn rewrite_transaction(self, request: &mut Value) -> Rewritten {
        if self == Self::Split {
            return Rewritten::Split;
        }
        let Some(items) = request["TransactItems"].as_array_mut() else { return Rewritten::Same };
        let before = items.len();
        let reverses = items.iter().any(|item| updates(&item["Update"], "SET reversals"));
        match self {
            Self::ParkedBehindBack if items.iter().any(|item| of_type(&item["Put"]["Item"], "parked")) => {
                items.retain(|item| item.get("ConditionCheck").is_none());
            }
            Self::AttemptUnguarded => items.retain(|item| !is_of_a_place(item, "clawed = amount.minor")),
            Self::RestoreUnguarded if reverses => items.retain(|item| !is_of_a_place(item, NEW)),
            Self::FirstElsewhere if !reverses => items.retain(|item| !is_of_a_place(item, NEW)),
            Self::ApprovedInDebt => items.retain(|item| {
                !text(&item["ConditionCheck"]["ConditionExpression"]).starts_with("buckets.owed")
            }),
            Self::FenceUnguarded => items.retain(|item| !updates(&item["Update"], "SET fence")),
            _ => {}
        }
        let mut changed = items.len() != before;
        for item in items {
            for (kind, write) in item.as_object_mut().into_iter().flatten() {
                changed |= self.rewrite_write(kind, write);
            }
        }
        if !changed {
            return Rewritten::Same;
        }
        // The token must go: with it a retry of the SDK would differ from the rewritten request.
        if let Some(fields) = request.as_object_mut() {
            fields.remove("ClientRequestToken");
        }
        Rewritten::Changed
    }

    fn rewrite_write(self, kind: &str, write: &mut Value) -> bool {
        let (item, condition) = (&write["Item"], text(&write["ConditionExpression"]).to_owned());
        let settles = kind == "Update" && condition.starts_with("#state = :held");
        let put = |name: &str| kind == "Put" && of_type(item, name);
        match self {
            Self::PaymentUnguarded if put("payment") => bare(write),
            Self::ConversionUnguarded if put("commission") && at_conversion(item) => {
                new_only(&condition) && bare(write)
            }
            Self::ReleaseIgnoresState if settles => only(write, "clawed = :clawed AND frozen = :thawed"),
            Self::ReleaseIgnoresClawed if settles => only(write, "#state = :held AND frozen = :thawed"),
            Self::ReleaseIgnoresFrozen if settles => only(write, "#state = :held AND clawed = :clawed"),
            Self::WalletUnguarded if put("wallet") || put("entry") => bare(write),
            Self::ReversalUnguarded if updates(write, "SET reversals") => bare(write),
            Self::ClawbackUnguarded if put("commission") && condition.starts_with("#state") => bare(write),
            Self::WithdrawalUnguarded if put("withdrawal") && condition.starts_with("#state") => bare(write),
            Self::IntentUnguarded if put("intent") && condition.starts_with("#id = :id") => bare(write),
            Self::KeyPerAttempt if put("payment") => suffix(write, "pk"),
            Self::KeyPerAttempt if put("commission") && new_only(&condition) => suffix(write, "sk"),
            Self::ProjectorUnguarded if text(&write["UpdateExpression"]).contains("#guard = :guard") => {
                bare(write)
            }
            Self::LimitUnguarded if put("limit") => bare(write),
            Self::ProgressUnguarded if updates(write, "SET progress") => bare(write),
            Self::MemberUnguarded if put("member") || put("referral") => bare(write),
            Self::DecisionUnguarded if updates(write, "SET trace") => bare(write),
            Self::ReversalIgnoresDecision if updates(write, "SET reversals") => {
                let said = condition.rsplit_once(" AND ").map(|(said, _decided)| said.to_owned());
                said.is_some_and(|said| only(write, &said))
            }
            Self::SettingsUnguarded if put("settings") => bare(write),
            Self::CustomersUnguarded if put("customers") => bare(write),
            Self::InvoiceUnguarded if put("invoice_credit") => bare(write),
            Self::LinkUnguarded if put("customer") => bare(write),
            Self::TieUnguarded if put("reference") => bare(write),
            _ => false,
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn of_type(item: &Value, name: &str) -> bool {
    item["type"]["S"] == name
}

fn is(item: &Value, name: &str, state: &str) -> bool {
    of_type(item, name) && item["state"]["S"] == state
}

/// The condition of an item that must be new.
const NEW: &str = "attribute_not_exists(pk)";

fn new_only(condition: &str) -> bool {
    condition == NEW
}

fn at_conversion(item: &Value) -> bool {
    item["place"]["M"]["at"]["S"] == "conversion"
}

/// True for a check of a commission's place with this condition.
fn is_of_a_place(item: &Value, condition: &str) -> bool {
    let check = &item["ConditionCheck"];
    let place = text(&check["Key"]["sk"]["S"]).starts_with("COMMISSION#");
    place && text(&check["ConditionExpression"]) == condition
}

/// True for an update whose expression begins so.
fn updates(write: &Value, beginning: &str) -> bool {
    text(&write["UpdateExpression"]).starts_with(beginning)
}

/// Leaves a part of a condition.
fn only(write: &mut Value, condition: &str) -> bool {
    write["ConditionExpression"] = Value::from(condition);
    prune(write)
}

/// Removes the condition of a write.
fn bare(write: &mut Value) -> bool {
    let removed = write.as_object_mut().and_then(|fields| fields.remove("ConditionExpression"));
    removed.is_some() && prune(write)
}

/// Removes the names and values that no expression names any more, because the table refuses them.
fn prune(write: &mut Value) -> bool {
    let expressions = ["ConditionExpression", "UpdateExpression"].map(|name| text(&write[name]).to_owned());
    let used = expressions.join(" ");
    let is_used = |name: &str| {
        let ends = |at: usize| {
            let rest = used.get(at + name.len()..).unwrap_or_default();
            !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        };
        used.match_indices(name).any(|(at, _)| ends(at))
    };
    let Some(fields) = write.as_object_mut() else { return false };
    for field in ["ExpressionAttributeValues", "ExpressionAttributeNames"] {
        let Some(Value::Object(known)) = fields.get_mut(field) else { continue };
        known.retain(|name, _| is_used(name));
        if known.is_empty() {
            fields.remove(field);
        }
    }
    true
}

fn suffix(write: &mut Value, part: &str) -> bool {
    let known = text(&write["Item"][part]["S"]).to_owned();
    write["Item"][part]["S"] = Value::from(format!("{known}~{:06}", fastrand::u32(0..1_000_000)));
    true
}
