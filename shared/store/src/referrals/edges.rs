//! Referrals: the edges between referrers and referees.

use std::collections::BTreeMap;

use guerdon_domain::{
    ids::{MemberId, PaymentKey, RuleId},
    members::Member,
    referrals::{Progress, Referral, ReferralState},
    time::Timestamp,
};

use crate::table::{
    Effect, Fragment, Range, StoreError, Update, handle,
    item::{Index, Key, Record, decode, number, string},
    keys,
    prefixes::Prefix,
};

impl Record for Referral {
    const TYPE: &'static str = "referral";
    fn key(&self) -> Key {
        keys::referral(&self.referrer, self.joined_at, &self.referee)
    }
    fn index(&self) -> Index {
        let due = (keys::referral_due(keys::shard(self.referee.as_str())), self.expires_at.millis());
        Index { gsi2: matches!(self.state, ReferralState::Pending).then_some(due), ..Index::default() }
    }
}

/// The condition that this many conversions were undone; `:undone` is the number, unless it is zero.
fn undone_is(attempt: u32) -> &'static str {
    if attempt == 0 { "attribute_not_exists(undone)" } else { "undone = :undone" }
}

fn with_undone(update: Update, attempt: u32) -> Update {
    if attempt == 0 { update } else { update.value(":undone", number(attempt)) }
}

/// The update that converts a pending or expired referral of which `undone` conversions were undone. `rest` ends its
/// expression.
fn converting(rest: &str, payment: &PaymentKey, undone: u32, at: Timestamp) -> Result<Update, StoreError> {
    let payment = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(payment)?;
    let update = Update::new(format!("SET #state = :converted, payment = :payment, #at = :at{rest}"))
        .only_if(format!("#state IN (:pending, :expired) AND {}", undone_is(undone)))
        .name("#state", "state")
        .name("#at", "at")
        .value(":converted", string("converted"))
        .value(":pending", string("pending"))
        .value(":expired", string("expired"))
        .value(":payment", payment)
        .value(":at", number(at.millis()));
    Ok(with_undone(update, undone))
}

/// The key of the edge to the referrer.
pub(crate) fn referral_key(member: &Member) -> Option<Key> {
    let joined = member.joined.as_ref()?;
    let referrer = joined.referrer.as_ref()?;
    Some(keys::referral(referrer, joined.at, &member.id))
}

handle! {
    /// The handle for referrals.
    Referrals, referrals
}

impl Referrals<'_> {
    /// Reads a referral by the parts of its key.
    pub async fn find(
        self,
        referrer: &MemberId,
        joined_at: Timestamp,
        referee: &MemberId,
    ) -> Result<Option<Referral>, StoreError> {
        self.store.get(&keys::referral(referrer, joined_at, referee)).await
    }

    /// Reads the referral of `member`, if they were referred.
    pub async fn of(self, member: &Member) -> Result<Option<Referral>, StoreError> {
        match referral_key(member) {
            Some(key) => self.store.get(&key).await,
            None => Ok(None),
        }
    }

    /// Like `of`, also reads the referrer, in one request.
    pub async fn with_referrer(
        self,
        member: &Member,
    ) -> Result<Option<(Referral, Option<Member>)>, StoreError> {
        let referrer = member.joined.as_ref().and_then(|joined| joined.referrer.as_ref());
        let (Some(key), Some(referrer)) = (referral_key(member), referrer) else { return Ok(None) };
        let mut found = self.store.get_each(&[key, keys::member(referrer)]).await?.into_iter();
        let [referral, referrer] = [found.next().flatten(), found.next().flatten()];
        let Some(referral) = referral else { return Ok(None) };
        Ok(Some((decode(referral)?, referrer.map(decode).transpose()?)))
    }

    /// Inserts a new edge.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert<E>(self, referral: &Referral, exists: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(referral, exists)
    }

    /// Marks the referral as converted, also after the expiry job has expired it. [`Effect::AlreadyApplied`] when it was
    /// converted before.
    pub async fn convert(
        self,
        (referrer, joined_at, referee): (&MemberId, Timestamp, &MemberId),
        (payment, attempt): (&PaymentKey, u32),
        at: Timestamp,
    ) -> Result<Effect, StoreError> {
        // A conversion that was undone in the meantime converts nothing.
        let update = converting(" REMOVE gsi2pk, gsi2sk", payment, attempt, at)?;
        Ok(self.store.update(&keys::referral(referrer, joined_at, referee), &update, false).await?.effect())
    }

    /// Writes the referee's progress towards rules that count, if it has not changed since.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn count_progress<E>(
        self,
        before: &Referral,
        progress: &BTreeMap<RuleId, Progress>,
        counted_since: E,
    ) -> Result<Fragment<E>, StoreError> {
        let update = if progress.is_empty() {
            Update::new("REMOVE progress")
        } else {
            let value = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(progress)?;
            Update::new("SET progress = :progress").value(":progress", value)
        };
        let update = if before.progress.is_empty() {
            update.only_if("attribute_exists(pk) AND attribute_not_exists(progress)")
        } else {
            let seen = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(&before.progress)?;
            update.only_if("progress = :seen").value(":seen", seen)
        };
        Fragment::update(&before.key(), &update, counted_since)
    }

    /// Records that the payment of a conversion was undone as a whole: the referral is pending again, until its window
    /// ends. [`Effect::AlreadyApplied`] when that was recorded before.
    pub async fn reopen(
        self,
        (referrer, joined_at, referee): (&MemberId, Timestamp, &MemberId),
        (payment, attempt): (&PaymentKey, u32),
    ) -> Result<Effect, StoreError> {
        let key = keys::referral(referrer, joined_at, referee);
        let payment = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(payment)?;
        let due = keys::referral_due(keys::shard(referee.as_str()));
        let update = Update::new(
            "SET #state = :pending, undone = :next, gsi2pk = :due, gsi2sk = expires_at REMOVE payment, #at",
        )
        .only_if(format!("#state = :converted AND payment = :payment AND {}", undone_is(attempt)))
        .name("#state", "state")
        .name("#at", "at")
        .value(":pending", string("pending"))
        .value(":converted", string("converted"))
        .value(":payment", payment)
        .value(":due", string(due))
        .value(":next", number(attempt.saturating_add(1)));
        let reopened = self.store.update(&key, &with_undone(update, attempt), false).await?.effect();
        if reopened == Effect::Applied {
            return Ok(reopened);
        }
        // The conversion itself was not recorded yet, and is not recorded any more.
        let update = Update::new("SET undone = :next")
            .only_if(format!("#state IN (:pending, :expired) AND {}", undone_is(attempt)))
            .name("#state", "state")
            .value(":pending", string("pending"))
            .value(":expired", string("expired"))
            .value(":next", number(attempt.saturating_add(1)));
        Ok(self.store.update(&key, &with_undone(update, attempt), false).await?.effect())
    }

    /// Records that the payment of a conversion was restored, and that no other payment had taken its place.
    /// [`Effect::AlreadyApplied`] when that was recorded before.
    pub async fn restore(
        self,
        (referrer, joined_at, referee): (&MemberId, Timestamp, &MemberId),
        (payment, attempt): (&PaymentKey, u32),
        at: Timestamp,
    ) -> Result<Effect, StoreError> {
        let undone = attempt.saturating_add(1);
        let update = if attempt == 0 {
            converting(" REMOVE gsi2pk, gsi2sk, undone", payment, undone, at)?
        } else {
            let update = converting(", undone = :attempt REMOVE gsi2pk, gsi2sk", payment, undone, at)?;
            update.value(":attempt", number(attempt))
        };
        Ok(self.store.update(&keys::referral(referrer, joined_at, referee), &update, false).await?.effect())
    }

    /// Reads pending referrals of one shard whose window closed by `now`, the longest due first.
    pub async fn due(self, shard: u8, now: Timestamp, limit: i32) -> Result<Vec<Referral>, StoreError> {
        self.store.due(keys::referral_due(shard), now, limit).await
    }

    /// Reads a page of one shard's pending referrals, the soonest to expire first, after `after`.
    pub async fn pending(
        self,
        shard: u8,
        after: Option<&Referral>,
        limit: i32,
    ) -> Result<Vec<Referral>, StoreError> {
        let start = after.map(|referral| {
            let mut key = referral.key().attributes();
            key.insert("gsi2pk".to_owned(), string(keys::referral_due(shard)));
            key.insert("gsi2sk".to_owned(), number(referral.expires_at.millis()));
            key
        });
        let range = Range::index("gsi2", keys::referral_due(shard)).limit(limit).start_after(start);
        let (items, _) = self.store.page(range).await?;
        self.store.get_all(&items.iter().map(keys::of_item).collect::<Vec<_>>()).await
    }

    /// Reads the referrals of `referrer`, newest first, after the one who joined at an instant, at most
    /// `limit`.
    pub async fn brought_by(
        self,
        referrer: &MemberId,
        before: Option<&(Timestamp, MemberId)>,
        limit: i32,
    ) -> Result<Vec<Referral>, StoreError> {
        let start = before.map(|(at, referee)| keys::referral(referrer, *at, referee).attributes());
        let range = Range::partition(keys::referrer_pk(referrer))
            .prefix(Prefix::Referral.as_str())
            .newest_first()
            .limit(limit)
            .start_after(start);
        let (items, _) = self.store.page(range).await?;
        items.into_iter().map(decode).collect()
    }

    /// Reads the referrals that `referrer` made before `before`, newest first, at most `most`.
    pub async fn made_before(
        self,
        referrer: &MemberId,
        before: Timestamp,
        most: usize,
    ) -> Result<Vec<Referral>, StoreError> {
        let [first, last] = keys::referrals_before(before).map(string);
        let range = Range::partition(keys::referrer_pk(referrer))
            .sort("#sk BETWEEN :first AND :last", &[(":first", first), (":last", last)])
            .newest_first();
        let (mut found, mut start) = (Vec::new(), None);
        while found.len() < most {
            let limit = i32::try_from(most - found.len()).unwrap_or(i32::MAX);
            let (items, next) = self.store.page(range.clone().limit(limit).start_after(start)).await?;
            found.extend(items.into_iter().map(decode).collect::<Result<Vec<Referral>, _>>()?);
            start = next;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Closes a referral whose window has passed. [`Effect::AlreadyApplied`] when it was
    /// converted or closed before.
    pub async fn expire(self, referral: &Referral) -> Result<Effect, StoreError> {
        let update = Update::new("SET #state = :expired REMOVE gsi2pk, gsi2sk")
            .only_if("#state = :pending AND attribute_not_exists(progress)")
            .name("#state", "state")
            .value(":expired", string("expired"))
            .value(":pending", string("pending"));
        Ok(self.store.update(&referral.key(), &update, false).await?.effect())
    }

    /// Lets a pending referral expire later, at `until`, because its referee pays towards a rule that counts.
    /// [`Effect::AlreadyApplied`] when it does not any more, or was deferred before.
    pub async fn defer(self, referral: &Referral, until: Timestamp) -> Result<Effect, StoreError> {
        let update = Update::new("SET expires_at = :until, gsi2sk = :until")
            .only_if("#state = :pending AND attribute_exists(progress) AND expires_at = :before")
            .name("#state", "state")
            .value(":pending", string("pending"))
            .value(":before", number(referral.expires_at.millis()))
            .value(":until", number(until.millis()));
        Ok(self.store.update(&referral.key(), &update, false).await?.effect())
    }

    /// Counts the referrals that `referrer` has made since `since`, up to `most`. A referral's key contains
    /// its time, so nothing older is read.
    pub async fn count_since(
        self,
        referrer: &MemberId,
        since: Timestamp,
        most: usize,
    ) -> Result<usize, StoreError> {
        let [first, last] = keys::referrals_since(since).map(string);
        let range = Range::partition(keys::referrer_pk(referrer))
            .sort("#sk BETWEEN :first AND :last", &[(":first", first), (":last", last)])
            .newest_first();
        let (mut count, mut start) = (0, None);
        while count < most {
            let limit = i32::try_from(most - count).unwrap_or(i32::MAX);
            let (items, next) = self.store.page(range.clone().limit(limit).start_after(start)).await?;
            count += items.len();
            start = next;
            if start.is_none() {
                break;
            }
        }
        Ok(count)
    }
}
