//! The simulator of the stack, for what has no credentials.

use std::sync::Arc;

use guerdon_app::context::MovableClock;
use guerdon_runtime::secrets::Secret;
use guerdon_simulator::{
    config::{Plan, SimConfig},
    sim::Sim,
};

use sha2::{Digest, Sha256};

use crate::config::{Config, Data};

/// The credentials of the simulated bot and account. They are secret, because they open the stand-ins to everything that
/// reaches the port.
fn credentials(local_token: &str) -> (String, String) {
    let digest = hex::encode(Sha256::digest(format!("stand-ins\n{local_token}")));
    (format!("100000001:{}", &digest[..35]), format!("sk_test_{}", &digest[32..]))
}

/// The services that are simulated, of the two.
pub(crate) struct Simulated {
    /// The simulator, if either is.
    pub(crate) sim: Option<Sim>,
    telegram: bool,
    stripe: bool,
}

impl Simulated {
    /// True when both are simulated.
    pub(crate) const fn all(&self) -> bool {
        self.telegram && self.stripe
    }

    /// The addresses of the stand-ins; None: the real service.
    pub(crate) fn urls(&self, base_url: &str) -> (Option<String>, Option<String>) {
        (
            self.telegram.then(|| format!("{base_url}/sim/telegram")),
            self.stripe.then(|| format!("{base_url}/sim/stripe/")),
        )
    }
}

/// Brings the simulator for what has no token, and gives it stand-in credentials.
pub(crate) fn simulate(
    config: &mut Config,
    clock: &Arc<dyn MovableClock>,
    base_url: &str,
) -> anyhow::Result<Simulated> {
    let telegram = config.secret(Secret::TelegramBotToken).is_none();
    let stripe = config.secret(Secret::StripeApiKey).is_none();
    if !telegram && !stripe {
        return Ok(Simulated { sim: None, telegram, stripe });
    }
    let (token, key) = credentials(&config.local_token);
    if telegram {
        config.secrets.insert(Secret::TelegramBotToken.variable(), token.clone());
    }
    if stripe && telegram {
        let checkout = || format!("{base_url}/sim/pay?plan={{plan}}");
        config.payment_link.get_or_insert_with(checkout);
    }
    if stripe {
        config.secrets.insert(Secret::StripeApiKey.variable(), key.clone());
    }
    let clock = clock.clone();
    let signing = config.secret(Secret::StripeWebhookSecret).unwrap_or_default();
    let sim = Sim::try_new(SimConfig {
        base_url: base_url.to_owned(),
        bot_username: config.bot_username.as_str().to_owned(),
        brand: config.preset.brand.clone(),
        telegram_token: token,
        telegram_webhook_secret: config.secret(Secret::TelegramWebhookSecret).unwrap_or_default().to_owned(),
        stripe_api_key: key,
        // While a secret is rolled there are two; Stripe signs with the first of them.
        stripe_webhook_secret: signing.split(',').next().unwrap_or_default().trim().to_owned(),
        state_file: match &config.data {
            Data::Memory => None,
            Data::Folder(folder) => Some(folder.join("sim.json")),
        },
        page_token: config.local_token.clone(),
        clock: Arc::new(move || clock.now().seconds()),
        plans: config.preset.plans.iter().map(sim_plan).collect(),
    })?;
    Ok(Simulated { sim: Some(sim), telegram, stripe })
}

fn sim_plan(plan: &guerdon_domain::settings::Plan) -> Plan {
    Plan {
        id: plan.id.to_string(),
        name: plan.name.clone(),
        price_minor: plan.price.minor(),
        currency: plan.price.currency().as_str().to_ascii_lowercase(),
    }
}
