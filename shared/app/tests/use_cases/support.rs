//! A business in memory: the real use cases over the real store, with everything around them made up.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use guerdon_app::{
    bill_credit::{BalanceError, CustomerBalance, Posted, post_bill_credit},
    commissions::settle_wallet,
    context::{App, FixedClock, MovableClock},
    entropy::{Entropy, EntropyError},
    error::AppError,
    events::{DomainEvent, event_of},
    members::{Profile, Started, start_member},
    payments::{Linked, Recorded, link_customer, record_payment},
    referrals::share_code,
    statistics::project,
};
use guerdon_domain::{
    commissions::Commission,
    ids::{CustomerId, ExternalPaymentId, MemberId, PaymentKey, PostingId, Rail, TelegramId},
    members::PseudonymKey,
    money::{Currency, Money},
    payments::PaymentFacts,
    referrals::Code,
    settings::Preset,
    time::Timestamp,
    wallets::{Wallet, WalletKind, verify_statement},
};
use guerdon_engine::{
    connector::{Fault, Faults},
    engine::Engine,
    stream::StreamPosition,
};
use guerdon_store::{
    changes::Change,
    table::{Cost, Meter, Store},
};

pub const BITTEN: &str = include_str!("../../../domain/presets/bitten.toml");
pub const TABLE: &str = "guerdon";
/// The message that posts credit, unless a test says otherwise.
pub const CLAIMANT: &str = "message-1";
/// 2026-11-21T09:30:00Z, a Saturday.
pub const NOW: Timestamp = Timestamp::from_seconds(1_795_253_400);
pub const HOUR: i64 = 3600;
pub const DAY: i64 = 24 * HOUR;

pub fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

pub fn tid(id: i64) -> TelegramId {
    TelegramId::try_new(id).unwrap()
}

/// The business under test.
pub struct Business {
    pub app: App,
    clock: Arc<FixedClock>,
    pub meter: Arc<Meter>,
    pub engine: Engine,
    pub stripe: FakeStripe,
    faults: Arc<Switch>,
    updates: AtomicI64,
    position: Mutex<StreamPosition>,
}

/// The `bitten` business, opened at [`NOW`].
pub async fn bitten() -> Business {
    Business::open(BITTEN).await
}

/// The same, but commissions are held for `seconds`.
pub async fn bitten_with_hold(seconds: i64) -> Business {
    Business::open(&BITTEN.replace("hold_seconds = 0", &format!("hold_seconds = {seconds}"))).await
}

impl Business {
    pub async fn open(preset: &str) -> Self {
        let engine = Engine::memory().unwrap();
        Store::new(engine.client(), TABLE).create_table().await.unwrap();
        let faults = Arc::new(Switch::default());
        let meter = Arc::new(Meter::default());
        let clock = Arc::new(FixedClock::new(NOW));
        let store = Store::new(engine.client_with_faults(faults.clone()), TABLE).with_meter(meter.clone());
        let app = App::new(
            store,
            clock.clone(),
            Arc::new(Counted(AtomicU64::new(1))),
            Arc::new(Preset::parse(preset).unwrap()),
            PseudonymKey::try_new(vec![7; 32]).unwrap(),
        );
        let position = Mutex::default();
        let stripe = FakeStripe::default();
        Self { app, clock, meter, engine, stripe, faults, updates: AtomicI64::new(1), position }
    }

    /// From now on the table's requests go through `faults`.
    pub fn break_with(&self, faults: Arc<dyn Faults>) {
        *self.faults.0.lock().unwrap() = Some(faults);
    }

    /// Time passes.
    pub fn advance(&self, seconds: i64) {
        self.clock.advance(seconds);
    }

    /// The table works again.
    pub fn mend(&self) {
        *self.faults.0.lock().unwrap() = None;
    }

    /// The next `racers` transactions wait for each other before the first of them is committed.
    pub fn race(&self, racers: usize) {
        self.break_with(Arc::new(Gate { expected: racers, ..Gate::default() }));
    }

    pub fn id(&self, user: i64) -> MemberId {
        self.app.member_id(tid(user))
    }

    pub async fn try_start(&self, user: i64, code: Option<&Code>, update: i64) -> Result<Started, AppError> {
        start_member(&self.app, &profile(user), code, update).await
    }

    pub async fn start(&self, user: i64, code: Option<&Code>) -> Started {
        let update = self.updates.fetch_add(1, Ordering::SeqCst);
        self.try_start(user, code, update).await.unwrap()
    }

    pub async fn join(&self, user: i64) -> MemberId {
        assert_eq!(self.start(user, None).await, Started::Joined { referrer: None });
        self.id(user)
    }

    pub async fn code(&self, user: i64) -> Code {
        share_code(&self.app, &self.id(user)).await.unwrap().code
    }

    /// `referee` joins through the code of `referrer`, who is a member.
    pub async fn refer(&self, referrer: i64, referee: i64) {
        let code = self.code(referrer).await;
        let joined = Started::Joined { referrer: Some(self.id(referrer)) };
        assert_eq!(self.start(referee, Some(&code)).await, joined);
    }

    /// A settled $39 invoice of `user`.
    pub fn invoice(&self, user: i64, id: &str) -> PaymentFacts {
        PaymentFacts::purchase(stripe_key(id), self.id(user), usd(3900), self.app.now())
    }

    /// Everything that has changed since the last time goes through the projector, and what that changes
    /// too.
    pub async fn project_all(&self) {
        loop {
            let changes = self.read_changes(1000);
            if changes.is_empty() {
                return;
            }
            project(&self.app, "shard-1", &changes).await.unwrap();
        }
    }

    pub async fn pay(&self, user: i64, id: &str) -> Recorded {
        record_payment(&self.app, &self.invoice(user, id)).await.unwrap()
    }

    /// Member 1 with `referees` converted ones, 1001 and up. Each earned $10.
    pub async fn recruit_paying(&self, referees: i64) {
        self.join(1).await;
        for referee in 1001..1001 + referees {
            self.refer(1, referee).await;
            self.pay(referee, &format!("in_{referee}")).await;
        }
    }

    pub async fn link(&self, user: i64, customer: &str) -> Linked {
        link_customer(&self.app, &CustomerId::parse(customer).unwrap(), tid(user), &[]).await.unwrap()
    }

    pub async fn settle(&self, user: i64) -> u32 {
        settle_wallet(&self.app, &self.id(user)).await.unwrap().released
    }

    /// Posts credit as the message that always comes back.
    pub async fn post(&self, user: i64) -> Result<Posted, AppError> {
        self.post_as(user, CLAIMANT).await
    }

    pub async fn post_as(&self, user: i64, claimant: &str) -> Result<Posted, AppError> {
        post_bill_credit(&self.app, &self.stripe, &self.id(user), claimant).await
    }

    /// The wallet, after its whole statement was recomputed.
    pub async fn wallet(&self, user: i64) -> Wallet {
        let (store, id) = (self.calm(), self.id(user));
        let wallet = store.wallets().find(&id, WalletKind::BillCredit, Currency::USD).await.unwrap();
        let entries = store.wallets().statement(&id, WalletKind::BillCredit, Currency::USD).await.unwrap();
        verify_statement(&wallet, &entries).unwrap();
        wallet
    }

    /// Available, held and owed.
    pub async fn buckets(&self, user: i64) -> (i64, i64, i64) {
        let buckets = self.wallet(user).await.buckets;
        (buckets.available, buckets.held, buckets.owed)
    }

    pub async fn commissions(&self, user: i64) -> Vec<Commission> {
        self.calm().commissions().list(&self.id(user), None, 1000).await.unwrap()
    }

    /// A store without faults and without metering.
    pub fn calm(&self) -> Store {
        Store::new(self.engine.client(), TABLE)
    }

    /// Reads what is new in the stream, hands it to the projector until nothing follows, and gives back
    /// what it means to others.
    pub async fn pump(&self) -> Vec<DomainEvent> {
        let mut events = Vec::new();
        loop {
            let changes = self.read_changes(200);
            if changes.is_empty() {
                return events;
            }
            events.extend(changes.iter().filter_map(event_of));
            project(&self.app, "shard-1", &changes).await.unwrap();
        }
    }

    /// The next changes of the stream.
    pub fn read_changes(&self, limit: usize) -> Vec<Change> {
        let mut position = self.position.lock().unwrap();
        let page = self.engine.read_stream(TABLE, &position, limit).unwrap();
        *position = page.position;
        page.records.iter().map(change).collect()
    }

    /// Every item of the table, as text.
    pub async fn dump(&self) -> BTreeMap<String, String> {
        let mut items = BTreeMap::new();
        let client = self.engine.client();
        let mut start = None;
        loop {
            let scan = client.scan().table_name(TABLE).set_exclusive_start_key(start).send().await.unwrap();
            for item in scan.items.unwrap_or_default() {
                let key = format!("{} {}", item["pk"].as_s().unwrap(), item["sk"].as_s().unwrap());
                items.insert(key, text_of(&AttributeValue::M(item)));
            }
            start = scan.last_evaluated_key;
            if start.is_none() {
                return items;
            }
        }
    }

    /// Sets attributes of an item behind the store's back.
    pub async fn tamper(&self, pk: String, sk: String, attribute: &str, value: AttributeValue) {
        let put = self.engine.client().update_item().table_name(TABLE);
        let put = put.key("pk", AttributeValue::S(pk)).key("sk", AttributeValue::S(sk));
        let put = put.update_expression("SET #a = :v").expression_attribute_names("#a", attribute);
        put.expression_attribute_values(":v", value).send().await.unwrap();
    }

    /// Returns the cost of `use_case` since the last reset.
    pub fn cost(&self, use_case: &str) -> Cost {
        self.meter.snapshot().get(use_case).copied().unwrap_or_default()
    }
}

pub fn profile(user: i64) -> Profile {
    Profile {
        telegram_id: tid(user),
        first_name: format!("User{user}"),
        last_name: None,
        username: None,
        language: None,
    }
}

pub fn stripe_key(id: &str) -> PaymentKey {
    PaymentKey { rail: Rail::Stripe, id: ExternalPaymentId::parse(id).unwrap() }
}

/// Runs `job` for each of `0..n`, really at once, and gives back the outcomes.
pub async fn at_once<F, R>(n: usize, job: impl Fn(usize) -> F) -> Vec<R>
where
    F: Future<Output = R> + Send + 'static,
    R: Send + 'static,
{
    let tasks: Vec<_> = (0..n).map(|i| tokio::spawn(job(i))).collect();
    let mut outcomes = Vec::with_capacity(n);
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

/// The same text for the same value: a map's attributes in order.
fn text_of(value: &AttributeValue) -> String {
    match value {
        AttributeValue::M(map) => {
            let sorted: BTreeMap<_, _> = map.iter().map(|(name, value)| (name, text_of(value))).collect();
            format!("{sorted:?}")
        }
        AttributeValue::L(list) => format!("{:?}", list.iter().map(text_of).collect::<Vec<_>>()),
        other => format!("{other:?}"),
    }
}

fn change(record: &serde_json::Value) -> Change {
    let image = |name: &str| {
        let image = record["dynamodb"].get(name).filter(|image| !image.is_null())?;
        Some(serde_json::from_value(image.clone()).unwrap())
    };
    let sequence = record["dynamodb"]["SequenceNumber"].as_str().unwrap();
    Change::from_images(sequence, image("OldImage"), image("NewImage")).unwrap()
}

/// Bytes that look random and are the same in every run.
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let (random, rest) = bytes.split_at_mut(8);
        random.copy_from_slice(&mix(self.0.fetch_add(1, Ordering::SeqCst)).to_le_bytes());
        rest.fill(0);
        Ok(())
    }
}

/// SplitMix64.
pub fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[derive(Default)]
struct Switch(Mutex<Option<Arc<dyn Faults>>>);

impl Faults for Switch {
    fn next(&self, operation: &str) -> Fault {
        let faults = self.0.lock().unwrap().clone();
        faults.map_or(Fault::None, |faults| faults.next(operation))
    }
}

/// Lets the first `expected` transactions through together.
#[derive(Default)]
struct Gate {
    expected: usize,
    arrived: Mutex<usize>,
    all: Condvar,
}

impl Faults for Gate {
    fn next(&self, operation: &str) -> Fault {
        let mut arrived = self.arrived.lock().unwrap();
        if operation == "TransactWriteItems" && *arrived < self.expected {
            *arrived += 1;
            self.all.notify_all();
            let missing = |arrived: &mut usize| *arrived < self.expected;
            let wait = || self.all.wait_timeout_while(arrived, Duration::from_secs(5), missing).unwrap();
            // Another racer may be next in this worker's queue, where no other worker takes it from.
            let (_arrived, waited) = tokio::task::block_in_place(wait);
            assert!(!waited.timed_out(), "not all racers came");
        }
        Fault::None
    }
}

/// Breaks the next requests of one operation in the order given.
pub struct Script(&'static str, Mutex<VecDeque<Fault>>);

impl Script {
    pub fn new(operation: &'static str, faults: impl IntoIterator<Item = Fault>) -> Arc<Self> {
        Arc::new(Self(operation, Mutex::new(faults.into_iter().collect())))
    }
}

impl Faults for Script {
    fn next(&self, operation: &str) -> Fault {
        if operation != self.0 {
            return Fault::None;
        }
        self.1.lock().unwrap().pop_front().unwrap_or(Fault::None)
    }
}

/// Breaks each request with some probability, the same ones for the same seed.
pub struct Seeded {
    seed: u64,
    percent: u64,
    drawn: AtomicU64,
}

impl Seeded {
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self { seed, percent: 10 + seed % 11, drawn: AtomicU64::new(0) })
    }

    fn draw(&self, below: u64) -> u64 {
        let n = self.drawn.fetch_add(1, Ordering::SeqCst);
        mix(self.seed.wrapping_mul(1_000_003).wrapping_add(n)) % below
    }
}

impl Faults for Seeded {
    fn next(&self, _operation: &str) -> Fault {
        if self.draw(100) >= self.percent {
            return Fault::None;
        }
        [Fault::LostBefore, Fault::LostAfter, Fault::Conflict, Fault::Throttle][self.draw(4) as usize]
    }
}

/// A fault of a call to Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    LostBefore,
    LostAfter,
    Refuse,
}

/// Stripe's customer balances: what was added, under which key, and every call.
#[derive(Default)]
pub struct FakeStripe(Mutex<Balances>);

#[derive(Default)]
struct Balances {
    credits: Vec<(String, Money)>,
    keys: BTreeMap<String, (usize, CustomerId, Money)>,
    calls: Vec<&'static str>,
    troubles: VecDeque<Trouble>,
}

impl FakeStripe {
    pub fn expect(&self, troubles: impl IntoIterator<Item = Trouble>) {
        self.0.lock().unwrap().troubles.extend(troubles);
    }

    /// The 24 hours of the idempotency keys are over.
    pub fn forget_keys(&self) {
        self.0.lock().unwrap().keys.clear();
    }

    /// Every credit that took effect, in cents.
    pub fn credits(&self) -> Vec<i64> {
        self.0.lock().unwrap().credits.iter().map(|(_, amount)| amount.minor()).collect()
    }

    /// The credit on a customer's balance, in cents.
    pub fn balance(&self, customer: &str) -> i64 {
        let balances = self.0.lock().unwrap();
        let own = balances.keys.values().filter(|(_, of, _)| of.as_str() == customer);
        own.map(|(_, _, amount)| amount.minor()).sum()
    }

    /// The calls so far: `add` and `find`.
    pub fn calls(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().calls.clone()
    }
}

impl Balances {
    fn add(&mut self, customer: &CustomerId, amount: Money, posting: &PostingId) -> String {
        let next = self.credits.len();
        let twin = self.keys.entry(posting.to_string());
        let (index, of, under_key) = twin.or_insert_with(|| (next, customer.clone(), amount));
        assert_eq!((&*of, *under_key), (customer, amount), "one key, two requests");
        if *index == next {
            self.credits.push((posting.to_string(), amount));
        }
        format!("cbtxn_{index}")
    }
}

#[async_trait::async_trait]
impl CustomerBalance for FakeStripe {
    async fn add_credit(
        &self,
        customer: &CustomerId,
        amount: Money,
        posting: &PostingId,
    ) -> Result<String, BalanceError> {
        let lost = || BalanceError::Unknown("lost".to_owned());
        let trouble = {
            let mut balances = self.0.lock().unwrap();
            balances.calls.push("add");
            balances.troubles.pop_front()
        };
        // Another caller may run here.
        tokio::task::yield_now().await;
        let add = || self.0.lock().unwrap().add(customer, amount, posting);
        match trouble {
            None => Ok(add()),
            Some(Trouble::LostBefore) => Err(lost()),
            Some(Trouble::LostAfter) => {
                add();
                Err(lost())
            }
            Some(Trouble::Refuse) => Err(BalanceError::Refused("resource_missing".to_owned())),
        }
    }

    async fn find_credit(
        &self,
        _customer: &CustomerId,
        posting: &PostingId,
        _since: Timestamp,
    ) -> Result<Option<String>, BalanceError> {
        let mut balances = self.0.lock().unwrap();
        balances.calls.push("find");
        let found = balances.credits.iter().position(|(of, _)| of == posting.as_str());
        Ok(found.map(|index| format!("cbtxn_{index}")))
    }
}
