//! SQS on one machine: durable queues with a visibility timeout, redelivery and dead letters.
//!
//! They live in a SQLite file of their own, so a webhook that was acknowledged is not lost to a `kill -9`.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
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
}

/// Deliveries before a message is given up, as in the template.
const MAX_RECEIVES: u32 = 8;
/// A handler that has not answered by then has died.
const VISIBILITY_MILLIS: i64 = 30_000;

/// All queues of the stack. Clones share them.
#[derive(Clone)]
pub struct Queues {
    file: Arc<Mutex<Connection>>,
    /// Wakes the pumps that wait for messages.
    pub arrived: Arc<Notify>,
}

impl Queues {
    /// Opens the queues' file, or makes queues in memory.
    ///
    /// # Errors
    /// The file's.
    pub fn open(path: Option<&Path>) -> rusqlite::Result<Self> {
        let file = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        file.execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = NORMAL;
             CREATE TABLE IF NOT EXISTS messages (
                 id INTEGER PRIMARY KEY AUTOINCREMENT,
                 queue TEXT NOT NULL,
                 body TEXT NOT NULL,
                 receives INTEGER NOT NULL DEFAULT 0,
                 visible_at INTEGER NOT NULL DEFAULT 0,
                 dead INTEGER NOT NULL DEFAULT 0);
             CREATE INDEX IF NOT EXISTS due ON messages (queue, dead, visible_at);
             CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value TEXT NOT NULL);",
        )?;
        // No message is being handled yet: those that the last run was handling are due again.
        file.execute("UPDATE messages SET visible_at = 0 WHERE dead = 0", [])?;
        Ok(Self { file: Arc::new(Mutex::new(file)), arrived: Arc::new(Notify::new()) })
    }

    fn file(&self) -> MutexGuard<'_, Connection> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in.
    ///
    /// # Errors
    /// The file's.
    pub fn send(&self, queue: QueueName, body: &str) -> rusqlite::Result<()> {
        let sql = "INSERT INTO messages (queue, body) VALUES (?1, ?2)";
        self.file().prepare_cached(sql)?.execute(params![queue.as_str(), body])?;
        self.arrived.notify_waiters();
        Ok(())
    }

    /// Takes up to `limit` messages that are due at `now` (milliseconds) and hides them for a while.
    ///
    /// # Errors
    /// The file's.
    pub fn receive(&self, queue: QueueName, limit: u32, now: i64) -> rusqlite::Result<Vec<Delivery>> {
        let mut file = self.file();
        let file = file.transaction()?;
        let found: Vec<Delivery> = file
            .prepare_cached(
                "SELECT id, body, receives + 1 FROM messages
                 WHERE queue = ?1 AND dead = 0 AND visible_at <= ?2 ORDER BY visible_at, id LIMIT ?3",
            )?
            .query_map(params![queue.as_str(), now, limit], |row| {
                Ok(Delivery { id: row.get(0)?, body: row.get(1)?, receives: row.get(2)? })
            })?
            .collect::<rusqlite::Result<_>>()?;
        for delivery in &found {
            file.prepare_cached("UPDATE messages SET receives = ?2, visible_at = ?3 WHERE id = ?1")?
                .execute(params![delivery.id, delivery.receives, now + VISIBILITY_MILLIS])?;
        }
        file.commit()?;
        Ok(found)
    }

    /// Forgets messages that were handled.
    ///
    /// # Errors
    /// The file's.
    pub fn delete(&self, ids: &[i64]) -> rusqlite::Result<()> {
        let mut file = self.file();
        let file = file.transaction()?;
        for id in ids {
            file.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([id])?;
        }
        file.commit()
    }

    /// A failed delivery: due again after a pause that grows, or given up after the last.
    ///
    /// # Errors
    /// The file's.
    pub fn fail(&self, delivery: &Delivery, now: i64) -> rusqlite::Result<()> {
        if delivery.receives >= MAX_RECEIVES {
            self.file().execute("UPDATE messages SET dead = 1 WHERE id = ?1", [delivery.id])?;
            tracing::error!(message_id = delivery.id, "a message was given up; it stays as a dead letter");
            return Ok(());
        }
        let pause = 50_i64 << delivery.receives.min(10);
        self.file().execute(
            "UPDATE messages SET visible_at = ?2 WHERE id = ?1",
            params![delivery.id, now.saturating_add(pause)],
        )?;
        Ok(())
    }

    /// Gives dead letters another set of deliveries; says how many.
    ///
    /// # Errors
    /// The file's.
    pub fn redrive(&self) -> rusqlite::Result<usize> {
        let sql = "UPDATE messages SET dead = 0, receives = 0, visible_at = 0 WHERE dead = 1";
        let moved = self.file().execute(sql, [])?;
        self.arrived.notify_waiters();
        Ok(moved)
    }

    /// Returns the numbers of messages in a queue.
    ///
    /// # Errors
    /// The file's.
    pub fn depth(&self, queue: QueueName) -> rusqlite::Result<Depth> {
        self.file()
            .prepare_cached("SELECT COUNT(*) - SUM(dead), SUM(dead) FROM messages WHERE queue = ?1")?
            .query_row([queue.as_str()], |row| {
                let count = |n| row.get::<_, Option<u64>>(n).map(Option::unwrap_or_default);
                Ok(Depth { live: count(0)?, dead: count(1)? })
            })
    }

    /// A small fact that must survive a restart: a stream reader's position, the test clock's lead.
    ///
    /// # Errors
    /// The file's.
    pub fn mark(&self, name: &str) -> rusqlite::Result<Option<String>> {
        let sql = "SELECT value FROM marks WHERE name = ?1";
        self.file().prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()
    }

    /// Remembers a fact.
    ///
    /// # Errors
    /// The file's.
    pub fn set_mark(&self, name: &str, value: &str) -> rusqlite::Result<()> {
        let sql = "INSERT INTO marks (name, value) VALUES (?1, ?2)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.file().prepare_cached(sql)?.execute(params![name, value])?;
        Ok(())
    }

    /// One queue, as the functions see it.
    pub fn writer(&self, queue: QueueName) -> Arc<dyn Queue> {
        Arc::new(Writer { queues: self.clone(), queue })
    }
}

struct Writer {
    queues: Queues,
    queue: QueueName,
}

#[async_trait]
impl Queue for Writer {
    async fn send(&self, body: String) -> Result<(), QueueError> {
        self.queues.send(self.queue, &body).map_err(|error| QueueError(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_hidden_while_handled_and_comes_again_when_it_fails() {
        let queues = Queues::open(None).unwrap();
        queues.send(QueueName::Payments, "one").unwrap();
        assert!(queues.receive(QueueName::Credits, 10, 0).unwrap().is_empty());
        let first = queues.receive(QueueName::Payments, 10, 0).unwrap().remove(0);
        assert!(queues.receive(QueueName::Payments, 10, 1000).unwrap().is_empty());
        queues.fail(&first, 1000).unwrap();
        assert!(queues.receive(QueueName::Payments, 10, 1050).unwrap().is_empty());
        let again = queues.receive(QueueName::Payments, 10, 1100).unwrap().remove(0);
        assert_eq!((again.body.as_str(), again.receives), ("one", 2));
        // A handler that died says nothing: the message comes back by itself.
        assert_eq!(queues.receive(QueueName::Payments, 10, 40_000).unwrap().len(), 1);
        queues.delete(&[again.id]).unwrap();
        assert_eq!(queues.depth(QueueName::Payments).unwrap(), Depth::default());
    }

    #[test]
    fn after_the_last_delivery_a_message_is_a_dead_letter_until_it_is_redriven() {
        let queues = Queues::open(None).unwrap();
        queues.send(QueueName::Payments, "poison").unwrap();
        let mut now = 0;
        for _ in 0..MAX_RECEIVES {
            let delivery = queues.receive(QueueName::Payments, 10, now).unwrap().remove(0);
            queues.fail(&delivery, now).unwrap();
            now += 60_000;
        }
        assert_eq!(queues.depth(QueueName::Payments).unwrap(), Depth { live: 0, dead: 1 });
        assert_eq!(queues.redrive().unwrap(), 1);
        assert_eq!(queues.receive(QueueName::Payments, 10, now).unwrap().remove(0).receives, 1);
    }

    #[test]
    fn messages_and_marks_survive_a_restart() {
        let folder = std::env::temp_dir().join(format!("guerdon-queue-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("queues.db");
        let queues = Queues::open(Some(&path)).unwrap();
        queues.send(QueueName::Credits, "kept").unwrap();
        queues.receive(QueueName::Credits, 10, 0).unwrap();
        queues.set_mark("projector", "17").unwrap();
        drop(queues);
        let queues = Queues::open(Some(&path)).unwrap();
        assert_eq!(queues.receive(QueueName::Credits, 10, 0).unwrap().remove(0).body, "kept");
        assert_eq!(queues.mark("projector").unwrap().as_deref(), Some("17"));
        drop(queues);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
