//! Payments: settled money, the reasons why it earned or did not, and the reversals that undid it.
mod facts;
mod order;
mod record;
mod reversal;
mod trace;

pub use facts::{PaymentFacts, PaymentLine, Purpose};
pub use order::{Order, OrderState, OrderStep, PaymentMethod};
pub use record::PaymentRecord;
pub use reversal::{DisputeStage, RefundStage, Reversal, ReversalKind, Reversals};
pub use trace::{Candidate, Place, Refusal, Verdict};
