//! SQS on one machine: durable queues with a visibility timeout, redelivery and dead letters.
//!
//! They are in the table's database: a webhook that was acknowledged is on the disk.

use std::sync::Arc;

use async_trait::async_trait;
use guerdon_database::{database::Database, error::DatabaseError, group::Ticket};
use guerdon_runtime::queue::{Queue, QueueError};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::Notify;

/// The queues there are, as in `template.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueName {
    /// Verified Stripe events, parked ones that are played again, and what tells that they should be.
    Payments,
    /// Domain events after which bill credit may have to be posted.
    Credits,
    /// Domain events that members are told about.
    Notifications,
}

impl QueueName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Payments, Self::Credits, Self::Notifications];

    /// The name in paths and ARNs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Credits => "credits",
            Self::Notifications => "notifications",
        }
    }
}

/// A delivery of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The message's row.
    pub id: i64,
    /// Its body.
    pub body: String,
    /// Number of deliveries, including this one.
    pub receives: u32,
}

/// Numbers of messages in a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Depth {
    /// Waiting or being handled.
    pub live: u64,
    /// Given up.
    pub dead: u64,
    /// The time at which the oldest one that waits was sent, in Unix milliseconds.
    #[serde(skip)]
    pub oldest: Option<i64>,
}

/// Deliveries before a message is given up, as in the template.
const MAX_RECEIVES: u32 = 8;
/// A handler that has not answered by then has died.
const VISIBILITY_MILLIS: i64 = 30_000;

/// The tables of the stack's database that the queues need.
pub const SCHEMA: &str = "
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        body TEXT NOT NULL,
        receives INTEGER NOT NULL DEFAULT 0,
        visible_at INTEGER NOT NULL DEFAULT 0,
        sent_at INTEGER NOT NULL,
        dead INTEGER NOT NULL DEFAULT 0);
    CREATE INDEX due ON messages (queue, dead, visible_at);
    CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

/// All queues of the stack, and the marks of those who read from it. They are in the table's database, so none of them
/// outlives what it stands for. Clones share them.
#[derive(Clone)]
pub struct Queues {
    database: Database,
    /// Wakes the pumps that wait for messages.
    pub arrived: Arc<Notify>,
}

type Outcome<T> = Result<T, DatabaseError>;

impl Queues {
    /// The queues of a database that was made with [`SCHEMA`].
    ///
    /// # Errors
    /// The database's.
    pub fn on(database: Database) -> Outcome<Self> {
        // No message is being handled yet: those that the last run was handling are due again.
        let due = "UPDATE messages SET visible_at = 0 WHERE dead = 0 AND visible_at > 0";
        database.write(|file| file.execute(due, []))?.1.wait()?;
        Ok(Self { database, arrived: Arc::new(Notify::new()) })
    }

    /// Puts messages in, together. The ticket says when they are on the disk.
    ///
    /// # Errors
    /// The database's.
    pub fn send_all(&self, messages: &[(QueueName, String)], now: i64) -> Outcome<Ticket> {
        let sql = "INSERT INTO messages (queue, body, sent_at) VALUES (?1, ?2, ?3)";
        let (_, ticket) = self.database.write(|file| {
            let mut insert = file.prepare_cached(sql)?;
            messages
                .iter()
                .try_for_each(|(queue, body)| insert.execute(params![queue.as_str(), body, now]).map(|_| ()))
        })?;
        self.arrived.notify_waiters();
        Ok(ticket)
    }

    /// Takes up to `limit` messages that are due at `now` (milliseconds) and hides them for a while. Nothing may be done
    /// about them before the ticket is settled.
    ///
    /// # Errors
    /// The database's.
    pub fn receive(&self, queue: QueueName, limit: u32, now: i64) -> Outcome<(Vec<Delivery>, Ticket)> {
        let sql = "SELECT id, body, receives + 1 FROM messages
                   WHERE queue = ?1 AND dead = 0 AND visible_at <= ?2 ORDER BY visible_at, id LIMIT ?3";
        let look = |file: &Connection| -> rusqlite::Result<Vec<Delivery>> {
            file.prepare_cached(sql)?
                .query_map(params![queue.as_str(), now, limit], |row| {
                    Ok(Delivery { id: row.get(0)?, body: row.get(1)?, receives: row.get(2)? })
                })?
                .collect()
        };
        // Most looks find nothing, and need no commit.
        if self.database.read(look)?.0.is_empty() {
            return Ok((Vec::new(), Ticket::SETTLED));
        }
        self.database.write(|file| {
            let found = look(file)?;
            let mut hide =
                file.prepare_cached("UPDATE messages SET receives = ?2, visible_at = ?3 WHERE id = ?1")?;
            for delivery in &found {
                hide.execute(params![delivery.id, delivery.receives, now + VISIBILITY_MILLIS])?;
            }
            Ok(found)
        })
    }

    /// Ends a batch: messages that were handled are forgotten, failed ones are due again after a pause that grows, or
    /// given up after the last.
    ///
    /// # Errors
    /// The database's.
    pub fn settle(&self, done: &[&Delivery], failed: &[&Delivery], now: i64) -> Outcome<()> {
        let (given_up, _) = self.database.write(|file| {
            for delivery in done {
                file.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([delivery.id])?;
            }
            let mut given_up = Vec::new();
            for delivery in failed {
                if delivery.receives >= MAX_RECEIVES {
                    file.prepare_cached("UPDATE messages SET dead = 1 WHERE id = ?1")?
                        .execute([delivery.id])?;
                    given_up.push(delivery.id);
                } else {
                    let due = now.saturating_add(50_i64 << delivery.receives.min(10));
                    file.prepare_cached("UPDATE messages SET visible_at = ?2 WHERE id = ?1")?
                        .execute(params![delivery.id, due])?;
                }
            }
            Ok(given_up)
        })?;
        for message_id in given_up {
            tracing::error!(message_id, "a message was given up; it stays as a dead letter");
        }
        Ok(())
    }

    /// Takes deliveries back that could not be handled because the database could not write: they are due again after a
    /// second, and do not count.
    ///
    /// # Errors
    /// The database's.
    pub fn take_back(&self, deliveries: &[Delivery], now: i64) -> Outcome<()> {
        let sql = "UPDATE messages SET visible_at = ?2, receives = receives - 1 WHERE id = ?1";
        let (_, _) = self.database.write(|file| {
            let mut update = file.prepare_cached(sql)?;
            deliveries
                .iter()
                .try_for_each(|delivery| update.execute(params![delivery.id, now + 1000]).map(|_| ()))
        })?;
        Ok(())
    }

    /// Gives dead letters another set of deliveries; says how many.
    ///
    /// # Errors
    /// The database's.
    pub fn redrive(&self) -> Outcome<usize> {
        let sql = "UPDATE messages SET dead = 0, receives = 0, visible_at = 0 WHERE dead = 1";
        let (moved, ticket) = self.database.write(|file| file.execute(sql, []))?;
        ticket.wait()?;
        self.arrived.notify_waiters();
        Ok(moved)
    }

    /// Returns the numbers of messages in a queue.
    ///
    /// # Errors
    /// The database's.
    pub fn depth(&self, queue: QueueName) -> Outcome<Depth> {
        let sql = "SELECT COUNT(*) - SUM(dead), SUM(dead), MIN(CASE dead WHEN 0 THEN sent_at END)
                   FROM messages WHERE queue = ?1";
        let (depth, _) = self.database.read(|file| {
            file.prepare_cached(sql)?.query_row([queue.as_str()], |row| {
                let count = |n| row.get::<_, Option<u64>>(n).map(Option::unwrap_or_default);
                Ok(Depth { live: count(0)?, dead: count(1)?, oldest: row.get(2)? })
            })
        })?;
        Ok(depth)
    }

    /// A small fact that must survive a restart: a stream reader's position, the test clock's lead.
    ///
    /// # Errors
    /// The database's.
    pub fn mark(&self, name: &str) -> Outcome<Option<String>> {
        let sql = "SELECT value FROM marks WHERE name = ?1";
        let read =
            |file: &Connection| file.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional();
        Ok(self.database.read(read)?.0)
    }

    /// Remembers a fact. The ticket says when it is on the disk.
    ///
    /// # Errors
    /// The database's.
    pub fn set_mark(&self, name: &str, value: &str) -> Outcome<Ticket> {
        let sql = "INSERT INTO marks (name, value) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        Ok(self.database.write(|file| file.prepare_cached(sql)?.execute(params![name, value]))?.1)
    }

    /// The database that they are in.
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// One queue, as the functions see it.
    pub fn writer(&self, queue: QueueName) -> Arc<dyn Queue> {
        Arc::new(Writer { queues: self.clone(), queue })
    }
}

/// The queues' timeouts run on the machine's own clock, whatever the test clock says.
#[expect(clippy::disallowed_methods, reason = "visibility is wall-clock time")]
pub(crate) fn wall_millis() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

struct Writer {
    queues: Queues,
    queue: QueueName,
}

#[async_trait]
impl Queue for Writer {
    async fn send(&self, body: String) -> Result<(), QueueError> {
        let failed = |error: DatabaseError| QueueError(error.to_string());
        let ticket = self.queues.send_all(&[(self.queue, body)], wall_millis()).map_err(failed)?;
        ticket.settled().await.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues() -> Queues {
        Queues::on(Database::memory(&[SCHEMA]).unwrap()).unwrap()
    }

    fn send(queues: &Queues, queue: QueueName, body: &str) {
        queues.send_all(&[(queue, body.to_owned())], 0).unwrap().wait().unwrap();
    }

    fn receive(queues: &Queues, now: i64) -> Vec<Delivery> {
        queues.receive(QueueName::Payments, 10, now).unwrap().0
    }

    #[test]
    fn a_message_is_hidden_while_handled_and_comes_again_when_it_fails() {
        let queues = queues();
        send(&queues, QueueName::Payments, "one");
        assert!(queues.receive(QueueName::Credits, 10, 0).unwrap().0.is_empty());
        let first = receive(&queues, 0).remove(0);
        assert!(receive(&queues, 1000).is_empty());
        queues.settle(&[], &[&first], 1000).unwrap();
        assert!(receive(&queues, 1050).is_empty());
        let again = receive(&queues, 1100).remove(0);
        assert_eq!((again.body.as_str(), again.receives), ("one", 2));
        // A handler that died says nothing: the message comes back by itself.
        assert_eq!(receive(&queues, 40_000).len(), 1);
        queues.settle(&[&again], &[], 40_000).unwrap();
        assert_eq!(queues.depth(QueueName::Payments).unwrap(), Depth::default());
    }

    #[test]
    fn after_the_last_delivery_a_message_is_a_dead_letter_until_it_is_redriven() {
        let queues = queues();
        send(&queues, QueueName::Payments, "poison");
        let mut now = 0;
        for _ in 0..MAX_RECEIVES {
            let delivery = receive(&queues, now).remove(0);
            queues.settle(&[], &[&delivery], now).unwrap();
            now += 60_000;
        }
        assert_eq!(queues.depth(QueueName::Payments).unwrap(), Depth { live: 0, dead: 1, oldest: None });
        assert_eq!(queues.redrive().unwrap(), 1);
        assert_eq!(receive(&queues, now).remove(0).receives, 1);
    }

    #[test]
    fn a_delivery_that_is_taken_back_does_not_count() {
        let queues = queues();
        send(&queues, QueueName::Payments, "one");
        for now in (0..20).map(|n| n * 2000) {
            let delivery = receive(&queues, now).remove(0);
            assert_eq!(delivery.receives, 1);
            queues.take_back(&[delivery], now).unwrap();
        }
        assert_eq!(queues.depth(QueueName::Payments).unwrap().live, 1);
    }

    #[test]
    fn messages_and_marks_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.db");
        let queues = Queues::on(Database::open(&path, &[SCHEMA]).unwrap()).unwrap();
        send(&queues, QueueName::Payments, "kept");
        queues.receive(QueueName::Payments, 10, 0).unwrap().1.wait().unwrap();
        queues.set_mark("projector", "17").unwrap().wait().unwrap();
        drop(queues);
        let queues = Queues::on(Database::open(&path, &[SCHEMA]).unwrap()).unwrap();
        assert_eq!(receive(&queues, 0).remove(0).body, "kept");
        assert_eq!(queues.mark("projector").unwrap().as_deref(), Some("17"));
    }
}
