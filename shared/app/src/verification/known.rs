//! What a verification knows before it reads: acknowledged differences, and the programs that decided payments.

use std::collections::BTreeSet;

use guerdon_domain::programs::{Program, RuleSnapshot};
use guerdon_store::verification::KnownProgram;

use super::difference::Difference;
use crate::{context::App, error::AppError};

/// What a verification knows before it reads.
pub(super) struct Known {
    acknowledged: BTreeSet<String>,
    programs: Vec<Program>,
    /// The preset's program is not written down yet.
    preset_is_new: bool,
}

impl Known {
    /// Reads it, and writes down the preset's program when it is new: commissions keep the rules of their time, also
    /// when a release changes the preset.
    pub(super) async fn kept(app: &App) -> Result<Self, AppError> {
        let known = Self::read(app).await?;
        if known.preset_is_new {
            let program = app.preset.program.clone();
            app.store.verification().remember_program(&KnownProgram { program, seen_at: app.now() }).await?;
        }
        Ok(known)
    }

    /// Reads it, and writes nothing.
    pub(super) async fn read(app: &App) -> Result<Self, AppError> {
        let notes = app.store.verification();
        let acknowledged = notes.acknowledged().await?.into_iter().map(|known| known.id).collect();
        let mut programs: Vec<Program> =
            notes.known_programs().await?.into_iter().map(|known| known.program).collect();
        let preset_is_new = !programs.contains(&app.preset.program);
        if preset_is_new {
            programs.push(app.preset.program.clone());
        }
        programs.extend(notes.versions().await?.into_iter().map(|version| version.program));
        Ok(Self { acknowledged, programs, preset_is_new })
    }

    /// True when the snapshot is that of a rule of a program on record.
    pub(super) fn has(&self, snapshot: &RuleSnapshot) -> bool {
        self.programs.iter().any(|program| snapshot.is_of(program))
    }

    /// True when an operator acknowledged the difference as it is.
    pub(super) fn is_acknowledged(&self, difference: &Difference) -> bool {
        self.acknowledged.contains(&difference.id())
    }
}
