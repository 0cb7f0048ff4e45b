//! Notes of the verification: how far it is, what it found, and the programs that a preset has had.

use guerdon_domain::{programs::Program, time::Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{AcknowledgedDifference, ScanCursor, Verification};
use crate::table::{
    Range, StoreError,
    item::{Key, Record, decode},
    keys,
    prefixes::Prefix,
};

/// A difference that stopped the verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundDifference {
    /// The id under which it is acknowledged.
    pub id: String,
    /// The wallet, payment or other record.
    pub subject: String,
    /// The description.
    pub problem: String,
}

/// The position of the scheduled verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct VerificationCursor {
    cursor: Option<ScanCursor>,
    at: Timestamp,
    /// The difference at which it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    found: Option<FoundDifference>,
}

impl Record for VerificationCursor {
    const TYPE: &'static str = "verification";
    fn key(&self) -> Key {
        keys::verification()
    }
}

/// A program of a preset that has decided payments. The rules of a preset change with a release; commissions keep
/// the rules of their time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownProgram {
    /// The program.
    pub program: Program,
    /// The instant at which the verification first saw it.
    pub seen_at: Timestamp,
}

impl Record for KnownProgram {
    const TYPE: &'static str = "known_program";
    fn key(&self) -> Key {
        // A program that cannot be written has the key of an empty text; it is not stored either.
        let text = serde_json::to_string(&self.program).unwrap_or_default();
        let digest = hex::encode(&Sha256::digest(text.as_bytes())[..8]);
        Key::new(Prefix::Verification, Prefix::KnownProgram.with(digest))
    }
}

impl Verification<'_> {
    /// Reads the cursor of the scheduled verification; nothing when it starts from the beginning.
    pub async fn cursor(self) -> Result<Option<ScanCursor>, StoreError> {
        let kept: Option<VerificationCursor> = self.store.get(&keys::verification()).await?;
        Ok(kept.and_then(|kept| kept.cursor))
    }

    /// Reads the difference at which the scheduled verification stands, and the instant of its last note.
    pub async fn found(self) -> Result<Option<(FoundDifference, Timestamp)>, StoreError> {
        let kept: Option<VerificationCursor> = self.store.get(&keys::verification()).await?;
        Ok(kept.and_then(|kept| kept.found.map(|found| (found, kept.at))))
    }

    /// Writes the cursor of the scheduled verification, and the difference at which it stands.
    pub async fn keep_cursor(
        self,
        cursor: Option<&ScanCursor>,
        found: Option<FoundDifference>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.put(&VerificationCursor { cursor: cursor.cloned(), at, found }).await
    }

    /// Reads the differences that operators acknowledged.
    pub async fn acknowledged(self) -> Result<Vec<AcknowledgedDifference>, StoreError> {
        self.store.all(Range::partition(Prefix::Verification).prefix(Prefix::Acknowledged.as_str())).await
    }

    /// Reads the programs that the preset has had, as far as the verification has seen them.
    pub async fn known_programs(self) -> Result<Vec<KnownProgram>, StoreError> {
        let range = Range::partition(Prefix::Verification).prefix(Prefix::KnownProgram.as_str());
        let (items, _) = self.store.page(range).await?;
        items.into_iter().map(decode).collect()
    }

    /// Writes a program of the preset, unless it is known.
    pub async fn remember_program(self, known: &KnownProgram) -> Result<(), StoreError> {
        self.store.insert(known).await.map(|_| ())
    }
}
