//! Buttons that move money. They carry the id of a server-side intent and no figures, so a button can do only what
//! its member was shown, and only once.

use guerdon_domain::{ids::IntentId, intents::ActionKind};

/// The member's decision about an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Does the action.
    Confirm,
    /// Makes the button do nothing any more.
    Cancel,
}

impl Decision {
    const ALL: [Self; 2] = [Self::Confirm, Self::Cancel];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "do",
            Self::Cancel => "no",
        }
    }
}

/// The meaning of a button that moves money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// The decision.
    pub decision: Decision,
    /// The kind of action.
    pub kind: ActionKind,
    /// The intent.
    pub id: IntentId,
}

impl Spend {
    /// The button's data.
    pub fn encode(&self) -> String {
        format!("{}:{}:{}", self.decision.as_str(), self.kind.as_str(), self.id)
    }

    /// Reads a button's data; none for data that [`Spend::encode`] did not write.
    pub fn parse(data: &str) -> Option<Self> {
        let (decision, rest) = data.split_once(':')?;
        let (kind, id) = rest.split_once(':')?;
        let decision = Decision::ALL.into_iter().find(|known| known.as_str() == decision)?;
        Some(Self { decision, kind: ActionKind::parse(kind)?, id: IntentId::parse(id).ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_button_comes_back_and_fits() {
        let id = IntentId::parse("0123456789abcdef01234567").unwrap();
        for kind in ActionKind::ALL {
            for decision in Decision::ALL {
                let spend = Spend { decision, kind, id: id.clone() };
                let data = spend.encode();
                assert!(data.len() <= 64, "{data}");
                assert_eq!(Spend::parse(&data), Some(spend), "{data}");
            }
        }
        let spend = Spend { decision: Decision::Confirm, kind: ActionKind::Withdraw, id };
        assert_eq!(spend.encode(), "do:withdraw:0123456789abcdef01234567");
    }

    #[test]
    fn what_we_did_not_write_is_none() {
        for data in [
            "",
            "do",
            "do:withdraw",
            "do:withdraw:",
            "do:burn:ab",
            "go:withdraw:ab",
            "do:withdraw:a#b",
            "DO:claim:ab",
        ] {
            assert_eq!(Spend::parse(data), None, "{data}");
        }
    }
}
