//! The cumulative clawback formula (guarantee 4): refunds and disputes in any split and order end the same.

use crate::money::{Money, MoneyError};

/// The part of `grant` that must be taken back in total once `undone` of `base` has been undone.
///
/// `undone` is all that was refunded or disputed so far, less what was reinstated. The caller posts the
/// result minus what was clawed back before; a negative difference restores. The result is never below zero
/// and never above the grant.
///
/// # Errors
/// [`MoneyError`] when currencies differ, `base` is not above zero, or a product does not fit.
pub fn clawback_target(grant: Money, base: Money, undone: Money) -> Result<Money, MoneyError> {
    base.checked_sub(undone)?;
    grant.checked_share(undone.minor().clamp(0, base.minor().max(0)), base.minor())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    #[test]
    fn takes_back_the_same_share_that_was_undone() {
        let check = |undone, expect| {
            assert_eq!(
                clawback_target(usd(1000), usd(3900), usd(undone)).unwrap().minor(),
                expect,
                "{undone}"
            );
        };
        check(0, 0);
        check(3900, 1000);
        check(1950, 500);
        check(1, 0);
        check(2, 1);
        check(5000, 1000);
        check(-10, 0);
        assert!(clawback_target(usd(1000), usd(0), usd(1)).is_err());
    }

    proptest! {
        #[test]
        fn any_split_and_order_sums_to_the_target(
            grant in 1_i64..1_000_000, base in 1_i64..1_000_000,
            mut parts in proptest::collection::vec(1_i64..50_000, 1..12),
        ) {
            let total = |parts: &[i64]| {
                let (mut undone, mut clawed) = (0, 0);
                for part in parts {
                    undone += part;
                    let target = clawback_target(usd(grant), usd(base), usd(undone)).unwrap().minor();
                    clawed += target - clawed;
                    assert!((0..=grant).contains(&clawed));
                }
                clawed
            };
            let forward = total(&parts);
            parts.reverse();
            prop_assert_eq!(total(&parts), forward);
        }
    }
}
