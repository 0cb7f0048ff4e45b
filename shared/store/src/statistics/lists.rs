//! Lists that the projector maintains, for pages that the items' own keys cannot serve. Each list is a few
//! partitions of small lines, newest first; a page costs the same whatever the list's length. A line holds
//! only an id; the listed items are read from their own keys.

use guerdon_domain::{
    ids::{MemberId, OrderId},
    payments::OrderState,
    time::Timestamp,
    withdrawals::{Withdrawal, WithdrawalState},
};
use serde::{Deserialize, Serialize};

use crate::table::{
    Range, StoreError, handle,
    item::{Key, Record, decode, string},
    keys::{self, SHARDS},
    prefixes::Prefix,
};

/// A list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// All members who joined.
    Members,
    /// Members who were barred.
    Barred,
    /// Orders of a state.
    Orders(OrderState),
    /// Withdrawals of a state.
    Withdrawals(WithdrawalState),
    /// Members by the beginning of a name: the name's first two characters, or its only one.
    Names(String),
}

/// A line of a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Listed {
    /// The list.
    pub list: List,
    /// The sort position: an instant, or a name.
    pub place: String,
    /// The id of the listed item.
    pub id: String,
}

impl Listed {
    /// Makes a line for a member, sorted by joining.
    pub fn member(list: List, at: Timestamp, member: &MemberId) -> Self {
        Self { list, place: keys::sortable(at), id: member.to_string() }
    }

    /// Makes a line for an order, sorted by creation.
    pub fn order(state: OrderState, at: Timestamp, order: &OrderId) -> Self {
        Self { list: List::Orders(state), place: keys::sortable(at), id: order.to_string() }
    }

    /// Makes a line for a withdrawal, sorted by request.
    pub fn withdrawal(withdrawal: &Withdrawal) -> Self {
        let place = keys::sortable(withdrawal.requested_at);
        Self { list: List::Withdrawals(withdrawal.state()), place, id: withdrawal.id.to_string() }
    }

    /// Makes a line for a member, sorted by a name in lower case; nothing for an empty name.
    pub fn name(name: &str, member: &MemberId) -> Option<Self> {
        let list = List::names(name)?;
        Some(Self { list, place: name.to_owned(), id: member.to_string() })
    }

    /// The position of the line in its list: the cursor of a page that ends with it.
    pub fn cursor(&self) -> String {
        format!("{}#{}", self.place, self.id)
    }
}

impl List {
    /// The list of the names that begin with the same two characters. Names of one character have lists of their own.
    pub fn names(name: &str) -> Option<Self> {
        let first: String = name.chars().take(2).collect();
        (!first.is_empty()).then_some(Self::Names(first))
    }

    fn partition(&self, shard: u8) -> String {
        Prefix::List.with(match self {
            Self::Members => format!("members#{shard}"),
            Self::Barred => format!("barred#{shard}"),
            Self::Orders(state) => format!("orders-{}#{shard}", state.as_str()),
            Self::Withdrawals(state) => format!("withdrawals-{}#{shard}", state.as_str()),
            Self::Names(first) => format!("names-{first}"),
        })
    }

    /// Names are already spread by their first characters.
    const fn shards(&self) -> u8 {
        match self {
            Self::Names(_) => 1,
            Self::Members | Self::Barred | Self::Orders(_) | Self::Withdrawals(_) => SHARDS,
        }
    }
}

impl Record for Listed {
    const TYPE: &'static str = "listed";
    fn key(&self) -> Key {
        let shard = if self.list.shards() == 1 { 0 } else { keys::shard(&self.id) };
        Key::new(self.list.partition(shard), self.cursor())
    }
}

/// The lines that a page has.
#[derive(Debug, Clone, Copy, Default)]
pub struct Page<'a> {
    /// Only lines after the one with this cursor.
    pub after: Option<&'a str>,
    /// Only positions that begin with this.
    pub prefix: Option<&'a str>,
    /// The oldest first, or names from A to Z.
    pub ascending: bool,
}

fn range(partition: String, page: Page<'_>) -> Range {
    // U+10FFFF sorts after every other character, so it bounds every key that begins with the prefix.
    const END: &str = "\u{10FFFF}";
    let range = Range::partition(partition);
    let range = if page.ascending { range } else { range.newest_first() };
    // The cursor itself is left out: the nearest text that sorts after it, or before it.
    let (first, last) = match (page.prefix, page.after, page.ascending) {
        (prefix, Some(after), true) => {
            (format!("{after}\u{1}"), format!("{}{END}", prefix.unwrap_or_default()))
        }
        (prefix, None, true) => {
            (prefix.unwrap_or(" ").to_owned(), format!("{}{END}", prefix.unwrap_or_default()))
        }
        (_, Some(after), false) => {
            return range.sort("#sk < :after", &[(":after", string(after))]);
        }
        (_, None, false) => return range,
    };
    range.sort("#sk BETWEEN :first AND :last", &[(":first", string(first)), (":last", string(last))])
}

handle! {
    /// The handle for lists that the projector maintains.
    Lists, lists
}

impl Lists<'_> {
    /// Writes a line. Repeating it changes nothing.
    pub async fn put(self, line: &Listed) -> Result<(), StoreError> {
        self.store.put(line).await
    }

    /// Deletes a line, if it exists.
    pub async fn remove(self, line: &Listed) -> Result<(), StoreError> {
        self.store.delete(&line.key()).await
    }

    /// Reads a page of several lists together, at most `limit` lines. Each shard of each list is asked for
    /// that many.
    pub async fn page(self, lists: &[List], page: Page<'_>, limit: i32) -> Result<Vec<Listed>, StoreError> {
        let mut found: Vec<Listed> = Vec::new();
        for list in lists {
            for shard in 0..list.shards() {
                let (items, _) = self.store.page(range(list.partition(shard), page).limit(limit)).await?;
                for item in items {
                    found.push(decode(item)?);
                }
            }
        }
        found.sort_by_cached_key(Listed::cursor);
        if !page.ascending {
            found.reverse();
        }
        found.truncate(usize::try_from(limit).unwrap_or_default());
        Ok(found)
    }
}
