//! A bank that pays out: idempotent by id, slow, and sometimes it does not answer or refuses. It counts payouts.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use guerdon_app::withdrawals::{PayoutError, Payouts};
use guerdon_domain::withdrawals::{Destination, Withdrawal};

use crate::net::Net;

/// The bank and the provider, which is one of its customers.
pub struct Bank {
    net: Arc<Net>,
    /// The ways in which each withdrawal was paid. Each way pays once, however often it is called.
    paid: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Bank {
    /// Makes a bank without payouts.
    pub fn new(net: Arc<Net>) -> Self {
        Self { net, paid: Mutex::default() }
    }

    /// Pays withdrawal `id` in this way unless it has done so. False when the account can never receive it.
    pub fn transfer(&self, id: &str, way: &str) -> bool {
        // Every ninth account is closed.
        if id.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte)).is_multiple_of(9) {
            return false;
        }
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let ways = paid.entry(id.to_owned()).or_default();
        if !ways.iter().any(|known| known == way) {
            ways.push(way.to_owned());
            self.net.note(|| format!("BANK pays {id} by {way}"));
        }
        if ways.len() > 1 {
            self.net.violate(format!("withdrawal {id} was paid {} times: {ways:?}", ways.len()));
        }
        true
    }

    /// Counts the payouts of a withdrawal.
    pub fn times_paid(&self, id: &str) -> usize {
        self.paid.lock().unwrap_or_else(PoisonError::into_inner).get(id).map_or(0, Vec::len)
    }

    async fn silent(&self) -> bool {
        tokio::time::sleep(Duration::from_millis(1 + self.net.draw(400))).await;
        self.net.draw(6) == 0
    }
}

const PROVIDER: &str = "provider";

#[async_trait::async_trait]
impl Payouts for Bank {
    async fn pay(&self, withdrawal: &Withdrawal, _to: &Destination) -> Result<String, PayoutError> {
        let id = withdrawal.id.as_str();
        if self.silent().await {
            return Err(PayoutError::Unknown("lost on the way".to_owned()));
        }
        let taken = self.transfer(id, PROVIDER);
        if self.silent().await {
            return Err(PayoutError::Unknown("no answer".to_owned()));
        }
        if taken { Ok(format!("ref-{id}")) } else { Err(PayoutError::Refused("account closed".to_owned())) }
    }

    async fn find(&self, withdrawal: &Withdrawal) -> Result<Option<String>, PayoutError> {
        if self.silent().await {
            return Err(PayoutError::Unknown("no answer".to_owned()));
        }
        let id = withdrawal.id.as_str();
        let paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let found = paid.get(id).is_some_and(|ways| ways.iter().any(|way| way == PROVIDER));
        Ok(found.then(|| format!("ref-{id}")))
    }
}
