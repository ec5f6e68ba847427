//! Ranges of addresses as receive connectors have them (`RemoteIPRanges`; Microsoft Learn, Set-ReceiveConnector).

use std::net::IpAddr;

/// The addresses from one to another, both included, of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteRange {
    is_v6: bool,
    first: u128,
    last: u128,
}

impl RemoteRange {
    /// A single address, two with a hyphen between, an address with the length of its prefix, or an IPv4 address with its mask in
    /// brackets. None for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some((first, last)) = text.split_once('-') {
            let ((is_v6, first), (other, last)) = (number(first)?, number(last)?);
            return (is_v6 == other && first <= last).then_some(Self { is_v6, first, last });
        }
        if let Some((network, length)) = text.split_once('/') {
            return Self::of_prefix(number(network)?, length.trim().parse().ok()?);
        }
        if let Some((network, mask)) = text.split_once('(') {
            let mask: std::net::Ipv4Addr = mask.strip_suffix(')')?.trim().parse().ok()?;
            let bits = u32::from(mask);
            return (bits.leading_ones() == bits.count_ones())
                .then(|| Self::of_prefix(number(network)?, bits.count_ones()))
                .flatten();
        }
        let (is_v6, only) = number(text)?;
        Some(Self { is_v6, first: only, last: only })
    }

    fn of_prefix((is_v6, network): (bool, u128), length: u32) -> Option<Self> {
        let width: u32 = if is_v6 { 128 } else { 32 };
        let free = 1_u128.checked_shl(width.checked_sub(length)?).map_or(u128::MAX, |size| size - 1);
        Some(Self { is_v6, first: network & !free, last: network | free })
    }

    /// How many addresses it has besides its first one, when this one is among them: the fewer, the nearer.
    pub fn distance(self, client: IpAddr) -> Option<u128> {
        let (is_v6, client) = of(client);
        (is_v6 == self.is_v6 && (self.first..=self.last).contains(&client)).then(|| self.last - self.first)
    }
}

fn number(text: &str) -> Option<(bool, u128)> {
    Some(of(text.trim().parse().ok()?))
}

fn of(address: IpAddr) -> (bool, u128) {
    match address.to_canonical() {
        IpAddr::V4(address) => (false, u128::from(u32::from(address))),
        IpAddr::V6(address) => (true, u128::from(address)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_cmdlet_is_read() {
        let distance =
            |range: &str, client: &str| RemoteRange::parse(range)?.distance(client.parse().unwrap());
        assert_eq!(distance("10.0.0.0/8", "10.1.2.3"), Some((1 << 24) - 1));
        assert_eq!(distance("10.0.0.0(255.255.255.0)", "10.0.0.9"), Some(255));
        assert_eq!(distance("10.0.0.5-10.0.0.9", "10.0.0.9"), Some(4));
        assert_eq!(distance("10.0.0.5-10.0.0.9", "10.0.0.10"), None);
        assert_eq!(distance("127.0.0.1", "127.0.0.1"), Some(0));
        assert_eq!(distance("0.0.0.0-255.255.255.255", "::ffff:10.0.0.1"), Some((1 << 32) - 1));
        assert_eq!(distance("0.0.0.0/0", "10.0.0.1"), Some((1 << 32) - 1));
        assert_eq!(distance("::/0", "fe80::1"), Some(u128::MAX));
        assert_eq!(distance("::/0", "10.0.0.1"), None);
        for odd in [
            "",
            "-",
            "10.0.0.0/33",
            "10.0.0.9-10.0.0.5",
            "10.0.0.0(255.0.255.0)",
            "mail.contoso.com",
            "1-::2",
            "10.0.0.0/-1",
        ] {
            assert_eq!(RemoteRange::parse(odd), None, "{odd}");
        }
    }
}
