//! The gateway that the settings of a function choose.

use super::sandbox::Sandbox;
use super::stripe::Stripe;
use super::{Charge, EventError, Gateway, GatewayError, Notice, RefundState};
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::payments::model::disputes::Dispute;
use crate::payments::model::{ChargeKey, Provider, RefundKey};
use crate::values::clock::Time;
use crate::values::money::Money;

/// The gateway that the setting `PAYMENT_GATEWAY` names.
#[derive(Clone, Debug)]
pub enum ConfiguredGateway {
    /// The gateway for development.
    Sandbox(Sandbox),
    /// Stripe.
    Stripe(Stripe),
}

impl ConfiguredGateway {
    /// Creates the gateway from the settings.
    ///
    /// # Errors
    /// [`SettingError`] if the gateway is unknown, or one of its settings is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        match aws.settings().read(Setting::PaymentGateway)? {
            Provider::Sandbox => Ok(Self::Sandbox(Sandbox::new(aws)?)),
            Provider::Stripe => Ok(Self::Stripe(Stripe::new(aws)?)),
        }
    }
}

impl Gateway for ConfiguredGateway {
    fn provider(&self) -> Provider {
        match self {
            Self::Sandbox(_) => Provider::Sandbox,
            Self::Stripe(_) => Provider::Stripe,
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
            Self::Stripe(stripe) => stripe.charge(key, amount, token).await,
        }
    }

    async fn retrieve(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.retrieve(key).await,
            Self::Stripe(stripe) => stripe.retrieve(key).await,
        }
    }

    async fn void(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.void(key).await,
            Self::Stripe(stripe) => stripe.void(key).await,
        }
    }

    async fn refund(&self, key: &RefundKey, amount: Money) -> Result<RefundState, GatewayError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.refund(key, amount).await,
            Self::Stripe(stripe) => stripe.refund(key, amount).await,
        }
    }

    async fn retrieve_refund(&self, key: &RefundKey) -> Result<RefundState, GatewayError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.retrieve_refund(key).await,
            Self::Stripe(stripe) => stripe.retrieve_refund(key).await,
        }
    }

    async fn retrieve_dispute(
        &self,
        key: &ChargeKey,
        id: &str,
    ) -> Result<Option<Dispute>, GatewayError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.retrieve_dispute(key, id).await,
            Self::Stripe(stripe) => stripe.retrieve_dispute(key, id).await,
        }
    }

    async fn take_event(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Time,
    ) -> Result<Notice, EventError> {
        match self {
            Self::Sandbox(sandbox) => sandbox.take_event(signature, body, now).await,
            Self::Stripe(stripe) => stripe.take_event(signature, body, now).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::aws::settings::Settings;
    use crate::testing;

    fn configured(gateway: &str) -> Result<ConfiguredGateway, SettingError> {
        let config = aws_types::SdkConfig::builder().build();
        let settings = [("PAYMENT_GATEWAY", gateway), ("SANDBOX_TABLE", "sandbox")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings::Given(BTreeMap::from(settings));
        ConfiguredGateway::new(&Aws::with(config, settings))
    }

    #[test]
    fn the_setting_chooses_the_gateway() {
        let (aws, _) = testing::aws();
        let sandbox = ConfiguredGateway::new(&aws).unwrap();
        assert_eq!(sandbox.provider(), Provider::Sandbox);
        let (aws, _) = testing::aws_with(&[("PAYMENT_GATEWAY", "stripe")]);
        let stripe = ConfiguredGateway::new(&aws).unwrap();
        assert_eq!(stripe.provider(), Provider::Stripe);
    }

    #[test]
    fn an_unknown_gateway_and_a_missing_setting_are_refused_at_the_start() {
        let unknown = SettingError::Invalid("PAYMENT_GATEWAY", "abacus".to_owned());
        assert_eq!(configured("abacus").unwrap_err(), unknown);
        let missing = SettingError::Missing("STRIPE_TABLE");
        assert_eq!(configured("stripe").unwrap_err(), missing);
    }
}
