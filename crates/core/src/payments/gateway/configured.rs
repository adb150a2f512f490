//! The gateway that the settings of a function choose.

use super::sandbox::Sandbox;
use super::{Charge, Gateway, GatewayError, RefundState};
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::payments::model::{ChargeKey, Provider, RefundKey};
use crate::values::money::Money;

/// The gateway that the setting `PAYMENT_GATEWAY` names.
#[derive(Clone, Debug)]
pub enum ConfiguredGateway {
    /// The gateway for development.
    Sandbox(Sandbox),
}

impl ConfiguredGateway {
    /// Creates the gateway from the settings.
    ///
    /// # Errors
    /// [`SettingError`] if the gateway is unknown, or one of its settings is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        match aws.settings().read(Setting::PaymentGateway)? {
            Provider::Sandbox => Ok(Self::Sandbox(Sandbox::new(aws)?)),
        }
    }
}

impl Gateway for ConfiguredGateway {
    fn provider(&self) -> Provider {
        match self {
            Self::Sandbox(_) => Provider::Sandbox,
        }
    }

    async fn charge(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> Result<Charge, GatewayError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.charge(key, amount, token).await,
        }
    }

    async fn retrieve(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.retrieve(key).await,
        }
    }

    async fn void(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.void(key).await,
        }
    }

    async fn refund(&self, key: &RefundKey, amount: Money) -> Result<RefundState, GatewayError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.refund(key, amount).await,
        }
    }

    async fn retrieve_refund(&self, key: &RefundKey) -> Result<RefundState, GatewayError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.retrieve_refund(key).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::aws::settings::Settings;
    use crate::testing;

    #[test]
    fn an_unknown_gateway_is_refused_at_the_start() {
        let (aws, _) = testing::aws();
        assert!(ConfiguredGateway::new(&aws).is_ok());
        let config = aws_types::SdkConfig::builder().build();
        let settings = BTreeMap::from([
            ("PAYMENT_GATEWAY".to_owned(), "stripe".to_owned()),
            ("SANDBOX_TABLE".to_owned(), "SANDBOX_TABLE".to_owned()),
        ]);
        let aws = Aws::with(config, Settings::Given(settings));
        let refused = ConfiguredGateway::new(&aws).unwrap_err();
        let expected = SettingError::Invalid("PAYMENT_GATEWAY", "stripe".to_owned());
        assert_eq!(refused, expected);
    }
}
