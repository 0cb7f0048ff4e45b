//! Settings: one writer at a time, in force here at once and elsewhere within half a minute.

use std::sync::Arc;

use guerdon_app::{
    context::App,
    error::AppError,
    settings::{SettingRefusal, set_setting, settings_now},
};
use guerdon_domain::settings::{SettingError, SettingValue};

use crate::support::*;

async fn set(app: &App, key: &str, json: &str) {
    set_setting(app, &"olga".into(), key, json, None).await.unwrap();
}

async fn window(app: &App) -> i64 {
    settings_now(app).await.unwrap().preset.referral_window_days
}

#[tokio::test]
async fn a_change_is_in_force_here_at_once_and_elsewhere_within_half_a_minute() {
    let b = bitten().await;
    let elsewhere = b.app.elsewhere();
    assert_eq!((window(&b.app).await, window(&elsewhere).await), (365, 365));
    set(&b.app, "referrals.window_days", "90").await;
    assert_eq!((window(&b.app).await, window(&elsewhere).await), (90, 365));
    b.advance(30);
    assert_eq!(window(&elsewhere).await, 90);
    b.join(1).await;
    b.refer(1, 2).await;
    let joined = b.calm().members().find(&b.id(2)).await.unwrap().unwrap();
    let referral = b.calm().referrals().of(&joined).await.unwrap().unwrap();
    assert_eq!(referral.expires_at, referral.joined_at.plus_days(90));
}

#[tokio::test]
async fn a_change_is_audited_once_and_the_same_again_is_none() {
    let b = bitten().await;
    for _ in 0..3 {
        set(&b.app, "plans.fang.price", "45").await;
    }
    set(&b.app, "plans.fang.price", "null").await;
    let trail = b.calm().audit().trail("2026-11", None, 10).await.unwrap();
    let mut lines: Vec<_> = trail.iter().map(|line| (line.before.as_str(), line.after.as_str())).collect();
    lines.sort_unstable();
    let (shipped, changed) = (r#"{"plans.fang.price":39.00}"#, r#"{"plans.fang.price":45.00}"#);
    assert_eq!(lines, [(shipped, changed), (changed, shipped)]);
}

#[tokio::test]
async fn what_cannot_be_set_changes_nothing() {
    let b = bitten().await;
    let before = b.dump().await;
    for (key, json) in [("referrals.window_days", "0"), ("withdrawals.minimum", "5"), ("x", "1")] {
        let refused = set_setting(&b.app, &"olga".into(), key, json, None).await.unwrap_err();
        let bad = matches!(refused, SettingRefusal::Bad(SettingError::Bad { .. } | SettingError::Unknown(_)));
        assert!(bad, "{key}: {refused:?}");
    }
    assert_eq!(b.dump().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn operators_who_set_at_once_lose_nothing() {
    let b = Arc::new(bitten().await);
    let keys = ["referrals.window_days", "referrals.code_valid_days", "attribution.window_days"];
    b.race(3);
    at_once(3, |n| {
        let b = b.clone();
        async move {
            let app = b.app.elsewhere();
            set(&app, keys[n], "77").await;
        }
    })
    .await;
    let stored = b.calm().settings().find().await.unwrap();
    assert_eq!((stored.version, stored.values().len()), (3, 3));
}

/// Another version of the program may have taken something else under the key.
#[tokio::test]
async fn a_stored_value_of_another_type_is_an_error_until_it_is_set_anew() {
    let b = bitten().await;
    set(&b.app, "referrals.window_days", "90").await;
    let before = b.calm().settings().find().await.unwrap();
    let mut after = before.clone();
    after.overrides.get_mut("referrals.window_days").unwrap().set = Some(SettingValue::Switch(true));
    let writes = [b.calm().settings().replace(&before, &after, ()).unwrap()];
    b.calm().commit(&writes).await.unwrap();
    let app = b.app.elsewhere();
    let error = settings_now(&app).await.unwrap_err();
    assert!(
        matches!(&error, AppError::Corrupt(why) if why.as_str().contains("referrals.window_days")),
        "{error}"
    );
    set(&app, "referrals.window_days", "30").await;
    assert_eq!(window(&app.elsewhere()).await, 30);
}
