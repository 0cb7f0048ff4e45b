//! The kinds of reward, as members know them.

use guerdon_domain::{money::Currency, wallets::WalletKind};

/// The kind of reward that a wallet holds, for members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purse {
    /// Comes off bills.
    BillCredit,
    /// Is paid out.
    Earnings,
    /// Is spent in the shop.
    Balance,
    /// Days of premium.
    Days,
    /// Service credits.
    Credits,
}

impl Purse {
    /// The purse that a wallet of this kind and currency is to its member.
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
