//! The stored records that functions name in their own signatures; they do not know the store.

pub use guerdon_store::{
    changes::{Change, Stored},
    commissions::commission_cursor,
    jobs::JobRun,
    payments::{ParkedEvent, PaymentReference, WaitsFor},
    table::{Cost, Meter, Store, StoreError},
    verification::ScanCursor,
};
