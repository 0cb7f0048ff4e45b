//! Programs: the versions in force, the change of the program, and its simulation on past payments.
mod change;
mod dry_run;
mod surroundings;
mod versions;

pub use change::{ProgramRefusal, newest_program, set_program};
pub use dry_run::{MOST_DAYS, RuleTotal, Simulation, simulate};
pub use versions::{program_at, program_now, reward_wallet};

pub(crate) use surroundings::{last_paid, rewarded_too_late, surroundings, with_conversion};
pub(crate) use versions::{EFFECTIVE_AFTER_SECONDS, reward_wallet_now, would_earn};
