//! Transactions: fragments that carry the error they raise, composed and committed in one place.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, ConditionCheck, Put, TransactWriteItem, Update as SdkUpdate},
};
use backon::Retryable;

use crate::table::{
    CallKind, Reason, Store, StoreError, Update, contention, count_conflict, from_sdk, is_conflict,
    item::{Key, Record, encode},
    none_if_empty, stamp,
};

/// One write of a transaction, with the refusal that a failed condition means.
#[derive(Debug, Clone)]
pub struct Fragment<E> {
    item: TransactWriteItem,
    refusal: Option<E>,
}

/// The reason why a transaction was not committed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError<E> {
    /// A condition did not hold: the refusal of the first such fragment. Nothing was written.
    #[error("refused")]
    Refused(E),
    /// It could not be tried, or its outcome is unknown.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<E> Fragment<E> {
    /// Writes a new item; `refusal` when one exists already.
    pub(crate) fn insert<R: Record>(record: &R, refusal: E) -> Result<Self, StoreError> {
        Self::put(record, "attribute_not_exists(pk)", &Update::default(), refusal)
    }

    /// Writes a whole item under a condition; names and values of the condition come from `terms`.
    pub(crate) fn put<R: Record>(
        record: &R,
        condition: &str,
        terms: &Update,
        refusal: E,
    ) -> Result<Self, StoreError> {
        let put = Put::builder()
            // The table's name is filled in by `commit`.
            .table_name("")
            .set_item(Some(encode(record)?))
            .condition_expression(condition)
            .set_expression_attribute_names(none_if_empty(&terms.names))
            .set_expression_attribute_values(none_if_empty(&terms.values))
            .build()
            .map_err(malformed)?;
        Ok(Self { item: TransactWriteItem::builder().put(put).build(), refusal: Some(refusal) })
    }

    /// Writes an item, replacing any other: only for records whose content follows from their key.
    pub(crate) fn upsert<R: Record>(record: &R) -> Result<Self, StoreError> {
        let put = Put::builder().table_name("").set_item(Some(encode(record)?)).build().map_err(malformed)?;
        Ok(Self { item: TransactWriteItem::builder().put(put).build(), refusal: None })
    }

    /// Changes an item under the update's condition.
    pub(crate) fn update(key: &Key, update: &Update, refusal: E) -> Result<Self, StoreError> {
        let update = SdkUpdate::builder()
            .table_name("")
            .set_key(Some(key.attributes()))
            .update_expression(&update.expression)
            .set_condition_expression(update.condition.clone())
            .set_expression_attribute_names(none_if_empty(&update.names))
            .set_expression_attribute_values(none_if_empty(&update.values))
            .build()
            .map_err(malformed)?;
        Ok(Self { item: TransactWriteItem::builder().update(update).build(), refusal: Some(refusal) })
    }

    /// Checks that no item exists at `key`.
    pub(crate) fn absent(key: &Key, refusal: E) -> Result<Self, StoreError> {
        Self::check(key, "attribute_not_exists(pk)", &[], refusal)
    }

    /// Checks a condition on the item at `key` without changing it.
    pub(crate) fn check(
        key: &Key,
        condition: &str,
        values: &[(&str, AttributeValue)],
        refusal: E,
    ) -> Result<Self, StoreError> {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let check = ConditionCheck::builder()
            .table_name("")
            .set_key(Some(key.attributes()))
            .condition_expression(condition)
            .set_expression_attribute_values(none_if_empty(&values))
            .build()
            .map_err(malformed)?;
        Ok(Self { item: TransactWriteItem::builder().condition_check(check).build(), refusal: Some(refusal) })
    }

    fn on_table(&self, table: &str) -> TransactWriteItem {
        let mut item = self.item.clone();
        if let Some(put) = &mut item.put {
            put.table_name = table.to_owned();
            stamp(&mut put.item);
        }
        if let Some(update) = &mut item.update {
            update.table_name = table.to_owned();
        }
        if let Some(check) = &mut item.condition_check {
            check.table_name = table.to_owned();
        }
        item
    }
}

fn malformed(error: aws_sdk_dynamodb::error::BuildError) -> StoreError {
    StoreError::Corrupt(Reason::of(error))
}

impl Store {
    /// Commits all fragments or none. Conflicts and throttled requests are tried again with jitter.
    ///
    /// # Errors
    /// [`CommitError::Refused`] with the first failed fragment's refusal; [`CommitError::Store`] when
    /// retries are used up or the outcome is unknown.
    pub async fn commit<E: Clone>(&self, fragments: &[Fragment<E>]) -> Result<(), CommitError<E>> {
        let attempt = || self.try_commit(fragments);
        attempt
            .retry(contention())
            .when(|error| matches!(error, CommitError::Store(e) if is_conflict(e)))
            .notify(count_conflict)
            .await
    }

    async fn try_commit<E: Clone>(&self, fragments: &[Fragment<E>]) -> Result<(), CommitError<E>> {
        let items = fragments.iter().map(|fragment| fragment.on_table(&self.table)).collect();
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .set_return_consumed_capacity(self.wants_capacity())
            .send()
            .await;
        match sent {
            Ok(output) => {
                self.record(CallKind::Transaction, output.consumed_capacity());
                Ok(())
            }
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let codes = cancelled.cancellation_reasons().iter().map(|r| r.code().unwrap_or_default());
                    Err(cancellation(codes, fragments))
                }
                Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
                    Err(StoreError::Conflict.into())
                }
                _ => Err(from_sdk(error).into()),
            },
        }
    }
}

/// Finds the cause among the cancellation reasons: a failed condition takes precedence over a conflict, and a
/// conflict is never taken for "already done".
fn cancellation<'a, E: Clone>(
    codes: impl Iterator<Item = &'a str> + Clone,
    fragments: &[Fragment<E>],
) -> CommitError<E> {
    let failed = codes.clone().zip(fragments).find(|(code, _)| *code == "ConditionalCheckFailed");
    if let Some(refusal) = failed.and_then(|(_, fragment)| fragment.refusal.clone()) {
        return CommitError::Refused(refusal);
    }
    let transient = |code: &str| {
        matches!(code, "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
    };
    if codes.clone().any(transient) {
        return StoreError::Conflict.into();
    }
    let all = codes.filter(|code| *code != "None").collect::<Vec<_>>().join(", ");
    StoreError::Corrupt(format!("transaction cancelled: {all}").into()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cancellation_reasons_are_read_one_by_one() {
        let fragment = |refusal| Fragment::absent(&Key::new("a", "b"), refusal).unwrap();
        let fragments = [fragment("first"), fragment("second")];
        let check = |codes: [&'static str; 2], expect: &str| {
            let error = match cancellation(codes.into_iter(), &fragments) {
                CommitError::Refused(refusal) => refusal.to_owned(),
                CommitError::Store(StoreError::Conflict) => "conflict".to_owned(),
                CommitError::Store(error) => error.to_string(),
            };
            assert!(error.starts_with(expect), "{error}");
        };
        check(["None", "ConditionalCheckFailed"], "second");
        check(["TransactionConflict", "ConditionalCheckFailed"], "second");
        check(["ConditionalCheckFailed", "ConditionalCheckFailed"], "first");
        check(["TransactionConflict", "None"], "conflict");
        check(["None", "ThrottlingError"], "conflict");
        check(
            ["None", "ItemCollectionSizeLimitExceeded"],
            "the table holds or was sent something unreadable",
        );
    }
}
