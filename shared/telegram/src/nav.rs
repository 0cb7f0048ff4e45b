//! Navigation buttons. All their state is in the 64 bytes that they carry, so an old menu still works.
//!
//! A button that moves money is not one of these: it is a [`Spend`](crate::spend::Spend).

use std::fmt::Write;

/// The target of a navigation button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nav {
    /// The member's code and link.
    Recruit,
    /// The best referrers of a period.
    Leaderboard(Period),
    /// The statement of credits.
    Credits {
        /// Shows the page before this entry; none shows the newest page.
        cursor: Option<u64>,
    },
    /// The member's profile.
    Profile,
    /// Help.
    Help,
    /// The plans on offer.
    Plans,
    /// The instructions for a withdrawal.
    Withdraw,
}

/// The span of a leaderboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Period {
    /// This week.
    Week,
    /// This month.
    Month,
    /// Since the beginning.
    All,
}

impl Period {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::All => "all",
        }
    }
}

impl Nav {
    /// The button's data.
    pub fn encode(self) -> String {
        let mut data = String::from("nav:");
        data.push_str(match self {
            Self::Recruit => "recruit",
            Self::Leaderboard(_) => "top:",
            Self::Credits { .. } => "credits",
            Self::Profile => "profile",
            Self::Help => "help",
            Self::Plans => "plans",
            Self::Withdraw => "withdraw",
        });
        match self {
            Self::Leaderboard(period) => data.push_str(period.as_str()),
            // Writing to a string cannot fail.
            Self::Credits { cursor: Some(seq) } => write!(data, ":{seq}").unwrap_or_default(),
            _ => {}
        }
        data
    }

    /// Reads a button's data; none for data that [`Nav::encode`] did not write.
    pub fn parse(data: &str) -> Option<Self> {
        let place = data.strip_prefix("nav:")?;
        let nav = match place.split_once(':').unwrap_or((place, "")) {
            ("recruit", _) => Self::Recruit,
            ("top", "week") => Self::Leaderboard(Period::Week),
            ("top", "month") => Self::Leaderboard(Period::Month),
            ("top", "all") => Self::Leaderboard(Period::All),
            ("credits", "") => Self::Credits { cursor: None },
            ("credits", seq) => Self::Credits { cursor: Some(seq.parse().ok()?) },
            ("profile", _) => Self::Profile,
            ("help", _) => Self::Help,
            ("plans", _) => Self::Plans,
            ("withdraw", _) => Self::Withdraw,
            _ => return None,
        };
        // Each target has one spelling: we never write `credits:+5` or `help:x`.
        (nav.encode() == data).then_some(nav)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_button_comes_back() {
        let check = |nav: Nav, data: &str| {
            assert_eq!(nav.encode(), data);
            assert_eq!(Nav::parse(data), Some(nav));
            assert!((1..=64).contains(&data.len()));
        };
        check(Nav::Recruit, "nav:recruit");
        check(Nav::Leaderboard(Period::Week), "nav:top:week");
        check(Nav::Leaderboard(Period::Month), "nav:top:month");
        check(Nav::Leaderboard(Period::All), "nav:top:all");
        check(Nav::Credits { cursor: None }, "nav:credits");
        check(Nav::Credits { cursor: Some(0) }, "nav:credits:0");
        check(Nav::Credits { cursor: Some(u64::MAX) }, "nav:credits:18446744073709551615");
        check(Nav::Profile, "nav:profile");
        check(Nav::Help, "nav:help");
        check(Nav::Plans, "nav:plans");
        check(Nav::Withdraw, "nav:withdraw");
    }

    #[test]
    fn what_we_did_not_write_is_none() {
        let bad =
            ["", "nav:", "recruit", "nav:Recruit", "nav:recruit:", "nav:help:x", "nav:top", "nav:top:day"];
        for data in bad {
            assert_eq!(Nav::parse(data), None, "{data}");
        }
        for cursor in ["", "+5", "-1", "05", " 5", "5:6", "18446744073709551616", "x"] {
            assert_eq!(Nav::parse(&format!("nav:credits:{cursor}")), None, "{cursor}");
        }
    }
}
