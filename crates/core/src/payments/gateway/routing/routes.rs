//! What the steps of payments know of routing.

use super::plan::Payer;
use crate::payments::gateway::Gateway;
use crate::payments::model::{CaptureTime, GatewayName};
use crate::values::clock::Time;

/// One gateway, or several of which each payment is charged at one. Keys say which: a call with the key of a charge goes to
/// its gateway.
pub trait Routes: Gateway {
    /// Returns the gateway that is to take a payment of `payer` at `now`, none of `tried`, or `None` if none is left.
    fn choose(
        &self,
        _payer: Payer,
        tried: &[GatewayName],
        _now: Time,
    ) -> impl Future<Output = Option<GatewayName>> + Send {
        let only = tried.is_empty().then(|| self.provider().into());
        std::future::ready(only)
    }

    /// Returns when payments that begin now are captured.
    fn capture_time(&self) -> CaptureTime {
        CaptureTime::AtOnce
    }

    /// Takes note of whether `gateway` gave an answer to a call, in a step of `now`. A decline is an answer.
    fn note(
        &self,
        _gateway: &GatewayName,
        _answered: bool,
        _now: Time,
    ) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}
