//! Programs: the rules that decide which payment earns a reward, for which member and how much.
mod check;
mod decide;
mod grant;
mod limits;
mod program;
mod rule;
mod surroundings;
#[cfg(test)]
mod tests;
mod version;

pub use check::ProgramError;
pub use decide::Decision;
pub use grant::{Grant, RuleSnapshot};
pub use limits::Limit;
pub use program::Program;
pub use rule::{Amount, Beneficiary, Cap, CapPeriod, Rule, Trigger};
pub use surroundings::{Party, Surroundings};
pub use version::ProgramVersion;
