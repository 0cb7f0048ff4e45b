//! The use cases called directly, without HTTP, queues, stream or projections: a payment is recorded, its
//! commission booked, and released into the referrer's wallet.

mod audit;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, bail, ensure};
use guerdon_app::{
    commissions::settle_wallet,
    context::{App, SystemClock},
    entropy::OsEntropy,
    error::AppError,
    members::{Profile, Started, start_member},
    payments::{Recorded, record_payment},
    referrals::share_code,
};
use guerdon_domain::{ids::MemberId, payments::PaymentFacts, referrals::Code, settings::Preset};
use guerdon_engine::engine::Engine;
use guerdon_store::table::Store;
use tempfile::TempDir;

use crate::{
    Plan,
    compare::{Measured, System, hot_or_random, middle},
    cpu, people,
    report::{micros_since, now},
};

/// The moment at which commissions are released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settling {
    /// Once per referrer for all commissions so far, as the design does.
    Coalesced,
    /// After every payment, as PostgreSQL does here.
    Strict,
}

/// The engine's storage of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    Memory,
    Synced,
}

impl Disk {
    /// The moment at which a commit is answered.
    const fn word(self) -> &'static str {
        match self {
            Self::Memory => "in memory",
            Self::Synced => "synced",
        }
    }
}

/// A business on an engine of its own, in which all members have joined.
struct Business {
    app: App,
    referrers: Vec<MemberId>,
    /// The payment of each referee, with their referrer.
    payments: Vec<(PaymentFacts, MemberId)>,
    _folder: TempDir,
}

/// Measures in memory and on a file, settled together and one by one.
pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<System>> {
    let variants = [
        ("use cases in memory, coalesced", Disk::Memory, Settling::Coalesced),
        ("use cases in memory, each settled", Disk::Memory, Settling::Strict),
        ("use cases on file, coalesced", Disk::Synced, Settling::Coalesced),
        ("use cases on file, each settled", Disk::Synced, Settling::Strict),
    ];
    let mut systems = Vec::new();
    for (name, disk, settling) in variants {
        let mut both = Vec::new();
        for referrers in [plan.referrers, 1] {
            let what = format!("{name}, {}", hot_or_random(referrers));
            let mut measured = Vec::new();
            for _ in 0..plan.rounds {
                let round = round(plan, referrers, disk, settling).await;
                measured.push(round.with_context(|| what.clone())?);
            }
            eprintln!("{what}: the money adds up");
            both.push(middle(measured)?);
        }
        let (hot, random) = (both.pop().context("not run")?, both.pop().context("not run")?);
        systems.push(System { name, disk: disk.word(), random, hot });
    }
    Ok(systems)
}

async fn round(plan: &Plan, referrers: u64, disk: Disk, settling: Settling) -> anyhow::Result<Measured> {
    let business = Business::open(plan, referrers, disk).await?;
    let cpu_before = cpu::of_this()?;
    let start = now();
    business.pay(plan, settling).await?;
    let (micros, server_cpu_micros) = (micros_since(start), cpu::of_this()? - cpu_before);
    for (facts, _) in business.payments.iter().take(10) {
        let again = record_payment(&business.app, facts).await?;
        ensure!(matches!(again, Recorded::AlreadyApplied(_)), "{} again: {again:?}", facts.key);
    }
    audit::money(&business).await.context("THE MONEY DOES NOT ADD UP")?;
    Ok(Measured { payments: plan.payments, micros, server_cpu_micros, client_cpu_micros: 0 })
}

impl Business {
    async fn open(plan: &Plan, referrers: u64, disk: Disk) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let file = folder.path().join("table");
        let engine = match disk {
            Disk::Memory => Engine::memory()?,
            Disk::Synced => Engine::file(&file)?,
        };
        let store = Store::new(engine.client(), "guerdon");
        store.create_table().await?;
        let app = App::new(
            store,
            Arc::new(SystemClock::default()),
            Arc::new(OsEntropy),
            Arc::new(Preset::builtin("bitten")?),
            people::pseudonym_key()?,
        );
        let mut business = Self { app, referrers: Vec::new(), payments: Vec::new(), _folder: folder };
        business.join(plan, referrers).await?;
        Ok(business)
    }

    async fn join(&mut self, plan: &Plan, referrers: u64) -> anyhow::Result<()> {
        let mut codes = Vec::new();
        for referrer in people::referrers(referrers) {
            let id = people::member(&self.app.pseudonyms, referrer)?;
            start(&self.app, referrer, None).await?;
            codes.push(share_code(&self.app, &id).await?.code);
            self.referrers.push(id);
        }
        let mut joining = Vec::new();
        for referee in people::referees(plan.payments) {
            let pick = people::pick(referee, codes.len());
            joining.push((referee, codes[pick].clone(), self.referrers[pick].clone()));
        }
        let app = self.app.clone();
        people::share(workers(plan)?, joining.clone(), move |(), (referee, code, _)| {
            let app = app.clone();
            async move { start(&app, referee, Some(&code)).await }
        })
        .await?;
        for (referee, _, referrer) in joining {
            let member = people::member(&self.app.pseudonyms, referee)?;
            self.payments.push((people::payment(referee, member)?, referrer));
        }
        Ok(())
    }

    /// Runs the payments of all referees, until every commission is released.
    async fn pay(&self, plan: &Plan, settling: Settling) -> anyhow::Result<()> {
        let waiting: Arc<Mutex<BTreeSet<MemberId>>> = Arc::default();
        let paid = Arc::new(AtomicU64::new(0));
        let (app, shared, every) = (self.app.clone(), waiting.clone(), plan.settle_every);
        people::share(workers(plan)?, self.payments.clone(), move |(), (facts, referrer)| {
            let (app, waiting, paid) = (app.clone(), shared.clone(), paid.clone());
            async move {
                let recorded = record_payment(&app, &facts).await?;
                ensure!(matches!(recorded, Recorded::Applied(_)), "{}: {recorded:?}", facts.key);
                if settling == Settling::Strict {
                    return settle(&app, &referrer).await;
                }
                waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(referrer);
                if (paid.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(every) {
                    for referrer in taken(&waiting) {
                        settle(&app, &referrer).await?;
                    }
                }
                Ok(())
            }
        })
        .await?;
        let app = self.app.clone();
        people::share(workers(plan)?, taken(&waiting), move |(), referrer| {
            let app = app.clone();
            async move { settle(&app, &referrer).await }
        })
        .await
    }
}

fn workers(plan: &Plan) -> anyhow::Result<Vec<()>> {
    Ok(vec![(); usize::try_from(plan.concurrency)?])
}

fn taken(waiting: &Mutex<BTreeSet<MemberId>>) -> Vec<MemberId> {
    std::mem::take(&mut *waiting.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
}

async fn start(app: &App, user: u64, code: Option<&Code>) -> anyhow::Result<()> {
    let profile = Profile {
        telegram_id: people::telegram_id(user)?,
        first_name: format!("User{user}"),
        last_name: None,
        username: None,
        language: Some("en".to_owned()),
    };
    let started = start_member(app, &profile, code, i64::try_from(user)?).await?;
    ensure!(matches!(started, Started::Joined { .. }), "{started:?}");
    Ok(())
}

/// Retries like a queue: a settlement that met a conflict is delivered again.
async fn settle(app: &App, referrer: &MemberId) -> anyhow::Result<()> {
    for _ in 0..1000 {
        match settle_wallet(app, referrer).await {
            Ok(settled) if !settled.unfinished => return Ok(()),
            Ok(_) | Err(AppError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bail!("a referrer cannot be settled")
}
