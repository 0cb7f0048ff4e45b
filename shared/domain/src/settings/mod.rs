//! What a business starts with (a preset), and what operators may change while it runs (settings).
mod preset;
mod setting;

pub use preset::{Plan, Preset, PresetError};
pub use setting::{Overrides, Setting, SettingError, SettingType, SettingValue, Settings};
