//! What of a client's data identifies the client: public addresses, and ids that are no placeholders.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    fraud::{Fingerprint, FingerprintError},
    members::PseudonymKey,
};

impl Fingerprint {
    /// Hashes the address of a client as a service reports it; nothing when it has no public address. Of a list, such as
    /// that of `X-Forwarded-For`, the first public address counts: proxies append theirs behind it.
    pub fn public_ip(key: &PseudonymKey, reported: &str) -> Option<Self> {
        let address = reported.split(',').filter_map(|entry| address(entry.trim())).find(is_public)?;
        Self::ip(key, &address.to_string()).ok()
    }

    /// Hashes the id of a client's device as a service reports it; nothing for a placeholder, and for an id that is
    /// too long or has control characters.
    pub fn usable_device(key: &PseudonymKey, reported: &str) -> Option<Self> {
        if is_placeholder(reported) { None } else { Self::device(key, reported).ok() }
    }

    /// Hashes the id of a means of payment as a service reports it; nothing for a placeholder.
    ///
    /// # Errors
    /// [`FingerprintError::Malformed`] for an id that is too long or has control characters.
    pub fn usable_payment(key: &PseudonymKey, reported: &str) -> Result<Option<Self>, FingerprintError> {
        if is_placeholder(reported) { Ok(None) } else { Self::payment(key, reported).map(Some) }
    }
}

/// Words that clients send where they know nothing.
const PLACEHOLDERS: [&str; 8] = ["unknown", "null", "nil", "none", "undefined", "n/a", "na", "-"];

/// Ids that many devices give: the address of a network card that Android and iOS show to every app, and the id of
/// a series of phones and of emulators.
const OF_MANY: [&str; 2] = ["02:00:00:00:00:00", "9774d56d682e549c"];

/// True for a text that stands for no id: blank, a word for nothing, only zeros, or an id that many devices give.
fn is_placeholder(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    let zeros = text.bytes().all(|b| matches!(b, b'0' | b'-' | b':' | b'{' | b'}'));
    zeros || PLACEHOLDERS.contains(&text.as_str()) || OF_MANY.contains(&text.as_str())
}

/// Reads `203.0.113.7`, `203.0.113.7:443`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:443`.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim_matches('"');
    let bracketed = || entry.strip_prefix('[')?.split_once(']');
    let found: Option<IpAddr> = match (entry.parse(), bracketed()) {
        (Ok(address), _) => Some(address),
        (Err(_), Some((inside, _))) => inside.parse().ok(),
        (Err(_), None) => entry.parse().ok().map(|at: std::net::SocketAddr| at.ip()),
    };
    found.map(|address| address.to_canonical())
}

/// Blocks of IPv4 that identify nobody (the registry of special addresses, RFC 6890): the network's own, private,
/// shared by the customers of a carrier, loopback, link-local, of protocols, of documents, of benchmarks, multicast and
/// reserved. Each with the length of its prefix.
const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The block of public addresses of IPv6.
const PUBLIC_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Blocks within it that identify nobody: of protocols and tunnels, of documents.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// True for an address that belongs to one customer of the Internet, or to a few.
fn is_public(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let bits =
                |address: Ipv4Addr, prefix| address.to_bits().checked_shr(32_u32.saturating_sub(prefix));
            !SPECIAL_V4.iter().any(|(block, prefix)| bits(*address, *prefix) == bits(*block, *prefix))
        }
        IpAddr::V6(address) => {
            let bits =
                |address: Ipv6Addr, prefix| address.to_bits().checked_shr(128_u32.saturating_sub(prefix));
            let within = |(block, prefix): &(Ipv6Addr, u32)| bits(*address, *prefix) == bits(*block, *prefix);
            within(&PUBLIC_V6) && !SPECIAL_V6.iter().any(within)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PseudonymKey {
        PseudonymKey::try_new(vec![1; 32]).unwrap()
    }

    /// Checks which address counts of what is reported.
    fn check(reported: &str, expect: Option<&str>) {
        let expect = expect.map(|ip| Fingerprint::ip(&key(), ip).unwrap());
        assert_eq!(Fingerprint::public_ip(&key(), reported), expect, "{reported:?}");
    }

    #[test]
    fn a_public_address_counts_in_every_form() {
        for (reported, address) in [
            ("8.8.8.8", "8.8.8.8"),
            (" 8.8.8.8:443 ", "8.8.8.8"),
            ("::ffff:8.8.8.8", "8.8.8.8"),
            ("2a00:1450:4001::200e", "2a00:1450:4001::"),
            ("[2a00:1450:4001::200e]", "2a00:1450:4001::"),
            ("\"[2a00:1450:4001::200e]:443\"", "2a00:1450:4001::"),
            ("100.63.255.255", "100.63.255.255"),
            ("172.32.0.1", "172.32.0.1"),
            ("2001:200::1", "2001:200::1"),
        ] {
            check(reported, Some(address));
        }
    }

    #[test]
    fn of_a_list_the_first_public_address_counts() {
        check("8.8.8.8, 1.1.1.1", Some("8.8.8.8"));
        check("10.0.0.5, 8.8.8.8, 1.1.1.1", Some("8.8.8.8"));
        check("unknown,127.0.0.1,8.8.8.8:80", Some("8.8.8.8"));
        check("10.0.0.5, unknown", None);
        check(" , ,", None);
    }

    /// Addresses and texts that identify nobody.
    const OF_NOBODY: &str = "|unknown|1.2.3|localhost|127.0.0.1|127.8.8.8|0.0.0.0|10.1.2.3|172.16.0.1|172.31.255.255|\
        192.168.1.1|169.254.1.1|100.64.0.1|100.127.255.255|192.0.2.1|198.51.100.7|203.0.113.7|198.19.0.1|224.0.0.1|\
        240.0.0.1|255.255.255.255|::1|::|fe80::1|fe80::1%eth0|fd00::1|ff02::1|2001:db8::1|3fff:1::1|2002:7f00:1::1|\
        64:ff9b::808:808|::ffff:192.168.1.1|203.0.113.7:443";

    #[test]
    fn an_address_that_identifies_nobody_is_left_out() {
        for reported in OF_NOBODY.split('|') {
            check(reported, None);
        }
    }

    #[test]
    fn an_id_that_is_a_placeholder_is_left_out() {
        let ids = "| |unknown|Unknown|null|N/A|0|00000000-0000-0000-0000-000000000000|02:00:00:00:00:00|9774D56D682E549C";
        for id in ids.split('|') {
            assert_eq!(Fingerprint::usable_device(&key(), id), None, "{id}");
            assert_eq!(Fingerprint::usable_payment(&key(), id), Ok(None), "{id}");
        }
        for bad in ["x".repeat(257), "a\nb".to_owned()] {
            assert_eq!(Fingerprint::usable_device(&key(), &bad), None, "{bad}");
            assert!(Fingerprint::usable_payment(&key(), &bad).is_err(), "{bad}");
        }
        for id in ["a1b2", "unknown-phone", "10"] {
            let (device, payment) = (Fingerprint::device(&key(), id), Fingerprint::payment(&key(), id));
            assert_eq!(Fingerprint::usable_device(&key(), id), device.ok(), "{id}");
            assert_eq!(Fingerprint::usable_payment(&key(), id), payment.map(Some), "{id}");
        }
    }
}
