//! `cargo run --release`: the whole system on this machine.

mod commands;

use std::sync::Arc;

use guerdon_app::context::SystemClock;
use guerdon_local::{
    config::{Config, Data},
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
    let words: Vec<String> = std::env::args().skip(1).collect();
    if commands::run(&words).await? {
        return Ok(());
    }
    let config = Config::from_env()?;
    telemetry::start_for_people()?;
    let greeting = config.clone();
    let stack = Stack::start(config, Arc::new(SystemClock::default())).await?;
    greet(&greeting, &stack)?;
    stopped().await?;
    stack.stop().await;
    Ok(())
}

/// Waits for Ctrl-C, or for the end that the system asks for.
async fn stopped() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut asked = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            stopped = tokio::signal::ctrl_c() => stopped,
            _ = asked.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

#[expect(clippy::print_stdout, reason = "the greeting is for the person at the terminal")]
fn greet(config: &Config, stack: &Stack) -> anyhow::Result<()> {
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
    config.secrets_were_shown()?;
    let stays = if matches!(config.data, Data::Memory) { "" } else { " Data stays." };
    println!("\n  Stop with Ctrl-C.{stays}\n");
    Ok(())
}
