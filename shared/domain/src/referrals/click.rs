//! Clicks on shared links, and attribution: a visitor who followed several links is credited to the first.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{ClickId, MemberId},
    referrals::Code,
    time::Timestamp,
};

/// A visitor's first click, as their browser remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// The code of the link.
    pub code: Code,
    /// The click.
    pub click: ClickId,
    /// The instant of the click.
    pub at: Timestamp,
}

impl Touch {
    /// Formats it as a cookie's value: `CODE.click.milliseconds`.
    pub fn to_cookie(&self) -> String {
        format!("{}.{}.{}", self.code, self.click, self.at.millis())
    }

    /// Reads a cookie's value; nothing when it is not one of ours.
    pub fn from_cookie(value: &str) -> Option<Self> {
        let mut parts = value.split('.');
        let (code, click, at) = (parts.next()?, parts.next()?, parts.next()?);
        let at = Timestamp::from_millis(at.parse().ok()?);
        let touch = Self { code: Code::parse(code).ok()?, click: ClickId::parse(click).ok()?, at };
        parts.next().is_none().then_some(touch)
    }
}

/// The reason why a click is credited to its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// The visitor's first click.
    FirstTouch,
    /// The visitor clicked another link before, within the window: that one stays credited.
    KeptFirstTouch,
    /// The visitor clicked another link before, longer ago than the window.
    WindowOver,
    /// The visitor clicked another link before, whose code is no longer valid.
    FirstCodeOver,
    /// The visitor clicked another link before, whose owner is blocked from rewards.
    FirstOwnerBlocked,
}

impl Attribution {
    /// The reason's name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstTouch => "first_touch",
            Self::KeptFirstTouch => "kept_first_touch",
            Self::WindowOver => "window_over",
            Self::FirstCodeOver => "first_code_over",
            Self::FirstOwnerBlocked => "first_owner_blocked",
        }
    }

    /// The reason in a sentence for operators.
    pub const fn explain(self) -> &'static str {
        match self {
            Self::FirstTouch => "This was the visitor's first click on a link.",
            Self::KeptFirstTouch => "The visitor had clicked another link before; the first one counts.",
            Self::WindowOver => "The visitor's click on another link was too long ago to count.",
            Self::FirstCodeOver => {
                "The code of the link that the visitor had clicked first is not valid any more."
            }
            Self::FirstOwnerBlocked => {
                "The member whose link the visitor had clicked first was blocked from rewards."
            }
        }
    }

    /// True when the click before this one stays credited.
    pub const fn keeps_first(self) -> bool {
        matches!(self, Self::KeptFirstTouch)
    }
}

/// Whether the code of a first click still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeStanding {
    /// It can be used.
    Valid,
    /// It has expired, or does not exist.
    Over,
    /// Its owner is blocked from rewards.
    OwnerBlocked,
}

/// Decides which code is credited for a click on the link of `code` at `now`, by a visitor whose first click
/// was `first`. `standing` is that of the first click's code, and `window_days` states how long a first click counts.
pub fn attribute(
    code: &Code,
    first: Option<&Touch>,
    standing: CodeStanding,
    now: Timestamp,
    window_days: i64,
) -> Attribution {
    match first {
        None => Attribution::FirstTouch,
        Some(first) if first.code == *code => Attribution::FirstTouch,
        // A first click with a time in the future is forged, so it does not count.
        Some(first) if first.at > now || now >= first.at.plus_days(window_days) => Attribution::WindowOver,
        Some(_) => match standing {
            CodeStanding::Valid => Attribution::KeptFirstTouch,
            CodeStanding::Over => Attribution::FirstCodeOver,
            CodeStanding::OwnerBlocked => Attribution::FirstOwnerBlocked,
        },
    }
}

/// One click by a person on a shared link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Click {
    /// The id. The link into Telegram contains it.
    pub id: ClickId,
    /// The code of the link that was clicked.
    pub code: Code,
    /// The member whose code was clicked.
    pub owner: MemberId,
    /// The code that is credited.
    pub credited: Code,
    /// The reason why that code is credited.
    pub attribution: Attribution,
    /// The visitor's first click, if this is not the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Touch>,
    /// The instant of the click.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_253_400);

    fn touch(code: &str, days_ago: i64) -> Touch {
        let (code, click) = (Code::parse(code).unwrap(), ClickId::parse("c1").unwrap());
        Touch { code, click, at: NOW.plus_days(-days_ago) }
    }

    #[test]
    fn the_first_touch_counts_within_the_window() {
        use CodeStanding::{Over, OwnerBlocked, Valid};
        let check = |first: Option<Touch>, standing: CodeStanding, expect: Attribution| {
            let code = Code::parse("BBBBBBBB").unwrap();
            assert_eq!(attribute(&code, first.as_ref(), standing, NOW, 30), expect, "{first:?}");
        };
        check(None, Over, Attribution::FirstTouch);
        check(Some(touch("BBBBBBBB", 5)), Valid, Attribution::FirstTouch);
        check(Some(touch("AAAAAAAA", 29)), Valid, Attribution::KeptFirstTouch);
        check(Some(touch("AAAAAAAA", 30)), Valid, Attribution::WindowOver);
        check(Some(touch("AAAAAAAA", 29)), Over, Attribution::FirstCodeOver);
        check(Some(touch("AAAAAAAA", 29)), OwnerBlocked, Attribution::FirstOwnerBlocked);
        check(Some(touch("AAAAAAAA", -1)), Valid, Attribution::WindowOver);
    }

    #[test]
    fn a_cookie_is_read_back_and_nothing_else_is() {
        let first = touch("AAAAAAAA", 3);
        assert_eq!(Touch::from_cookie(&first.to_cookie()), Some(first));
        for bad in
            ["", "AAAAAAAA", "AAAAAAAA.c1", "AAAAAAAA.c1.x", "AAAAAAAA.c1.1.1", "0OI1.c1.1", "AAAAAAAA..1"]
        {
            assert_eq!(Touch::from_cookie(bad), None, "{bad}");
        }
    }
}
