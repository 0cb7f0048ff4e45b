//! The settings in force, and their changes.

use std::sync::Arc;

use guerdon_domain::{
    ids::PrincipalId,
    settings::{Overrides, Setting, SettingError, SettingValue, Settings},
    time::Timestamp,
};
use guerdon_store::{
    settings::{Override, StoredSettings},
    table::metered,
};

use crate::{
    attempt::Attempts,
    audit::{self, Line},
    context::App,
    error::{AppError, refusal},
};

/// Caches settings that were read or set. A read that began before a change does not replace the change in
/// the cache.
fn keep(app: &App, stored: &StoredSettings) -> Result<Arc<Settings>, AppError> {
    let settings = Settings::of(&app.preset, &stored.values())?;
    let settings = Settings { changed_at: stored.changed_at(), ..settings };
    Ok(app.settings.keep(app.now(), stored.version, settings))
}

/// Returns the settings in force, at most half a minute old: the preset and the fraud rules with the
/// operators' overrides.
///
/// # Errors
/// [`AppError::Corrupt`] when a stored value has a different type than its setting; the error names it. The
/// shipped value is not used in its place, because an operator has set another one. [`set_setting`] repairs
/// it.
pub async fn settings_now(app: &App) -> Result<Arc<Settings>, AppError> {
    if let Some(settings) = app.settings.known(app.now()) {
        return Ok(settings);
    }
    let stored = app.store.settings().find().await?;
    keep(app, &stored)
}

/// Returns the settings that were in force at `at`, so that a payment that is told late is decided by the prices and costs
/// of its time.
///
/// # Errors
/// As [`settings_now`].
pub(crate) async fn settings_at(app: &App, at: Timestamp) -> Result<Arc<Settings>, AppError> {
    let now = settings_now(app).await?;
    if now.changed_at.is_none_or(|changed| !at.is_seconds_before(changed)) {
        return Ok(now);
    }
    match app.store.settings().superseded(at).await? {
        Some(stored) => Ok(Arc::new(Settings::of(&app.preset, &stored.values())?)),
        // The change is older than the history.
        None => Ok(now),
    }
}

/// A setting and its current value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingState {
    /// The setting's type, default and meaning.
    pub setting: Setting,
    /// The value in force.
    pub value: Option<SettingValue>,
    /// Time and author of the last change, if there was one.
    pub changed: Option<(Timestamp, PrincipalId)>,
}

/// Returns every setting with its current value, read from the table.
pub async fn all_settings(app: &App) -> Result<Vec<SettingState>, AppError> {
    metered("all_settings", async {
        let stored = app.store.settings().find().await?;
        let list = keep(app, &stored)?.list_with_values(&app.preset).into_iter();
        Ok(list.map(|listed| state_of(listed, &stored)).collect())
    })
    .await
}

fn state_of((setting, value): (Setting, Option<SettingValue>), stored: &StoredSettings) -> SettingState {
    let changed = stored.overrides.get(&setting.key);
    SettingState { value, changed: changed.map(|known| (known.at, known.by.clone())), setting }
}

/// The reason why a setting was not set. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingRefusal {
    /// The key is unknown, or the value is not allowed.
    #[error(transparent)]
    Bad(#[from] SettingError),
    /// The operation did not complete.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<guerdon_store::table::StoreError> for SettingRefusal {
    fn from(error: guerdon_store::table::StoreError) -> Self {
        Self::App(error.into())
    }
}

/// Sets a setting to `json`, or back to the shipped value for `null`. One transaction also writes an audit
/// line with the old and the new value. The change is in force at once on this instance, and on every
/// instance within half a minute. Setting the current value again changes nothing.
pub async fn set_setting(
    app: &App,
    principal: &PrincipalId,
    key: &str,
    json: &str,
    reason: Option<&str>,
) -> Result<SettingState, SettingRefusal> {
    metered("set_setting", async {
        let mut attempts = Attempts::default();
        loop {
            let before = app.store.settings().find().await?;
            let values = Settings::set(&app.preset, &before.values(), key, json)?;
            if values == before.values() {
                return Ok(shown(app, key, &*keep(app, &before)?, &before)?);
            }
            let settings = Settings::of_readable(&app.preset, &before.values());
            let after = changed(&before, key, &values, app.now(), principal);
            let next = Settings::of_readable(&app.preset, &after.values());
            let states = [&settings, &next].map(|settings| json_of(key, settings));
            let line = Line::new("setting.set").because(reason.unwrap_or_default()).states(states);
            let audit = audit::line(format!("setting-{}", after.version), app.now(), principal, line);
            let writes = [
                app.store.settings().replace(&before, &after, ())?,
                app.store.settings().supersede(&before, app.now(), ())?,
                app.store.audit().insert(&audit, ())?,
            ];
            if refusal(app.store.commit(&writes).await)?.is_none() {
                // While another stored value has a wrong type, reads continue to fail and nothing is cached
                // here.
                let settings = keep(app, &after).unwrap_or_else(|_| Arc::new(next));
                return Ok(shown(app, key, &settings, &after)?);
            }
            attempts.again(app).await?;
        }
    })
    .await
}

fn changed(
    before: &StoredSettings,
    key: &str,
    values: &Overrides,
    at: Timestamp,
    by: &PrincipalId,
) -> StoredSettings {
    let mut after = StoredSettings { version: before.version.saturating_add(1), ..before.clone() };
    let change = Override { set: values.get(key).copied(), at, by: by.to_owned() };
    after.overrides.insert(key.to_owned(), change);
    after
}

fn shown(
    app: &App,
    key: &str,
    settings: &Settings,
    stored: &StoredSettings,
) -> Result<SettingState, AppError> {
    let mut list = settings.list_with_values(&app.preset).into_iter();
    let listed = list.find(|(setting, _)| setting.key == key);
    let listed = listed.ok_or_else(|| AppError::Corrupt("a setting that was set is gone".into()))?;
    Ok(state_of(listed, stored))
}

fn json_of(key: &str, settings: &Settings) -> String {
    let value = settings.value_of(key).map_or_else(|| "null".to_owned(), SettingValue::to_json);
    // A known key contains no character that JSON escapes.
    format!("{{\"{key}\":{value}}}")
}
