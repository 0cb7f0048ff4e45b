//! Time in the domain: milliseconds of UTC, passed in by the caller.

use std::fmt;

use jiff::{Timestamp as Instant, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// Seconds in a day. The domain uses no other length of a day.
pub const DAY_SECONDS: i64 = 86_400;

impl Timestamp {
    /// Converts from milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Converts from whole seconds since the epoch, as Stripe and Telegram send them.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// True when `other` is in a later second. Texts show whole seconds, and providers send them, so a limit that is shown
    /// as a second includes all of that second.
    pub const fn is_seconds_before(self, other: Self) -> bool {
        self.seconds() < other.seconds()
    }

    /// The beginning of its second.
    #[must_use]
    pub const fn whole_second(self) -> Self {
        Self::from_seconds(self.seconds())
    }

    /// Adds `seconds`; stays at the last representable instant instead of overflowing.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Adds `days` of 86,400 s.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(DAY_SECONDS))
    }

    /// The UTC date, `2026-11-21`.
    pub fn day(self) -> String {
        self.zoned().strftime("%Y-%m-%d").to_string()
    }

    /// The UTC month, `2026-11`.
    pub fn month(self) -> String {
        self.zoned().strftime("%Y-%m").to_string()
    }

    /// Formats with milliseconds, as JavaScript does: `2026-11-21T09:30:00.000Z`.
    pub fn to_iso_millis(self) -> String {
        self.zoned().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// The ISO 8601 week, `2026-W47` (weeks start on Monday; the year is the week's, not the day's).
    pub fn iso_week(self) -> String {
        self.zoned().strftime("%G-W%V").to_string()
    }

    /// The last UTC day that is over at this instant, for work that is limited to whole days.
    pub fn last_whole_day(self) -> String {
        self.plus_days(-1).day()
    }

    /// Formats for HTTP headers, in whole seconds: `Sat, 21 Nov 2026 00:00:00 GMT`.
    pub fn to_http_date(self) -> String {
        let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
        // The formatter supports all years of our instants.
        printer.timestamp_to_rfc9110_string(&self.zoned().timestamp()).unwrap_or_default()
    }

    fn zoned(self) -> jiff::Zoned {
        Instant::from_millisecond(self.0).unwrap_or(Instant::UNIX_EPOCH).to_zoned(TimeZone::UTC)
    }
}

/// Formats as RFC 3339 with seconds: `2026-11-21T09:30:00Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.zoned().strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_has_its_own_dates() {
        assert_eq!(Timestamp::from_seconds(784_111_777).to_http_date(), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn names_days_weeks_and_months() {
        let check = |seconds: i64, day: &str, week: &str, month: &str| {
            let at = Timestamp::from_seconds(seconds);
            assert_eq!(
                (at.day(), at.iso_week(), at.month()),
                (day.to_owned(), week.to_owned(), month.to_owned())
            );
        };
        check(0, "1970-01-01", "1970-W01", "1970-01");
        check(1_795_253_400, "2026-11-21", "2026-W47", "2026-11");
        // The first days of 2027 belong to the last week of 2026.
        check(1_798_761_600, "2027-01-01", "2026-W53", "2027-01");
        check(-1, "1969-12-31", "1970-W01", "1969-12");
    }

    #[test]
    fn shows_rfc_3339_and_never_overflows() {
        assert_eq!(Timestamp::from_seconds(1_795_253_400).to_string(), "2026-11-21T09:30:00Z");
        assert_eq!(Timestamp::from_millis(i64::MAX).plus_days(1).millis(), i64::MAX);
        assert_eq!(Timestamp::from_millis(-1).seconds(), -1);
    }
}
