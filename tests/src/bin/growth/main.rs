//! Costs of the API's pages in a small business and in a large one: read units and time of each list, dashboard,
//! leaderboard and tree, side by side. The table is on a disk; its size, the process's memory and the time to open it
//! again are shown, too. `growth [--members 200000] [--payments 1000000] [--calls 200]`
#![allow(clippy::print_stdout, reason = "a bench prints")]
#![allow(clippy::disallowed_methods, reason = "a bench looks at the clock and draws lots, from a seed")]

mod business;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use axum::body::Body;
use business::Business;
use http::Request;
use tower::ServiceExt;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The pages, with the placeholder for a popular member.
const PAGES: [&str; 17] = [
    "/admin/dashboard/stats",
    "/admin/dashboard/kpi",
    "/admin/dashboard/payment-monitoring",
    "/admin/dashboard/users",
    "/admin/dashboard/users?sort=asc&limit=100",
    "/admin/dashboard/users?type=customer",
    "/admin/dashboard/users?search=user1",
    "/admin/dashboard/orders",
    "/admin/dashboard/orders?status=paid",
    "/admin/dashboard/referrers",
    "/withdrawals/admin/all",
    "/users/{popular}/referral-stats",
    "/users/{popular}/referral-tree",
    "/wallet/{popular}",
    "/wallet/{popular}/transactions",
    "/api/referral/leaderboard?limit=100",
    "/api/referral/analytics?period=month",
];

/// The cost of one page, over all calls.
struct Took {
    read_units: u64,
    bytes: usize,
    p50: Duration,
    p99: Duration,
}

fn main() -> anyhow::Result<()> {
    // One thread writes, one projects.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let option = |name: &str, usual: usize| -> anyhow::Result<usize> {
        let given = std::env::args().skip_while(|arg| arg != name).nth(1);
        given.map_or(Ok(usual), |text| text.parse().with_context(|| format!("{name} {text}")))
    };
    let (members, payments) = (option("--members", 200_000)?, option("--payments", 1_000_000)?);
    let calls = option("--calls", 200)?;
    ensure!(members >= 2000 && payments >= members, "--members 2000 or more, --payments no fewer");
    let small = load(2000, payments / (members / 2000)).await?;
    let before = measure(&small, calls).await?;
    drop(small);
    let large = load(members, payments).await?;
    let after = measure(&large, calls).await?;
    let (start, bytes) = large.reopen().await?;
    println!(
        "{members} members and {payments} payments: {} MB of memory at the most, a file of {} MB, opened in {} ms",
        peak_memory()? >> 10,
        bytes >> 20,
        start.as_millis()
    );
    println!(
        "\n| page | read units | of {members} | ratio | p50 ms | of {members} | p99 ms | of {members} | KB |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    let ms = |time: Duration| format!("{}.{:02}", time.as_millis(), time.subsec_micros() / 10 % 100);
    for (page, (one, other)) in PAGES.iter().zip(before.iter().zip(&after)) {
        let hundredths = (other.read_units * 100).checked_div(one.read_units).unwrap_or(100);
        println!(
            "| `{page}` | {}.{} | {}.{} | {}.{:02} | {} | {} | {} | {} | {} |",
            one.read_units / 10,
            one.read_units % 10,
            other.read_units / 10,
            other.read_units % 10,
            hundredths / 100,
            hundredths % 100,
            ms(one.p50),
            ms(other.p50),
            ms(one.p99),
            ms(other.p99),
            other.bytes / 1024,
        );
    }
    Ok(())
}

/// The most memory that this process has had, in KB.
fn peak_memory() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

async fn load(members: usize, payments: usize) -> anyhow::Result<Business> {
    let started = Instant::now();
    let business = Business::load(members, payments).await?;
    println!("{members} members and {payments} payments loaded in {} s", started.elapsed().as_secs());
    Ok(business)
}

async fn measure(business: &Business, calls: usize) -> anyhow::Result<Vec<Took>> {
    let mut all = Vec::new();
    for page in PAGES {
        let path = page.replace("{popular}", &business::POPULAR.to_string());
        let (mut times, mut bytes, mut read_units) = (Vec::with_capacity(calls), 0, 0);
        for _ in 0..calls {
            let request = Request::get(&path).header("x-admin-token", business::TOKEN).body(Body::empty())?;
            let api = if business::is_members(&path) { &business.members } else { &business.operators };
            business.meter.reset();
            let started = Instant::now();
            let response = api.clone().oneshot(request).await?;
            let status = response.status();
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await?;
            times.push(started.elapsed());
            ensure!(status == 200, "{path}: {status} {}", String::from_utf8_lossy(&body));
            bytes = body.len();
            read_units = business.meter.snapshot().values().map(|cost| cost.read_tenths).sum();
        }
        times.sort_unstable();
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
        all.push(Took { read_units, bytes, p50: at(50), p99: at(99) });
    }
    Ok(all)
}
