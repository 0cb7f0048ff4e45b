//! The people and payments of a run, and the distribution of work: the same for every system that is measured.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use guerdon_app::context::{Clock, SystemClock};
use guerdon_domain::{
    ids::{ExternalPaymentId, MemberId, PaymentKey, Rail, TelegramId},
    members::PseudonymKey,
    money::{Currency, Money},
    payments::PaymentFacts,
    time::Timestamp,
};
use tokio::task::JoinSet;

/// Amount of a referee's first payment, in cents.
pub(crate) const PAID: i64 = 3900;
/// Reward of the referrer, in cents.
pub(crate) const REWARD: i64 = 1000;

const FIRST_REFERRER: u64 = 1_000_000;
const FIRST_REFEREE: u64 = 2_000_000;

/// Telegram ids of the referrers.
pub(crate) fn referrers(count: u64) -> Vec<u64> {
    (FIRST_REFERRER..FIRST_REFERRER + count).collect()
}

/// Telegram ids of those who pay, each once.
pub(crate) fn referees(count: u64) -> impl Iterator<Item = u64> {
    FIRST_REFEREE..FIRST_REFEREE + count
}

/// Chooses the one of `referrers` who has brought `referee`, the same one in every run.
pub(crate) fn pick(referee: u64, referrers: usize) -> usize {
    usize::try_from(mix(referee)).unwrap_or_default() % referrers
}

/// SplitMix64.
const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The key of the pseudonyms.
pub(crate) fn pseudonym_key() -> anyhow::Result<PseudonymKey> {
    Ok(PseudonymKey::try_new(vec![7; 32])?)
}

/// A Telegram user's pseudonym.
pub(crate) fn member(key: &PseudonymKey, user: u64) -> anyhow::Result<MemberId> {
    Ok(MemberId::derive(key, telegram_id(user)?))
}

/// A Telegram user's id.
pub(crate) fn telegram_id(user: u64) -> anyhow::Result<TelegramId> {
    Ok(TelegramId::try_new(i64::try_from(user)?)?)
}

/// The machine's time.
pub(crate) fn time() -> Timestamp {
    SystemClock::default().now()
}

/// The first payment of `referee`, settled now.
pub(crate) fn payment(referee: u64, member: MemberId) -> anyhow::Result<PaymentFacts> {
    let key = PaymentKey { rail: Rail::Stripe, id: ExternalPaymentId::parse(format!("in_{referee}"))? };
    Ok(PaymentFacts::purchase(key, member, Money::new(PAID, Currency::USD), time()))
}

/// Runs `work` for each of `jobs`: every worker takes the next one as soon as it is free.
pub(crate) async fn share<R, J, W, F>(workers: Vec<R>, jobs: Vec<J>, work: W) -> anyhow::Result<()>
where
    R: Clone + Send + Sync + 'static,
    J: Clone + Send + Sync + 'static,
    W: Fn(R, J) -> F + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let (jobs, work, next) = (Arc::new(jobs), Arc::new(work), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for worker in workers {
        let (jobs, work, next) = (jobs.clone(), work.clone(), next.clone());
        tasks.spawn(async move {
            while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                work(worker.clone(), job.clone()).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(())
}
