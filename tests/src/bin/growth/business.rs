//! A business of any size, loaded through the use cases and the projector.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::ensure;
use axum::Router;
use guerdon_api::gate::{Gate, Limits};
use guerdon_app::{
    commissions::settle_wallet,
    context::{App, FixedClock, MovableClock},
    entropy::OsEntropy,
    members::{Profile, start_member},
    payments::{OrderRequest, create_order, pay_order, record_payment},
    referrals::share_code,
    statistics::project,
    withdrawals::request_withdrawal,
};
use guerdon_domain::{
    ids::{ExternalPaymentId, PaymentKey, Rail, TelegramId},
    members::PseudonymKey,
    money::{Currency, Money},
    payments::{PaymentFacts, PaymentMethod},
    referrals::Code,
    settings::Preset,
    time::Timestamp,
    withdrawals::PayoutMethod,
};
use guerdon_engine::{engine::Engine, stream::StreamPosition};
use guerdon_runtime::{
    secrets::{Secret, Secrets},
    stream::{StreamEvent, changes},
};
use guerdon_store::table::{Meter, Store};
use guerdon_telegram::username::BotUsername;
use serde_json::json;
use tempfile::TempDir;

const TABLE: &str = "guerdon";
/// The operators' token.
pub(crate) const TOKEN: &str = "token-of-the-growth-bench";
/// The member who brought half of all others.
pub(crate) const POPULAR: i64 = 1;
/// Number of changes in a batch of the projector, as in the trigger.
const BATCH: usize = 1000;

pub(crate) struct Business {
    pub(crate) meter: Arc<Meter>,
    pub(crate) operators: Router,
    pub(crate) members: Router,
    app: App,
    clock: Arc<FixedClock>,
    engine: Engine,
    folder: TempDir,
}

/// The database's file in the business's folder.
const FILE: &str = "table.db";

/// The path is member-api's.
pub(crate) fn is_members(path: &str) -> bool {
    guerdon_local::gateway::MEMBER_PATHS.iter().any(|known| known.ends_with('/') && path.starts_with(known))
}

impl Business {
    /// Makes `members`, one in ten of whom refers others, and their `payments`, spread over about a month: a step takes
    /// whole seconds.
    pub(crate) async fn load(members: usize, payments: usize) -> anyhow::Result<Self> {
        let business = Self::empty().await?;
        let written = Arc::new(AtomicBool::new(false));
        let projected =
            tokio::spawn(project_all(business.app.clone(), business.engine.clone(), written.clone()));
        business.fill(members, payments).await?;
        written.store(true, Ordering::Release);
        projected.await??;
        Ok(business)
    }

    async fn fill(&self, members: usize, payments: usize) -> anyhow::Result<()> {
        let mut lots = fastrand::Rng::with_seed(20_261_121);
        let mut codes: Vec<Code> = Vec::new();
        let steps = (members + payments).max(1);
        let second = i64::try_from((30 * 86_400_usize).div_ceil(steps))?;
        let last = i64::try_from(members)?;
        for member in 1..=last {
            // The popular member brings half of all members, others bring a third, and the rest join without a link.
            let code = match lots.u32(0..6) {
                0..3 => codes.first(),
                3..5 if !codes.is_empty() => codes.get(lots.usize(0..codes.len())),
                _ => None,
            };
            self.join(member, code.cloned().as_ref()).await?;
            if member % 10 == 1 {
                let id = self.app.member_id(TelegramId::try_new(member)?);
                codes.push(share_code(&self.app, &id).await?.code);
            }
            self.clock.advance(second);
        }
        for payment in 0..payments {
            let member = lots.i64(1..=last);
            if payment % 20 == 0 {
                self.order(member, payment).await?;
            } else {
                self.pay(member, payment).await?;
            }
            self.clock.advance(second);
        }
        self.withdraw(last).await
    }

    /// Closes the database and opens it again: the time until it answers a read, and its size in bytes.
    pub(crate) async fn reopen(self) -> anyhow::Result<(Duration, u64)> {
        let Self { folder, engine, app, meter, operators, members, clock } = self;
        drop((engine, app, meter, operators, members, clock));
        let path = folder.path().join(FILE);
        let bytes = std::fs::metadata(&path)?.len();
        let begun = Instant::now();
        let engine = Engine::file(&path)?;
        let page = engine.client().scan().table_name(TABLE).limit(1).send().await?;
        let time = begun.elapsed();
        ensure!(page.count() == 1, "nothing is left");
        Ok((time, bytes))
    }

    async fn empty() -> anyhow::Result<Self> {
        // 2026-11-01T00:00:00Z.
        let clock = Arc::new(FixedClock::new(Timestamp::from_seconds(1_793_491_200)));
        let folder = TempDir::new()?;
        let engine = Engine::file(&folder.path().join(FILE))?;
        let meter = Arc::new(Meter::default());
        let store = Store::new(engine.client(), TABLE).with_meter(meter.clone());
        store.create_table().await?;
        let app = App::new(
            store,
            clock.clone(),
            Arc::new(OsEntropy),
            Arc::new(Preset::builtin("ott")?),
            PseudonymKey::try_new(vec![7; 32])?,
        );
        let most = 1_000_000_000;
        let gate = Gate {
            app: app.clone(),
            secrets: Secrets::given([(Secret::AdminToken, TOKEN.to_owned())]),
            limits: Limits { operator: most, service: most, member: most },
            origins: Vec::new(),
        };
        let members = member_api::routes::router(gate.clone(), BotUsername::parse("growth_bench_bot")?);
        let operators = admin_api::routes::router(admin_api::state::Api { gate, super_admin: None });
        Ok(Self { meter, operators, members, app, clock, engine, folder })
    }

    async fn join(&self, member: i64, code: Option<&Code>) -> anyhow::Result<()> {
        let profile = Profile {
            telegram_id: TelegramId::try_new(member)?,
            first_name: format!("User{member}"),
            last_name: None,
            username: None,
            language: None,
        };
        start_member(&self.app, &profile, code, member).await?;
        Ok(())
    }

    async fn pay(&self, member: i64, payment: usize) -> anyhow::Result<()> {
        let id = self.app.member_id(TelegramId::try_new(member)?);
        let key = PaymentKey { rail: Rail::Stripe, id: ExternalPaymentId::parse(format!("in_{payment}"))? };
        let paid = Money::new(13_500, Currency::parse("INR")?);
        record_payment(&self.app, &PaymentFacts::purchase(key, id, paid, self.app.now())).await?;
        Ok(())
    }

    async fn order(&self, member: i64, payment: usize) -> anyhow::Result<()> {
        let request = OrderRequest {
            member: self.app.member_id(TelegramId::try_new(member)?),
            product: None,
            price: None,
            method: PaymentMethod::Upi,
            transaction: Some(ExternalPaymentId::parse(format!("T-{payment}"))?),
            payer: None,
            payout: None,
            key: None,
            service: "growth".into(),
        };
        let order = create_order(&self.app, &request).await?;
        if !payment.is_multiple_of(3) {
            pay_order(&self.app, &order.id, None, &"growth".into()).await?;
        }
        Ok(())
    }

    /// Settles one referrer in fifty, who then asks for a withdrawal.
    async fn withdraw(&self, last: i64) -> anyhow::Result<()> {
        self.clock.advance(86_400);
        for member in (1..=last).step_by(500) {
            let id = self.app.member_id(TelegramId::try_new(member)?);
            settle_wallet(&self.app, &id).await?;
            let amount = Money::new(50_000, Currency::parse("INR")?);
            let way = (PayoutMethod::Upi, "user@bank");
            // Most have not earned enough.
            let asked = request_withdrawal(&self.app, &id, amount, way, "growth").await;
            ensure!(member != POPULAR || asked.is_ok(), "the popular one has earned enough: {asked:?}");
        }
        Ok(())
    }
}

/// Projects the stream: full batches until everything is written, and then the rest.
async fn project_all(app: App, engine: Engine, written: Arc<AtomicBool>) -> anyhow::Result<()> {
    let mut read_to = StreamPosition::default();
    loop {
        let last = written.load(Ordering::Acquire);
        let page = engine.read_stream(TABLE, &read_to, BATCH)?;
        if page.records.len() < BATCH && !last {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        if page.records.is_empty() {
            return Ok(());
        }
        read_to = page.position;
        engine.forget_read(TABLE, &read_to)?;
        let event = json!({ "Records": page.records, "shardId": page.shard_id });
        let event: StreamEvent = serde_json::from_value(event)?;
        let (changes, unreadable) = changes(&event);
        ensure!(unreadable.is_none(), "a stream record is unreadable");
        project(&app, event.shard_id.as_deref().unwrap_or("shard"), &changes).await?;
    }
}
