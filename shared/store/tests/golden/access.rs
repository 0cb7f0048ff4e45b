//! Access to the API: operators, their sessions and sign-in links, and the keys of services.

use guerdon_store::table::Guarded;
use std::collections::BTreeSet;

use guerdon_domain::{
    ids::{ServiceKeyId, SessionId, SignInLinkId},
    operators::{Operator, Role, Scope, ServiceKey, Session, SignInLink},
};

use crate::{check, support::*};

/// A hash with the parameters, the salt and the length of a real one.
const PASSWORD: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$9Yp2cXJzdHV2d3h5ejAxMg$3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs";

fn operator() -> Operator {
    Operator {
        id: id(1),
        role: Role::SuperAdmin,
        password: PASSWORD.to_owned(),
        attempts: 0,
        locked_until: None,
        generation: 3,
        created_at: NOW,
    }
}

#[tokio::test]
async fn an_operator_who_is_locked_out_and_let_in_again() {
    let table = table().await;
    let added = operator();
    assert_eq!(table.store.operators().insert(&added).await.unwrap(), Guarded::Written);
    check(&table, "operator", "operator").await;
    let locked_until = Some(NOW.plus_seconds(900));
    let locked = Operator { attempts: 5, locked_until, ..added.clone() };
    assert_eq!(table.store.operators().replace(&added, &locked).await.unwrap(), Guarded::Written);
    check(&table, "operator", "operator_locked").await;
    let free = Operator { role: Role::Admin, generation: 4, ..added };
    assert_eq!(table.store.operators().replace(&locked, &free).await.unwrap(), Guarded::Written);
    check(&table, "operator", "operator_unlocked").await;
    assert_eq!(table.store.operators().find(&id(1)).await.unwrap(), Some(free));
}

#[tokio::test]
async fn a_session_and_its_next_token() {
    let table = table().await;
    let begun = Session {
        id: SessionId::parse("4c8f2d1be0a94f6d8e3b7a5c9f012d3e").unwrap(),
        operator: id(1),
        generation: 3,
        token_hash: "ab".repeat(32),
        expires_at: NOW.plus_days(30),
    };
    table.store.operators().put_session(&begun).await.unwrap();
    check(&table, "session", "session").await;
    let next = Session { token_hash: "cd".repeat(32), ..begun.clone() };
    assert_eq!(
        table.store.operators().renew_session(&begun.token_hash, &next).await.unwrap(),
        Guarded::Written
    );
    check(&table, "session", "session_renewed").await;
}

#[tokio::test]
async fn a_sign_in_link_before_and_after_its_use() {
    let table = table().await;
    let link = SignInLink {
        id: SignInLinkId::parse("7a5c9f012d3e4c8f2d1be0a94f6d8e3b").unwrap(),
        operator: id(1),
        generation: 3,
        token_hash: "ef".repeat(32),
        expires_at: NOW.plus_seconds(300),
    };
    table.store.operators().put_link(&link).await.unwrap();
    check(&table, "sign_in_link", "sign_in_link").await;
    let (operator, at) = (operator(), NOW.plus_seconds(60));
    assert_eq!(
        table.store.operators().use_link(&operator, &link.id, &link.token_hash, at).await.unwrap(),
        Guarded::Written
    );
    check(&table, "sign_in_link", "sign_in_link_used").await;
}

#[tokio::test]
async fn a_services_key_until_it_is_revoked() {
    let table = table().await;
    let key = ServiceKey {
        id: ServiceKeyId::parse("0b7e4f9a2c5d1e3f").unwrap(),
        name: "checkout of the shop".to_owned(),
        scopes: BTreeSet::from([Scope::UsersRead, Scope::OrdersWrite, Scope::WalletsRead]),
        secret_hash: "5f".repeat(32),
        created_by: "op_5f0e".into(),
        created_at: NOW,
        revoked_at: None,
    };
    table.store.commit(&[table.store.service_keys().insert(&key, ()).unwrap()]).await.unwrap();
    check(&table, "service_key", "service_key").await;
    let revoke = table.store.service_keys().revoke(&key.id, NOW.plus_days(7), ()).unwrap();
    table.store.commit(&[revoke]).await.unwrap();
    check(&table, "service_key", "service_key_revoked").await;
}
