//! `cargo run --release`: the whole system on this machine.

use std::sync::Arc;

use guerdon_app::{
    context::SystemClock,
    verification::{acknowledge_found, verify_all},
};
use guerdon_local::{
    config::{Config, Data},
    parts,
    stack::Stack,
};
use guerdon_runtime::{secrets::Secret, telemetry};

/// Small pieces that live for one request are most of what is allocated here (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match run().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("guerdon: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let config = Config::from_env()?;
    match std::env::args().nth(1).as_deref() {
        None => {}
        Some("verify-ledger") => return verify(config).await,
        Some("acknowledge-difference") => return acknowledge(config).await,
        Some(other) => {
            anyhow::bail!(
                "there is no command '{other}'; there are: verify-ledger, acknowledge-difference ID REASON"
            )
        }
    }
    telemetry::start_for_people()?;
    let greeting = config.clone();
    let stack = Stack::start(config, Arc::new(SystemClock::default())).await?;
    greet(&greeting, &stack);
    tokio::signal::ctrl_c().await?;
    stack.stop().await;
    Ok(())
}

/// Recomputes the whole ledger in the data folder. The stack must not be running on it.
#[expect(clippy::print_stdout, reason = "a command answers")]
async fn verify(config: Config) -> anyhow::Result<()> {
    let app = parts::app_on(&config, Arc::new(SystemClock::default()))?;
    let verified = verify_all(&app).await?;
    let (wallets, payments, commissions) = (verified.wallets, verified.payments, verified.commissions);
    println!("{wallets} wallets, {payments} payments, {commissions} commissions recomputed");
    match (verified.difference, verified.acknowledged) {
        (Some(difference), _) => {
            anyhow::bail!("the ledger is not sound: {difference} (difference {})", difference.id())
        }
        (None, 0) => println!("The ledger is sound."),
        (None, known) => println!("The ledger is sound beside {known} acknowledged differences."),
    }
    Ok(())
}

/// Acknowledges the first difference in the data folder, which must be the one that was named. The stack must not be
/// running on it.
#[expect(clippy::print_stdout, reason = "a command answers")]
async fn acknowledge(config: Config) -> anyhow::Result<()> {
    let mut words = std::env::args().skip(2);
    let (Some(id), Some(reason), None) = (words.next(), words.next(), words.next()) else {
        anyhow::bail!("say which difference and why: acknowledge-difference ID 'REASON'");
    };
    anyhow::ensure!((3..=500).contains(&reason.trim().chars().count()), "the reason has 3 to 500 characters");
    let app = parts::app_on(&config, Arc::new(SystemClock::default()))?;
    let found = verify_all(&app).await?.difference;
    let found = found.filter(|difference| difference.id() == id);
    let found = found.ok_or_else(|| anyhow::anyhow!("the verification does not stand at difference {id}"))?;
    acknowledge_found(&app, &"command-line".into(), &found, reason.trim()).await?;
    println!("Acknowledged: {found}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the greeting is for the person at the terminal")]
fn greet(config: &Config, stack: &Stack) {
    let base = format!("http://{}", stack.address());
    let data = match &config.data {
        Data::Memory => "in memory; gone when this stops".to_owned(),
        Data::Folder(folder) => folder.display().to_string(),
    };
    println!("\n  Guerdon is running on {base}   (preset {}, data {data})\n", config.preset.name);
    let simulated = |secret| config.secret(secret).is_none();
    if simulated(Secret::TelegramBotToken) && simulated(Secret::StripeApiKey) {
        println!("  Simulator        {base}/sim");
        println!(
            "  Local token      {}   (header X-Local-Token, for changes by /local and /sim)",
            stack.local_token()
        );
    }
    println!("  Operators' API   {base}/api/admin/credits/stats");
    println!("  Webhooks         {base}/telegram/webhook   {base}/api/stripe/webhook");
    let signs_in = config.super_admin.is_some() && config.secret(Secret::SuperAdminPassword).is_some();
    if config.secret(Secret::AdminToken).is_none() && !signs_in {
        println!("\n  ADMIN_TOKEN is not set: the operators' API refuses every call. Put one into .env.");
    }
    if !stack.address().ip().is_loopback() {
        println!(
            "\n  This listens beyond this machine: put a proxy with TLS before it, and keep /local and /sim inside."
        );
    }
    for name in &config.made_up {
        let value = if *name == Secret::PseudonymKey.variable() {
            "(kept in the data folder; back it up with the data)"
        } else if *name == Secret::TokenKey.variable() {
            // It is never entered by hand, and a reader of the log could sign in as any member or operator with it.
            "(kept in the data folder)"
        } else {
            config.secrets.get(name).map_or("", String::as_str)
        };
        println!("  {name} was not set and was made up: {value}");
    }
    if config.super_admin.is_some() != config.secret(Secret::SuperAdminPassword).is_some() {
        println!(
            "\n  Of SUPER_ADMIN_TELEGRAM_ID and SUPER_ADMIN_PASSWORD only one is set; the first operator cannot sign in."
        );
    }
    let stays = if matches!(config.data, Data::Memory) { "" } else { " Data stays." };
    println!("\n  Stop with Ctrl-C.{stays}\n");
}
