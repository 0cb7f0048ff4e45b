//! The kinds of reward, as members see them.

use guerdon_domain::{money::Currency, wallets::WalletKind};

/// The kind of reward in a wallet, as members see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purse {
    /// Credit that lowers bills.
    BillCredit,
    /// Money that is paid out.
    Earnings,
    /// Money that is spent in the shop.
    Balance,
    /// Days of premium.
    Days,
    /// Service credits.
    Credits,
}

impl Purse {
    /// Returns the purse for a wallet of this kind and currency.
    pub fn of(kind: WalletKind, currency: Currency) -> Self {
        match kind {
            _ if currency == Currency::DAY => Self::Days,
            WalletKind::BillCredit => Self::BillCredit,
            WalletKind::Earnings => Self::Earnings,
            WalletKind::Balance => Self::Balance,
            WalletKind::Credits => Self::Credits,
        }
    }
}
