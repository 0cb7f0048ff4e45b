//! Stored records that the functions use in their signatures. The functions do not depend on the store.

pub use guerdon_store::{
    changes::{Change, Stored},
    commissions::CommissionCursor,
    jobs::JobRun,
    payments::{ParkedEvent, PaymentReference, WaitsFor},
    table::{Cost, Meter, Store, StoreError},
    verification::{AcknowledgedDifference, FoundDifference, ScanCursor},
};
