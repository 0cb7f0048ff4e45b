//! One run, from its seed to its outcome.

use std::{collections::BTreeMap, rc::Rc, sync::Arc};

use guerdon_app::context::Clock;
use guerdon_engine::engine::Engine;
use guerdon_store::table::Store;

use crate::{
    actors,
    clock::{self, VirtualClock},
    net::Traced,
    rates,
    requests::TABLE,
    rest,
    run::Run,
    world::World,
};

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The violation, if there was one.
    pub violation: Option<String>,
    /// Trace and counts of the run.
    pub traced: Traced,
    /// The part of the final state that must not depend on the schedule.
    pub economy: BTreeMap<String, i64>,
}

/// Runs one run.
///
/// # Panics
/// Panics if the engine cannot be opened.
pub fn play(run: Run) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    #[expect(clippy::expect_used, reason = "nothing works without a runtime")]
    let runtime = runtime.expect("a runtime");
    // The jitter of backon and of the SDK uses this generator.
    fastrand::seed(run.schedule.unwrap_or(run.seed));
    runtime.block_on(tokio::task::LocalSet::new().run_until(play_inside(run)))
}

async fn play_inside(run: Run) -> Outcome {
    clock::start();
    // Any other engine with the same interface can be used here.
    let engine = Engine::memory_at(Arc::new(|| VirtualClock.now().seconds()));
    #[expect(clippy::expect_used, reason = "nothing works without a table")]
    Store::new(engine.client(), TABLE).create_table().await.expect("a table");
    let calm = Store::new(engine.client(), TABLE);
    let world = Rc::new(World::new(run, engine));
    rates::watch_only(&world, calm).await;
    let mut economy = BTreeMap::new();
    tokio::select! {
        biased;
        () = world.net.violated() => {}
        () = async {
            actors::run(&world).await;
            match rest::check(&world).await {
                Ok(found) => economy = found,
                Err(violation) => world.net.violate(format!("at rest: {violation}")),
            }
        } => {}
    }
    Outcome { violation: world.net.violation(), traced: world.net.traced(), economy }
}
