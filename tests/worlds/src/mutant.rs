//! Planted faults: each removes one guard by rewriting requests to the table. No product code changes. Every one of
//! them must be detected.

use serde_json::Value;

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
    pub const ALL: [Self; 22] = [
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
        Self::LimitUnguarded,
        Self::ProgressUnguarded,
        Self::IntentUnguarded,
        Self::ApprovedInDebt,
        Self::MemberUnguarded,
    ];

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
        match self {
            Self::ParkedBehindBack if items.iter().any(|item| of_type(&item["Put"]["Item"], "parked")) => {
                items.retain(|item| item.get("ConditionCheck").is_none());
            }
            Self::AttemptUnguarded => items.retain(|item| !guards_an_attempt(&item["ConditionCheck"])),
            Self::ApprovedInDebt => items.retain(|item| {
                !text(&item["ConditionCheck"]["ConditionExpression"]).starts_with("buckets.owed")
            }),
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
        let update = text(&write["UpdateExpression"]).to_owned();
        let settles = kind == "Update" && condition.starts_with("#state = :held");
        let put = |name: &str| kind == "Put" && of_type(item, name);
        match self {
            Self::PaymentUnguarded if put("payment") => bare(write),
            Self::ConversionUnguarded if put("commission") && at_conversion(item) => {
                new_only(&condition) && bare(write)
            }
            Self::ReleaseIgnoresState if settles => {
                set(write, "clawed = :clawed AND frozen = :thawed");
                forget(write, ":held")
            }
            Self::ReleaseIgnoresClawed if settles => {
                set(write, "#state = :held AND frozen = :thawed");
                forget(write, ":clawed")
            }
            Self::ReleaseIgnoresFrozen if settles => {
                set(write, "#state = :held AND clawed = :clawed");
                forget(write, ":thawed")
            }
            Self::WalletUnguarded if put("wallet") || put("entry") => bare(write),
            Self::ReversalUnguarded if update.starts_with("SET reversals") => {
                forget(write, ":seq");
                bare_update(write)
            }
            Self::ClawbackUnguarded if put("commission") && condition.starts_with("#state") => bare(write),
            Self::WithdrawalUnguarded if put("withdrawal") && condition.starts_with("#state") => bare(write),
            Self::IntentUnguarded if put("intent") && condition.starts_with("#id = :id") => bare(write),
            Self::KeyPerAttempt if put("payment") => suffix(write, "pk"),
            Self::KeyPerAttempt if put("commission") && new_only(&condition) => suffix(write, "sk"),
            Self::ProjectorUnguarded if update.contains("#guard = :guard") => {
                forget(write, ":first");
                bare_update(write)
            }
            Self::LimitUnguarded if put("limit") => bare(write),
            Self::ProgressUnguarded if update.starts_with("SET progress") => {
                forget(write, ":seen");
                bare_update(write)
            }
            Self::MemberUnguarded if put("member") || put("referral") => bare(write),
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

fn new_only(condition: &str) -> bool {
    condition == "attribute_not_exists(pk)"
}

fn at_conversion(item: &Value) -> bool {
    item["place"]["M"]["at"]["S"] == "conversion"
}

fn guards_an_attempt(check: &Value) -> bool {
    let condition = text(&check["ConditionExpression"]);
    let place = text(&check["Key"]["sk"]["S"]).starts_with("COMMISSION#");
    place && (condition == "clawed = amount.minor" || new_only(condition))
}

fn set(write: &mut Value, condition: &str) {
    write["ConditionExpression"] = Value::from(condition);
}

/// Removes a value that nothing names any more, because the table refuses unused values.
fn forget(write: &mut Value, value: &str) -> bool {
    if let Some(values) = write["ExpressionAttributeValues"].as_object_mut() {
        values.remove(value);
    }
    true
}

/// Removes the condition of a put, and what only the condition names.
fn bare(write: &mut Value) -> bool {
    let fields = write.as_object_mut();
    fields.is_some_and(|fields| {
        fields.remove("ExpressionAttributeValues");
        fields.remove("ExpressionAttributeNames");
        fields.remove("ConditionExpression").is_some()
    })
}

/// Removes the condition of an update.
fn bare_update(write: &mut Value) -> bool {
    write.as_object_mut().is_some_and(|fields| fields.remove("ConditionExpression").is_some())
}

fn suffix(write: &mut Value, part: &str) -> bool {
    let known = text(&write["Item"][part]["S"]).to_owned();
    write["Item"][part]["S"] = Value::from(format!("{known}~{:06}", fastrand::u32(0..1_000_000)));
    true
}
