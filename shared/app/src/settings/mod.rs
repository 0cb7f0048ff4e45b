//! Settings: the values in force, and their changes.
mod in_force;

pub(crate) use in_force::settings_at;
pub use in_force::{SettingRefusal, SettingState, all_settings, set_setting, settings_now};
