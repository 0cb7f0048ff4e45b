//! Members.

use guerdon_domain::{
    ids::{CustomerId, MemberId},
    members::{Joined, Member, MemberCode},
};

use crate::table::{
    Fragment, StoreError, Update, handle,
    item::{Key, Record, string},
    keys,
};

impl Record for Member {
    const TYPE: &'static str = "member";
    fn key(&self) -> Key {
        keys::member(&self.id)
    }
}

handle! {
    /// The handle for members.
    Members, members
}

impl Members<'_> {
    /// Reads the member.
    pub async fn find(self, id: &MemberId) -> Result<Option<Member>, StoreError> {
        self.store.get(&keys::member(id)).await
    }

    /// Reads members, in the order of `ids`; unknown ones are left out.
    pub async fn find_all(self, ids: &[MemberId]) -> Result<Vec<Member>, StoreError> {
        self.store.get_all(&ids.iter().map(keys::member).collect::<Vec<_>>()).await
    }

    /// Inserts a new member.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn insert<E>(self, member: &Member, exists: E) -> Result<Fragment<E>, StoreError> {
        Fragment::insert(member, exists)
    }

    /// Updates the profile when a customer known from Stripe starts the bot, or when a member's name has
    /// changed.
    pub async fn introduce(self, member: &Member, joined: &Joined) -> Result<(), StoreError> {
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
        self.store.update(&keys::member(&member.id), &update, false).await.map(|_| ())
    }

    /// Sets the Stripe customer that gets the member's credit, or removes it when there is none.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn set_customer<E>(
        self,
        member: &MemberId,
        customer: Option<&CustomerId>,
        unknown: E,
    ) -> Result<Fragment<E>, StoreError> {
        let update = match customer {
            Some(customer) => {
                Update::new("SET customer = :customer").value(":customer", string(customer.as_str()))
            }
            None => Update::new("REMOVE customer"),
        };
        Fragment::update(&keys::member(member), &update.only_if("attribute_exists(pk)"), unknown)
    }

    /// Records whether the member has blocked the bot. Changes nothing for unknown members.
    pub async fn set_blocked(self, member: &MemberId, blocked: bool) -> Result<(), StoreError> {
        let update = Update::new("SET blocked_bot = :blocked")
            .only_if("attribute_exists(pk)")
            .value(":blocked", aws_sdk_dynamodb::types::AttributeValue::Bool(blocked));
        self.store.update(&keys::member(member), &update, false).await.map(|_| ())
    }

    /// Bars a member from rewards, or lifts the bar.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn bar<E>(self, member: &MemberId, barred: bool, unknown: E) -> Result<Fragment<E>, StoreError> {
        let update = Update::new("SET barred = :barred")
            .only_if("attribute_exists(pk)")
            .value(":barred", aws_sdk_dynamodb::types::AttributeValue::Bool(barred));
        Fragment::update(&keys::member(member), &update, unknown)
    }

    /// Sets `next` as the code that the member shares, if `previous` was their code until now.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn replace_code<E>(
        self,
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
}
