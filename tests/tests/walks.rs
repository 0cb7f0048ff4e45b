//! Tests that handling an update reads each item from the table once.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where it must")]

use guerdon_tests::{
    World,
    telegram::{ALICE, BOB, CAROL, Person},
};

/// Counts the requests to the table while `person` writes `text`, without those of the projector, which follow later.
async fn requests(world: &World, person: Person, text: &str) -> u64 {
    world.drain().await;
    world.stack().meter().reset();
    world.says(person, text).await;
    let costs = world.stack().meter().snapshot();
    costs.iter().filter(|(name, _)| **name != "project").map(|(_, cost)| cost.requests).sum()
}

/// Each figure has one write that remembers the update, and one read of the member where the page is about them.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_reads_the_member_once() {
    let world = World::of("ott").await;
    world.code_of(ALICE).await;
    world.says(ALICE, "/plans").await;
    for (text, expect) in [
        ("/help", 1),
        ("/terms", 1),
        ("/plans", 1),
        ("/nonsense", 1),
        ("/start", 2),
        // Also the counters.
        ("/recruit", 3),
        ("/profile", 3),
        // Also what is due, and the wallet.
        ("/withdraw", 4),
        // Also what is due, the wallet, its entries, the counters.
        ("/credits", 6),
        // Also what is due, and the wallet, which has too little for a button.
        ("/withdraw 500 upi asha@okhdfc", 4),
    ] {
        assert_eq!(requests(&world, ALICE, text).await, expect, "{text}");
    }
    // Newcomers become members first; a code is made for a member who recruits.
    assert_eq!(requests(&world, CAROL, "/profile").await, 4);
    assert_eq!(requests(&world, BOB, "/recruit").await, 5);
}
