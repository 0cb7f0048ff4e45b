//! Running actors: each is called again until it is done.

use std::{rc::Rc, time::Duration};

use guerdon_app::{error::AppError, withdrawals::WithdrawalError};

use crate::{clock::elapsed_millis, net::Mortal, world::World};

/// Reasons why an actor is not done.
pub enum Undone {
    /// It must try again.
    Again,
    /// It can never finish: a violation.
    Never(String),
}

/// Result of an actor.
pub type Done = Result<(), Undone>;

impl From<AppError> for Undone {
    fn from(error: AppError) -> Self {
        if error.retryable() { Self::Again } else { Self::Never(format!("a use case gave up: {error}")) }
    }
}

impl From<WithdrawalError> for Undone {
    fn from(error: WithdrawalError) -> Self {
        match error {
            WithdrawalError::App(error) => error.into(),
            refused => Self::Never(format!("unexpectedly refused: {refused}")),
        }
    }
}

struct Open(Rc<World>);

impl Drop for Open {
    fn drop(&mut self) {
        let tasks = &self.0.tasks;
        tasks.open.set(tasks.open.get() - 1);
        if std::thread::panicking() {
            self.0.net.violate("an actor panicked");
        }
        if tasks.open.get() == 0 {
            tasks.idle.notify_one();
        }
    }
}

/// Starts an actor at a time: `act` is called until it is done, with crashes and pauses in between.
pub fn spawn<A, F>(world: &Rc<World>, name: String, at: u64, act: A)
where
    A: Fn(Rc<World>) -> F + 'static,
    F: Future<Output = Done> + 'static,
{
    world.tasks.open.set(world.tasks.open.get() + 1);
    let (open, world) = (Open(world.clone()), world.clone());
    tokio::task::spawn_local(async move {
        let _open = open;
        tokio::time::sleep(Duration::from_millis(at.saturating_sub(elapsed_millis()))).await;
        until_done(&world, &name, act).await;
    });
}

/// Calls `act` until it is done.
pub async fn until_done<A, F>(world: &Rc<World>, name: &str, act: A)
where
    A: Fn(Rc<World>) -> F,
    F: Future<Output = Done>,
{
    for tries in 0..80 {
        match Mortal::new(name, tries > 12, act(world.clone())).await {
            Some(Ok(())) => return,
            Some(Err(Undone::Never(why))) => return world.net.violate(format!("{name}: {why}")),
            Some(Err(Undone::Again)) | None => {}
        }
        // The message is delivered again: at once, or after the request token has expired.
        let most = [100, 30_000, 30_000, 1_500_000][world.net.draw(4) as usize];
        tokio::time::sleep(Duration::from_millis(world.net.draw(most))).await;
    }
    world.net.violate(format!("{name}: never done"));
}
