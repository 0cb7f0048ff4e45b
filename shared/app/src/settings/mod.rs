//! Settings: what is in force, and changing it.
mod in_force;

pub use in_force::{SettingRefusal, SettingState, all_settings, set_setting, settings_now};
