//! Payment providers, and the gateways that a shop has at them.

use std::fmt;
use std::str::FromStr;

/// The longest name of an account, in characters.
const LONGEST_ACCOUNT: usize = 20;

/// A payment provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// The gateway for development, which moves no money but keeps books as if it did.
    Sandbox,
    /// [Stripe](https://stripe.com).
    Stripe,
}

impl Provider {
    /// Returns its name in the setting `PAYMENT_GATEWAY`, on the wire and as stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Stripe => "stripe",
        }
    }
}

/// A text that is not the name of a gateway.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown payment gateway {0:?}")]
pub struct InvalidProvider(String);

impl FromStr for Provider {
    type Err = InvalidProvider;

    fn from_str(text: &str) -> Result<Self, InvalidProvider> {
        match text {
            "sandbox" => Ok(Self::Sandbox),
            "stripe" => Ok(Self::Stripe),
            _ => Err(InvalidProvider(text.to_owned())),
        }
    }
}

/// A gateway of the shop: the provider, and which of the shop's accounts there. On the wire, as stored and in settings it is
/// `stripe`, the only account or the first one, or `stripe:us`. An account's name has up to 20 lower-case letters, digits
/// and hyphens, and begins with a letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GatewayName {
    provider: Provider,
    account: Option<String>,
}

impl GatewayName {
    /// Returns its provider.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// Returns the account's name, if it has one.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }
}

impl From<Provider> for GatewayName {
    /// The account at `provider` that has no name.
    fn from(provider: Provider) -> Self {
        Self {
            provider,
            account: None,
        }
    }
}

impl fmt::Display for GatewayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.provider.name())?;
        match &self.account {
            Some(account) => write!(f, ":{account}"),
            None => Ok(()),
        }
    }
}

impl FromStr for GatewayName {
    type Err = InvalidProvider;

    fn from_str(text: &str) -> Result<Self, InvalidProvider> {
        let (provider, account) = match text.split_once(':') {
            Some((provider, account)) if is_account(account) => (provider, Some(account)),
            Some(_) => return Err(InvalidProvider(text.to_owned())),
            None => (text, None),
        };
        Ok(Self {
            provider: provider.parse()?,
            account: account.map(str::to_owned),
        })
    }
}

fn is_account(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= LONGEST_ACCOUNT
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_gateway_is_its_provider_and_its_account() {
        for (text, provider, account) in [
            ("sandbox", Provider::Sandbox, None),
            ("stripe", Provider::Stripe, None),
            ("stripe:us", Provider::Stripe, Some("us")),
            ("sandbox:a-1", Provider::Sandbox, Some("a-1")),
        ] {
            let name: GatewayName = text.parse().unwrap();
            assert_eq!((name.provider(), name.account()), (provider, account));
            assert_eq!(name.to_string(), text);
        }
        for text in [
            "",
            "abacus",
            "abacus:us",
            "stripe:",
            ":us",
            "stripe:US",
            "stripe:1",
            "stripe:a:b",
            "stripe:a b",
            "stripe:a23456789012345678901",
        ] {
            assert!(text.parse::<GatewayName>().is_err(), "{text:?}");
        }
    }
}
