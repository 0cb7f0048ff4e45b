//! The change stream: shards that are read in order and in batches, each batch at least once, sometimes again from an
//! earlier position.

use std::{cell::Cell, rc::Rc, time::Duration};

use guerdon_app::statistics::{PROJECTED, project};
use guerdon_engine::stream::StreamPosition;
use guerdon_store::changes::Change;
use serde_json::Value;

use crate::{
    requests::TABLE,
    tasks::{Undone, until_done},
    world::{SHARDS, World},
};

/// Starts the projector of each shard.
pub fn start(world: &Rc<World>) {
    for shard in 0..SHARDS {
        let world = world.clone();
        tokio::task::spawn_local(async move { follow(&world, shard).await });
    }
}

async fn follow(world: &Rc<World>, shard: u32) {
    let mut checkpoints = vec![StreamPosition::default()];
    loop {
        let before = checkpoints.last().cloned().unwrap_or_default();
        let next_commit = world.net.next_commit();
        let (position, changes) = next(world, shard, before.clone());
        if position == before {
            world.readers.0[shard as usize].set(true);
            next_commit.await;
            world.readers.0[shard as usize].set(false);
        } else {
            let changes = Rc::new(changes);
            until_done(world, &format!("project {shard}"), |world| take(world, shard, changes.clone())).await;
            checkpoints.push(position);
        }
        if world.net.is_calm() {
            continue;
        }
        // The reader's position was not saved: some batches are read again.
        if world.net.draw(12) == 0 {
            let kept = checkpoints.len().saturating_sub(1 + world.net.draw(3) as usize).max(1);
            checkpoints.truncate(kept);
        }
        let lag = if world.net.draw(12) == 0 { 900_000 } else { 15_000 };
        tokio::time::sleep(Duration::from_millis(world.net.draw(lag))).await;
    }
}

/// Waits until every shard is read to its end.
pub async fn settled(world: &World) {
    loop {
        tokio::time::sleep(Duration::from_secs(1000)).await;
        if world.readers.0.iter().all(Cell::get) {
            return;
        }
    }
}

async fn take(world: Rc<World>, shard: u32, changes: Rc<Vec<Change>>) -> Result<(), Undone> {
    project(world.app(), &format!("shard-{shard}"), &changes).await?;
    Ok(())
}

/// Projects the whole stream once more: the guards must drop what was counted.
///
/// # Errors
/// The reason why that is not possible.
pub async fn again(world: &Rc<World>) -> Result<(), String> {
    for shard in 0..SHARDS {
        let mut position = StreamPosition::default();
        loop {
            let before = position.clone();
            let (after, changes) = next(world, shard, position);
            position = after;
            if position == before {
                break;
            }
            project(&world.apps[0], &format!("shard-{shard}"), &changes).await.map_err(|e| e.to_string())?;
        }
    }
    Ok(())
}

/// Reads the next changes of a shard, and the position after them.
fn next(world: &World, shard: u32, position: StreamPosition) -> (StreamPosition, Vec<Change>) {
    let limit = 1 + world.net.draw(60) as usize;
    let Ok(page) = world.net.engine.read_stream(TABLE, &position, limit) else {
        world.net.violate("the stream cannot be read");
        return (position, Vec::new());
    };
    let changes = page.records.iter().filter(|record| shard_of(record) == shard && is_projected(record));
    (page.position, changes.filter_map(change).collect())
}

/// The shard of an item: all changes of an item go to one shard.
fn shard_of(record: &Value) -> u32 {
    let pk = record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap_or_default();
    pk.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % SHARDS
}

/// The trigger's filter.
fn is_projected(record: &Value) -> bool {
    let kind = record["dynamodb"]["NewImage"]["type"]["S"].as_str();
    kind.is_some_and(|kind| PROJECTED.contains(&kind))
}

fn change(record: &Value) -> Option<Change> {
    let image = |name: &str| {
        let image = record["dynamodb"].get(name).filter(|image| !image.is_null())?;
        serde_json::from_value(image.clone()).ok()
    };
    let sequence = record["dynamodb"]["SequenceNumber"].as_str()?;
    Change::from_images(sequence, image("OldImage"), image("NewImage")).ok()
}
