//! What a business starts with (a preset), and what operators may change while it runs (settings).
mod in_force;
mod preset;
mod setting;
mod table;

pub use in_force::{Overrides, Settings};
pub use preset::{Plan, Preset, PresetError};
pub use setting::{Setting, SettingError, SettingType, SettingValue, StoredSettingError};
