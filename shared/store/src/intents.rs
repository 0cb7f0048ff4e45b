//! Intents: one item for each member and kind of action. A new intent takes the place of the one before.

use guerdon_domain::{
    ids::MemberId,
    intents::{ActionKind, Intent},
};

use crate::table::{
    Fragment, Guarded, StoreError, Update, handle,
    item::{Index, Key, Record, string},
    keys,
};

/// Days for which an intent is kept after its end, so that a late tap is told what became of it.
const KEPT_DAYS: i64 = 2;

impl Record for Intent {
    const TYPE: &'static str = "intent";
    fn key(&self) -> Key {
        keys::intent(&self.member, self.action.kind())
    }
    fn index(&self) -> Index {
        Index { ttl: Some(self.expires_at.plus_days(KEPT_DAYS).seconds()), ..Index::default() }
    }
}

/// Guards a step by id and state: another intent may have taken the place.
const STILL: &str = "#id = :id AND #state = :state";

fn still(before: &Intent) -> Update {
    Update::default()
        .name("#id", "id")
        .name("#state", "state")
        .value(":id", string(before.id.as_str()))
        .value(":state", string(before.state.as_str()))
}

handle! {
    /// The handle for intents.
    Intents, intents
}

impl Intents<'_> {
    /// Reads the member's latest intent of this kind.
    pub async fn find(self, member: &MemberId, kind: ActionKind) -> Result<Option<Intent>, StoreError> {
        self.store.get(&keys::intent(member, kind)).await
    }

    /// Writes a new intent in place of the one before. [`Guarded::Moved`] when an intent of this id is there,
    /// in whatever state.
    pub async fn open(self, intent: &Intent) -> Result<Guarded, StoreError> {
        let terms = Update::default().name("#id", "id").value(":id", string(intent.id.as_str()));
        let condition = "attribute_not_exists(pk) OR #id <> :id";
        Ok(self.store.put_under(intent, condition, &terms).await?.guarded())
    }

    /// Writes the intent after a step, if it is still the one that was read.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it cannot be encoded.
    pub fn replace<E>(self, before: &Intent, after: &Intent, moved: E) -> Result<Fragment<E>, StoreError> {
        Fragment::put(after, STILL, &still(before), moved)
    }

    /// Like `replace`, outside of a transaction.
    pub async fn step(self, before: &Intent, after: &Intent) -> Result<Guarded, StoreError> {
        Ok(self.store.put_under(after, STILL, &still(before)).await?.guarded())
    }
}
