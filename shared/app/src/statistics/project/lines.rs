//! The list lines that a batch writes and removes.

use std::collections::BTreeMap;

use guerdon_store::statistics::Listed;

use crate::{context::App, error::AppError};

/// Lines to write (`true`) or to remove (`false`). The last change of a line counts.
#[derive(Debug, Default)]
pub(super) struct Lines(BTreeMap<Listed, bool>);

impl Lines {
    /// Removes the lines that a record no longer has, and writes its new lines.
    pub(super) fn moved<T>(&mut self, before: Option<&T>, after: Option<&T>, lines: fn(&T) -> Vec<Listed>) {
        let (before, after) = (before.map(lines).unwrap_or_default(), after.map(lines).unwrap_or_default());
        for line in before.iter().filter(|line| !after.contains(line)) {
            self.0.insert(line.clone(), false);
        }
        for line in after.into_iter().filter(|line| !before.contains(line)) {
            self.0.insert(line, true);
        }
    }

    pub(super) async fn write(&self, app: &App) -> Result<(), AppError> {
        for (line, stands) in &self.0 {
            if *stands {
                app.store.lists().put(line).await?;
            } else {
                app.store.lists().remove(line).await?;
            }
        }
        Ok(())
    }
}
