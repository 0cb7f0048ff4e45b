//! Faults in the order a test asks for.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use guerdon_engine::{Fault, Faults};

/// What happens to the requests of one operation; all others work.
pub struct Script {
    operation: &'static str,
    first: Mutex<VecDeque<Fault>>,
    then: Fault,
    requests: AtomicUsize,
}

impl Script {
    /// The first `times` requests fail like that, the others work.
    pub fn first(operation: &'static str, times: usize, fault: Fault) -> Arc<Self> {
        Self::new(operation, vec![fault; times].into(), Fault::None)
    }

    /// Every request fails like that.
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
