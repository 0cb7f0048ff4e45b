//! Settings: the numbers that a business starts with (a preset), and those that operators may change.
mod in_force;
mod preset;
mod setting;
mod table;

pub use in_force::{Overrides, Settings};
pub use preset::{Plan, Preset, PresetError};
pub use setting::{Setting, SettingError, SettingType, SettingValue, StoredSettingError};
