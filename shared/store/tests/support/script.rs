//! Faults in the order that a test defines.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use guerdon_engine::connector::{Fault, Faults};

/// The faults of one operation's requests; all others succeed.
pub struct Script {
    operation: &'static str,
    first: Mutex<VecDeque<Fault>>,
    then: Fault,
    requests: AtomicUsize,
}

impl Script {
    /// Lets the first `times` requests fail with `fault`; the others succeed.
    pub fn first(operation: &'static str, times: usize, fault: Fault) -> Arc<Self> {
        Self::new(operation, vec![fault; times].into(), Fault::None)
    }

    /// Lets every request fail with `fault`.
    pub fn always(operation: &'static str, fault: Fault) -> Arc<Self> {
        Self::new(operation, VecDeque::new(), fault)
    }

    fn new(operation: &'static str, first: VecDeque<Fault>, then: Fault) -> Arc<Self> {
        Arc::new(Self { operation, first: Mutex::new(first), then, requests: AtomicUsize::new(0) })
    }

    /// Requests of the operation so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Faults for Script {
    fn next(&self, operation: &str) -> Fault {
        if operation != self.operation {
            return Fault::None;
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.first.lock().unwrap().pop_front().unwrap_or(self.then)
    }
}
