//! The gateways that the settings of a function choose.

use super::routing::plan::{Payer, Plan};
use super::routing::router::Router;
use super::routing::routes::Routes;
use super::sandbox::Sandbox;
use super::statement::{Movement, Statements};
use super::stripe::Stripe;
use super::{Charge, EventError, Gateway, GatewayError, Notice, RefundState};
use crate::aws::Aws;
use crate::aws::settings::{Setting, SettingError};
use crate::http::page::Page;
use crate::payments::days::Span;
use crate::payments::model::disputes::Dispute;
use crate::payments::model::{CaptureTime, ChargeKey, GatewayName, Provider, RefundKey};
use crate::values::clock::Time;
use crate::values::money::Money;

/// The gateways at the provider that the setting `PAYMENT_GATEWAY` names. A call goes to the account that its key names, also
/// if `PAYMENT_GATEWAYS` does not list it any more.
#[derive(Clone, Debug)]
pub struct ConfiguredGateway {
    accounts: Accounts,
    router: Option<Router>,
    capture_time: CaptureTime,
    /// The gateways of `PAYMENT_GATEWAYS`, where they are needed.
    names: Vec<GatewayName>,
}

/// The accounts at a provider.
#[derive(Clone, Debug)]
enum Accounts {
    /// The gateway for development.
    Sandbox(Sandbox),
    /// Stripe.
    Stripe(Stripe),
}

impl ConfiguredGateway {
    /// Creates the gateways from the settings, for what goes on with payments that have begun.
    ///
    /// # Errors
    /// [`SettingError`] if the gateway is unknown, or one of its settings is missing.
    pub fn new(aws: &Aws) -> Result<Self, SettingError> {
        let accounts = match aws.settings().read(Setting::PaymentGateway)? {
            Provider::Sandbox => Accounts::Sandbox(Sandbox::new(aws)?),
            Provider::Stripe => Accounts::Stripe(Stripe::new(aws)?),
        };
        Ok(Self {
            accounts,
            router: None,
            capture_time: CaptureTime::AtOnce,
            names: Vec::new(),
        })
    }

    /// Creates the gateways from the settings, with those that choose one for a payment that begins: `PAYMENT_GATEWAYS`,
    /// `PAYMENT_ROUTING`, `GATEWAYS_TABLE` and `PAYMENT_CAPTURE`.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing, or not valid.
    pub fn routed(aws: &Aws) -> Result<Self, SettingError> {
        let router = Router::new(aws)?;
        let capture_time = aws.settings().read(Setting::PaymentCapture)?;
        Ok(Self {
            router,
            capture_time,
            ..Self::new(aws)?
        })
    }

    /// Creates the gateways from the settings, with the names of all that the shop has: `PAYMENT_GATEWAYS` and
    /// `PAYMENT_ROUTING`.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing, or not valid.
    pub fn listed(aws: &Aws) -> Result<Self, SettingError> {
        let one = Self::new(aws)?;
        let names = match Plan::of(aws.settings())? {
            Some(plan) => plan.names().cloned().collect(),
            None => vec![one.provider().into()],
        };
        Ok(Self { names, ..one })
    }

    /// Returns the gateway of `key`.
    fn of(&self, key: &ChargeKey) -> Result<Accounts, GatewayError> {
        let theirs = key.gateway().map(GatewayName::provider);
        if theirs.is_some_and(|provider| provider != self.provider()) {
            let gateway = key.gateway().map(ToString::to_string);
            tracing::error!(gateway, "the gateway of a payment is not in use");
            return Err(GatewayError::Unknown(
                "the payment's gateway is not in use".into(),
            ));
        }
        Ok(match &self.accounts {
            Accounts::Sandbox(sandbox) => Accounts::Sandbox(sandbox.clone()),
            Accounts::Stripe(stripe) => Accounts::Stripe(stripe.account(key.account())),
        })
    }
}

impl Gateway for ConfiguredGateway {
    fn provider(&self) -> Provider {
        match self.accounts {
            Accounts::Sandbox(_) => Provider::Sandbox,
            Accounts::Stripe(_) => Provider::Stripe,
        }
    }

    async fn charge(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> Result<Charge, GatewayError> {
        match self.of(key)? {
            Accounts::Sandbox(sandbox) => sandbox.charge(key, amount, token).await,
            Accounts::Stripe(stripe) => stripe.charge(key, amount, token).await,
        }
    }

    async fn authorize(
        &self,
        key: &ChargeKey,
        amount: Money,
        token: &str,
    ) -> Result<Charge, GatewayError> {
        match self.of(key)? {
            Accounts::Sandbox(sandbox) => sandbox.authorize(key, amount, token).await,
            Accounts::Stripe(stripe) => stripe.authorize(key, amount, token).await,
        }
    }

    async fn capture(
        &self,
        key: &ChargeKey,
        total: Money,
        last: bool,
    ) -> Result<Charge, GatewayError> {
        match self.of(key)? {
            Accounts::Sandbox(sandbox) => sandbox.capture(key, total, last).await,
            Accounts::Stripe(stripe) => stripe.capture(key, total, last).await,
        }
    }

    fn captures_in_parts(&self) -> bool {
        match &self.accounts {
            Accounts::Sandbox(sandbox) => sandbox.captures_in_parts(),
            Accounts::Stripe(stripe) => stripe.captures_in_parts(),
        }
    }

    async fn retrieve(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        match self.of(key)? {
            Accounts::Sandbox(sandbox) => sandbox.retrieve(key).await,
            Accounts::Stripe(stripe) => stripe.retrieve(key).await,
        }
    }

    async fn void(&self, key: &ChargeKey) -> Result<Charge, GatewayError> {
        match self.of(key)? {
            Accounts::Sandbox(sandbox) => sandbox.void(key).await,
            Accounts::Stripe(stripe) => stripe.void(key).await,
        }
    }

    async fn refund(&self, key: &RefundKey, amount: Money) -> Result<RefundState, GatewayError> {
        match self.of(&key.charge)? {
            Accounts::Sandbox(sandbox) => sandbox.refund(key, amount).await,
            Accounts::Stripe(stripe) => stripe.refund(key, amount).await,
        }
    }

    async fn retrieve_refund(&self, key: &RefundKey) -> Result<RefundState, GatewayError> {
        match self.of(&key.charge)? {
            Accounts::Sandbox(sandbox) => sandbox.retrieve_refund(key).await,
            Accounts::Stripe(stripe) => stripe.retrieve_refund(key).await,
        }
    }

    async fn retrieve_dispute(
        &self,
        key: &ChargeKey,
        id: &str,
    ) -> Result<Option<Dispute>, GatewayError> {
        match self.of(key)? {
            Accounts::Sandbox(sandbox) => sandbox.retrieve_dispute(key, id).await,
            Accounts::Stripe(stripe) => stripe.retrieve_dispute(key, id).await,
        }
    }

    async fn take_event(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Time,
    ) -> Result<Notice, EventError> {
        match &self.accounts {
            Accounts::Sandbox(sandbox) => sandbox.take_event(signature, body, now).await,
            Accounts::Stripe(stripe) => stripe.take_event(signature, body, now).await,
        }
    }
}

impl Statements for ConfiguredGateway {
    fn gateways(&self) -> Vec<GatewayName> {
        self.names.clone()
    }

    async fn movements(
        &self,
        gateway: &GatewayName,
        span: Span,
        after: Option<&str>,
    ) -> Result<Page<Movement>, GatewayError> {
        match &self.accounts {
            Accounts::Sandbox(sandbox) => sandbox.statement(gateway, span, after).await,
            Accounts::Stripe(stripe) => {
                let account = stripe.account(gateway.account());
                account.statement(gateway, span, after).await
            }
        }
    }
}

impl Routes for ConfiguredGateway {
    async fn choose(&self, payer: Payer, tried: &[GatewayName], now: Time) -> Option<GatewayName> {
        match &self.router {
            Some(router) => router.choose(payer, tried, now).await,
            None => tried.is_empty().then(|| self.provider().into()),
        }
    }

    fn capture_time(&self) -> CaptureTime {
        self.capture_time
    }

    async fn note(&self, gateway: &GatewayName, answered: bool, now: Time) {
        if let Some(router) = &self.router {
            router.note(gateway, answered, now).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::aws::settings::Settings;
    use crate::payments::fixtures::{eur, key, refund_key, short};
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

    #[tokio::test]
    async fn a_call_goes_to_the_account_of_its_key() {
        let (aws, engine) = testing::aws();
        let sandbox = ConfiguredGateway::new(&aws).unwrap();
        let at = |gateway: &str| key().at(gateway.parse().unwrap());
        for (key, amount) in [
            (at("sandbox:a"), "1.00"),
            (at("sandbox:b"), "2.00"),
            (at("sandbox"), "3.00"),
        ] {
            let charged = sandbox.charge(&key, eur(amount), "tok_ok").await;
            assert_eq!(short(charged), format!("captured {amount} EUR"));
            let refund = RefundKey {
                charge: key.clone(),
                ..refund_key("refund")
            };
            assert_eq!(
                sandbox.refund(&refund, eur("1.00")).await.unwrap(),
                RefundState::Succeeded
            );
            let refunded = format!("refunded 1.00 EUR of {amount} EUR");
            assert_eq!(short(sandbox.retrieve(&key).await), refunded);
        }
        // A key that names no gateway is of the account without a name.
        let found = short(sandbox.retrieve(&key()).await);
        assert_eq!(found, "refunded 1.00 EUR of 3.00 EUR");
        assert_eq!(engine.items(Setting::SandboxTable).len(), 6);
        let elsewhere = sandbox.retrieve(&at("stripe:a")).await;
        assert_eq!(short(elsewhere), "unknown");
    }
}
