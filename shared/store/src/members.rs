//! Members, their codes, and the referral edge that a new member comes with.

use std::collections::BTreeMap;

use guerdon_domain::{
    ids::{CustomerId, MemberId, PaymentKey},
    members::{Joined, Member, MemberCode},
    referrals::{Code, CodeRecord, Progress, Referral, ReferralState},
    time::Timestamp,
};

use crate::{
    Fragment, Store, StoreError,
    item::{Index, Key, Record, decode, number, string},
    keys,
    prefixes::Prefix,
    table::{Range, Update, Written},
};

impl Record for Member {
    const TYPE: &'static str = "member";
    fn key(&self) -> Key {
        keys::member(&self.id)
    }
}

impl Record for CodeRecord {
    const TYPE: &'static str = "code";
    fn key(&self) -> Key {
        keys::code(&self.code)
    }
    fn index(&self) -> Index {
        let due = (keys::code_due(keys::shard(self.code.as_str())), self.expires_at.millis());
        Index { gsi2: (!self.expired).then_some(due), ..Index::default() }
    }
}

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

impl Store {
    /// The member, if they are known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn member(&self, id: &MemberId) -> Result<Option<Member>, StoreError> {
        self.get(&keys::member(id)).await
    }

    /// Up to 100 members, in the order asked for; unknown ones are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn members(&self, ids: &[MemberId]) -> Result<Vec<Member>, StoreError> {
        self.get_all(&ids.iter().map(keys::member).collect::<Vec<_>>()).await
    }

    /// The code, valid or not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn code(&self, code: &Code) -> Result<Option<CodeRecord>, StoreError> {
        self.get(&keys::code(code)).await
    }

    /// The referral through which `member` came, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn referral_of(&self, member: &Member) -> Result<Option<Referral>, StoreError> {
        match referral_key(member) {
            Some(key) => self.get(&key).await,
            None => Ok(None),
        }
    }

    /// The same with the referrer, in one read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn referral_and_referrer(
        &self,
        member: &Member,
    ) -> Result<Option<(Referral, Option<Member>)>, StoreError> {
        let referrer = member.joined.as_ref().and_then(|joined| joined.referrer.as_ref());
        let (Some(key), Some(referrer)) = (referral_key(member), referrer) else { return Ok(None) };
        let mut found = self.get_each(&[key, keys::member(referrer)]).await?.into_iter();
        let [referral, referrer] = [found.next().flatten(), found.next().flatten()];
        let Some(referral) = referral else { return Ok(None) };
        Ok(Some((decode(referral)?, referrer.map(decode).transpose()?)))
    }

    /// A new member.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert_member<E>(&self, member: &Member, exists: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(member, exists)
    }

    /// A new edge.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert_referral<E>(&self, referral: &Referral, exists: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(referral, exists)
    }

    /// A customer whom Stripe told us about meets the bot, or a member's name has changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn introduce(&self, member: &Member, joined: &Joined) -> Result<(), StoreError> {
        let joined_value = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(joined)?;
        let optional = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value::<&Option<String>>;
        let update = Update::new(
            "SET first_name = :first, last_name = :last, username = :user, #language = :language, \
             blocked_bot = :no, joined = if_not_exists(joined, :joined)",
        )
        .name("#language", "language")
        .only_if("attribute_exists(pk)")
        .value(":first", string(&member.first_name))
        .value(":last", optional(&member.last_name)?)
        .value(":user", optional(&member.username)?)
        .value(":language", optional(&member.language)?)
        .value(":no", aws_sdk_dynamodb::types::AttributeValue::Bool(false))
        .value(":joined", joined_value);
        self.update(&keys::member(&member.id), &update, false).await.map(|_| ())
    }

    /// The customer is gone at Stripe: the member has none until another is linked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_customer(&self, member: &MemberId, customer: &CustomerId) -> Result<(), StoreError> {
        let update = Update::new("REMOVE customer")
            .only_if("customer = :customer")
            .value(":customer", string(customer.as_str()));
        self.update(&keys::member(member), &update, false).await.map(|_| ())
    }

    /// Remembers whether the member has blocked the bot. Unknown members stay unknown.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_blocked(&self, member: &MemberId, blocked: bool) -> Result<(), StoreError> {
        let update = Update::new("SET blocked_bot = :blocked")
            .only_if("attribute_exists(pk)")
            .value(":blocked", aws_sdk_dynamodb::types::AttributeValue::Bool(blocked));
        self.update(&keys::member(member), &update, false).await.map(|_| ())
    }

    /// A new code.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert_code<E>(&self, code: &CodeRecord, taken: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(code, taken)
    }

    /// The member shares `next` from now on, if they shared `previous` until now.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn replace_code<E>(
        &self,
        member: &MemberId,
        previous: Option<&MemberCode>,
        next: &MemberCode,
        changed: E,
    ) -> Result<Fragment<E>, StoreError> {
        let update = Update::new("SET code = :next")
            .value(":next", serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(next)?);
        let update = match previous {
            None => update.only_if("attribute_exists(pk) AND attribute_not_exists(code)"),
            Some(previous) => update
                .only_if("code = :previous")
                .value(":previous", serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(previous)?),
        };
        Fragment::update(&keys::member(member), &update, changed)
    }

    /// The referral turns to converted, also when the expiry job was faster. False when it was before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn convert_referral(
        &self,
        (referrer, joined_at, referee): (&MemberId, Timestamp, &MemberId),
        payment: &PaymentKey,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let payment = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(payment)?;
        let update =
            Update::new("SET #state = :converted, payment = :payment, #at = :at REMOVE gsi2pk, gsi2sk")
                .only_if("#state IN (:pending, :expired)")
                .name("#state", "state")
                .name("#at", "at")
                .value(":converted", string("converted"))
                .value(":pending", string("pending"))
                .value(":expired", string("expired"))
                .value(":payment", payment)
                .value(":at", number(at.millis()));
        Ok(self.update(&keys::referral(referrer, joined_at, referee), &update, false).await?
            != Written::Refused)
    }

    /// How far the referee has come towards rules that count, if nobody has counted since.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn count_progress<E>(
        &self,
        before: &Referral,
        progress: &BTreeMap<String, Progress>,
        counted_since: E,
    ) -> Result<Fragment<E>, StoreError> {
        let value = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(progress)?;
        let update = Update::new("SET progress = :progress").value(":progress", value);
        let update = if before.progress.is_empty() {
            update.only_if("attribute_exists(pk) AND attribute_not_exists(progress)")
        } else {
            let seen = serde_dynamo::aws_sdk_dynamodb_1::to_attribute_value(&before.progress)?;
            update.only_if("progress = :seen").value(":seen", seen)
        };
        Fragment::update(&before.key(), &update, counted_since)
    }

    /// Bars a member from rewards, or lets them have rewards again.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn bar_member<E>(
        &self,
        member: &MemberId,
        barred: bool,
        unknown: E,
    ) -> Result<Fragment<E>, StoreError> {
        let update = Update::new("SET barred = :barred")
            .only_if("attribute_exists(pk)")
            .value(":barred", aws_sdk_dynamodb::types::AttributeValue::Bool(barred));
        Fragment::update(&keys::member(member), &update, unknown)
    }

    /// Remembers a member's latest payment. An older one, told later, changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remember_paid(&self, member: &MemberId, at: Timestamp) -> Result<(), StoreError> {
        let update = Update::new("SET last_paid_at = :at")
            .only_if("attribute_exists(pk) AND (attribute_not_exists(last_paid_at) OR last_paid_at < :at)")
            .value(":at", number(at.millis()));
        self.update(&keys::member(member), &update, false).await.map(|_| ())
    }

    /// Pending referrals of one shard whose window closed by `now`, the longest due first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn referrals_due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: i32,
    ) -> Result<Vec<Referral>, StoreError> {
        self.due(keys::referral_due(shard), now, limit).await
    }

    /// A page of one shard's pending referrals, the soonest to expire first, after `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pending_referrals(
        &self,
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
        let (items, _) = self.page(range).await?;
        self.get_all(&items.iter().map(keys::of_item).collect::<Vec<_>>()).await
    }

    /// A referral by the parts of its key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn referral(
        &self,
        referrer: &MemberId,
        joined_at: Timestamp,
        referee: &MemberId,
    ) -> Result<Option<Referral>, StoreError> {
        self.get(&keys::referral(referrer, joined_at, referee)).await
    }

    /// Those whom `referrer` brought, newest first, after the one who joined at an instant, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn referrals_of(
        &self,
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
        let (items, _) = self.page(range).await?;
        items.into_iter().map(decode).collect()
    }

    /// Closes a referral whose window has passed. False when a payment or another run was faster.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn expire_referral(&self, referral: &Referral) -> Result<bool, StoreError> {
        let update = Update::new("SET #state = :expired REMOVE gsi2pk, gsi2sk")
            .only_if("#state = :pending")
            .name("#state", "state")
            .value(":expired", string("expired"))
            .value(":pending", string("pending"));
        Ok(self.update(&referral.key(), &update, false).await? != Written::Refused)
    }

    /// Codes of one shard that expired by `now`, the longest due first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn codes_due(
        &self,
        shard: u8,
        now: Timestamp,
        limit: i32,
    ) -> Result<Vec<CodeRecord>, StoreError> {
        self.due(keys::code_due(shard), now, limit).await
    }

    /// Marks a code expired and takes it off the queue. False when it was marked before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn expire_code(&self, code: &Code) -> Result<bool, StoreError> {
        let update = Update::new("SET expired = :yes REMOVE gsi2pk, gsi2sk")
            .only_if("expired = :no")
            .value(":yes", aws_sdk_dynamodb::types::AttributeValue::Bool(true))
            .value(":no", aws_sdk_dynamodb::types::AttributeValue::Bool(false));
        Ok(self.update(&keys::code(code), &update, false).await? != Written::Refused)
    }

    /// What a due queue holds up to `now`: the index gives the keys, the table the records.
    pub(crate) async fn due<R: Record>(
        &self,
        queue: String,
        now: Timestamp,
        limit: i32,
    ) -> Result<Vec<R>, StoreError> {
        let range =
            Range::index("gsi2", queue).sort("#sk <= :now", &[(":now", number(now.millis()))]).limit(limit);
        let (items, _) = self.page(range).await?;
        self.get_all(&items.iter().map(keys::of_item).collect::<Vec<_>>()).await
    }
}

/// The key of the edge to the referrer.
fn referral_key(member: &Member) -> Option<Key> {
    let joined = member.joined.as_ref()?;
    let referrer = joined.referrer.as_ref()?;
    Some(keys::referral(referrer, joined.at, &member.id))
}
