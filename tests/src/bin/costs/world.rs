//! A business in memory whose table is metered.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering},
};

use anyhow::{Context, ensure};
use async_trait::async_trait;
use guerdon_app::{
    bill_credit::{BalanceError, CustomerBalance, note_billing},
    context::{App, FixedClock, MovableClock},
    entropy::OsEntropy,
    members::{Profile, Started, start_member},
    payments::{link_customer, record_payment},
    referrals::share_code,
    statistics::project,
};
use guerdon_domain::{
    bill_credit::{BillingReport, SubscriptionState},
    ids::{CustomerId, ExternalPaymentId, MemberId, PaymentKey, PostingId, Rail, TelegramId},
    members::PseudonymKey,
    money::{Currency, Money},
    payments::PaymentFacts,
    referrals::Code,
    settings::Preset,
    time::Timestamp,
};
use guerdon_engine::{engine::Engine, stream::StreamPosition};
use guerdon_runtime::stream::{StreamEvent, changes};
use guerdon_store::table::{Cost, Meter, Store};
use serde_json::json;

const TABLE: &str = "guerdon";
/// 2026-11-21T09:30:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_795_253_400);

pub(crate) struct World {
    pub(crate) app: App,
    pub(crate) stripe: ForgetfulStripe,
    clock: Arc<FixedClock>,
    meter: Arc<Meter>,
    engine: Engine,
    updates: AtomicI64,
    read_to: std::sync::Mutex<StreamPosition>,
}

impl World {
    /// Makes a business with the built-in preset of this name.
    pub(crate) async fn of(preset: &str) -> anyhow::Result<Self> {
        let engine = Engine::memory()?;
        let meter = Arc::new(Meter::default());
        let store = Store::new(engine.client(), TABLE).with_meter(meter.clone());
        store.create_table().await?;
        let clock = Arc::new(FixedClock::new(NOW));
        let app = App::new(
            store,
            clock.clone(),
            Arc::new(OsEntropy),
            Arc::new(Preset::builtin(preset)?),
            PseudonymKey::try_new(vec![7; 32])?,
        );
        let stripe = ForgetfulStripe::default();
        let updates = AtomicI64::new(1);
        Ok(Self { app, stripe, clock, meter, engine, updates, read_to: Default::default() })
    }

    /// Moves the clock.
    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(seconds);
    }

    /// Measures the cost of `work`.
    pub(crate) async fn cost<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<Cost> {
        self.meter.reset();
        work.await?;
        let mut total = Cost::default();
        for cost in self.meter.snapshot().values() {
            total.requests += cost.requests;
            total.transactions += cost.transactions;
            total.read_tenths += cost.read_tenths;
            total.write_tenths += cost.write_tenths;
        }
        Ok(total)
    }

    pub(crate) fn id(&self, user: i64) -> anyhow::Result<MemberId> {
        Ok(self.app.member_id(telegram_id(user)?))
    }

    pub(crate) async fn start(&self, user: i64, code: Option<&Code>) -> anyhow::Result<()> {
        let update = self.updates.fetch_add(1, Ordering::SeqCst);
        let profile = Profile {
            telegram_id: telegram_id(user)?,
            first_name: format!("User{user}"),
            last_name: None,
            username: None,
            language: Some("en".to_owned()),
        };
        let started = start_member(&self.app, &profile, code, update).await?;
        ensure!(matches!(started, Started::Joined { .. }), "{started:?}");
        Ok(())
    }

    pub(crate) async fn code(&self, user: i64) -> anyhow::Result<Code> {
        Ok(share_code(&self.app, &self.id(user)?).await?.code)
    }

    /// Makes `user` pay an invoice of $39.
    pub(crate) async fn pay(&self, user: i64, invoice: &str) -> anyhow::Result<()> {
        self.pay_of(user, invoice, usd(3900)).await
    }

    /// Makes `user` pay an invoice.
    pub(crate) async fn pay_of(&self, user: i64, invoice: &str, paid: Money) -> anyhow::Result<()> {
        let facts = PaymentFacts::purchase(payment_key(invoice)?, self.id(user)?, paid, self.app.now());
        record_payment(&self.app, &facts).await?;
        Ok(())
    }

    /// Makes `referrer`, a member, bring `referees`, each of whom pays.
    pub(crate) async fn convert(&self, referrer: i64, referees: std::ops::Range<i64>) -> anyhow::Result<()> {
        let code = self.code(referrer).await?;
        for referee in referees {
            self.start(referee, Some(&code)).await?;
            self.pay(referee, &format!("in_{referee}")).await?;
        }
        Ok(())
    }

    pub(crate) async fn link(&self, user: i64) -> anyhow::Result<()> {
        let customer = CustomerId::parse(format!("cus_{user}"))?;
        link_customer(&self.app, &customer, telegram_id(user)?, &[]).await?;
        Ok(())
    }

    /// Notes a paid bill of the user's subscription, as each invoice does.
    pub(crate) async fn bill(&self, user: i64) -> anyhow::Result<()> {
        let (customer, at) = (CustomerId::parse(format!("cus_{user}"))?, self.app.now());
        let subscription = format!("sub_{user}");
        let live = BillingReport::Subscribed { subscription, state: SubscriptionState::Live, at };
        let reports = [BillingReport::Billed { at }, live];
        let member = self.app.member_id(telegram_id(user)?);
        Ok(note_billing(&self.app, &member, &customer, &reports).await?)
    }

    /// Passes the new records of the stream to the projector, in batches of up to `batch`, until there are none.
    pub(crate) async fn project(&self, batch: usize) -> anyhow::Result<()> {
        loop {
            let Some(event) = self.stream(batch)? else { return Ok(()) };
            let (changes, unreadable) = changes(&event);
            ensure!(unreadable.is_none(), "a stream record is unreadable");
            project(&self.app, event.shard_id.as_deref().unwrap_or("shard"), &changes).await?;
        }
    }

    fn stream(&self, limit: usize) -> anyhow::Result<Option<StreamEvent>> {
        let mut read_to = self.read_to.lock().ok().context("a reader of the stream died")?;
        let page = self.engine.read_stream(TABLE, &read_to, limit)?;
        if page.records.is_empty() {
            return Ok(None);
        }
        *read_to = page.position;
        let event = json!({ "Records": page.records, "shardId": page.shard_id });
        Ok(Some(serde_json::from_value(event)?))
    }
}

pub(crate) const fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

pub(crate) fn payment_key(invoice: &str) -> anyhow::Result<PaymentKey> {
    Ok(PaymentKey { rail: Rail::Stripe, id: ExternalPaymentId::parse(invoice)? })
}

pub(crate) fn telegram_id(user: i64) -> anyhow::Result<TelegramId> {
    Ok(TelegramId::try_new(user)?)
}

/// A stand-in that accepts every credit; the answer to the first call is lost.
#[derive(Default)]
pub(crate) struct ForgetfulStripe {
    called: AtomicBool,
}

#[async_trait]
impl CustomerBalance for ForgetfulStripe {
    async fn add_credit(&self, _: &CustomerId, _: Money, _: &PostingId) -> Result<String, BalanceError> {
        if self.called.swap(true, Ordering::SeqCst) {
            return Ok("cbtxn_2".to_owned());
        }
        Err(BalanceError::Unknown("lost".to_owned()))
    }

    async fn find_credit(
        &self,
        _: &CustomerId,
        _: &PostingId,
        _: Timestamp,
    ) -> Result<Option<String>, BalanceError> {
        Ok(self.called.load(Ordering::SeqCst).then(|| "cbtxn_1".to_owned()))
    }
}
