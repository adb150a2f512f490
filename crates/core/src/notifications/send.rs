//! The consumer of the message queue.

use std::time::Duration;

use super::mail::{Mail, MailError, MailSender};
use super::model::{Claim, Message, NotificationError, Recipient, Status, Wanted};
use super::rules::{self, Next};
use super::store::MessageStore;
use super::templates;
use crate::clock::Time;
use crate::customers::CustomerStore;
use crate::customers::link::Links;
use crate::dynamo::Written;
use crate::lambda::{self, Aws};
use crate::orders::{Order, OrderStore, guests};
use crate::settings::{Setting, SettingError};
use crate::telemetry;

/// How often, and how far apart, it is looked whether another delivery has sent the message: most
/// do within a second, and then this one need not come again.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// What sends messages, through `M`.
#[derive(Clone, Debug)]
pub struct Messenger<M> {
    orders: OrderStore,
    customers: CustomerStore,
    messages: MessageStore,
    mail: M,
    links: Links,
    shop: String,
    shop_url: String,
    between_looks: Duration,
}

impl<M: MailSender> Messenger<M> {
    /// The messenger of this function.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws, mail: M) -> Result<Self, SettingError> {
        Ok(Self {
            orders: OrderStore::new(aws)?,
            customers: CustomerStore::new(aws)?,
            messages: MessageStore::new(aws)?,
            mail,
            between_looks: BETWEEN_LOOKS,
            links: Links::new(aws)?,
            shop: aws.settings().read(Setting::ShopName)?,
            shop_url: aws.settings().read(Setting::ShopUrl)?,
        })
    }

    /// The same, looking whether another delivery is done after each `pause`.
    #[cfg(test)]
    pub(super) fn looking_every(self, pause: Duration) -> Self {
        Self {
            between_looks: pause,
            ..self
        }
    }
}

/// Sends the message that a delivery of the queue asks for, unless it is sent already.
///
/// # Errors
/// [`NotificationError`]: the delivery must come again.
pub async fn send_messages<M: MailSender>(
    messenger: &Messenger<M>,
    delivery: lambda::Message,
) -> Result<(), NotificationError> {
    let wanted = rules::wanted(&delivery.body)?;
    let order = messenger
        .orders
        .get(wanted.order_id)
        .await?
        .ok_or(NotificationError::NoSuchOrder(wanted.order_id))?;
    if !rules::still_true(wanted.template, &order) {
        let order_id = order.id.to_string();
        tracing::info!(order.id = order_id, "message not sent: no longer true");
        return Ok(());
    }
    let recipient = recipient(messenger, &order, delivery.sent_at).await?;
    // Whatever can fail without SES fails before the message counts as being sent.
    let mail = templates::render(wanted.template, &messenger.shop, &recipient, &order)?;
    let Some(message) = claim(messenger, wanted, &order, &delivery).await? else {
        return Ok(());
    };
    deliver(messenger, &message, &recipient, &mail).await
}

/// Whom messages about `order` are for: its customer, or the guest who placed it, with a link to it.
async fn recipient<M: MailSender>(
    messenger: &Messenger<M>,
    order: &Order,
    now: Time,
) -> Result<Recipient, NotificationError> {
    let Some(guest) = &order.guest else {
        let customer = messenger.customers.get(order.customer_id).await?;
        let customer = customer.ok_or(NotificationError::NoSuchCustomer(order.customer_id))?;
        return Ok(customer.into());
    };
    let token = guests::token(&messenger.links, order.id, now).await;
    let token = token.map_err(NotificationError::Link)?;
    Ok(Recipient {
        email: guest.email.clone(),
        name: order.shipping_address.recipient.clone(),
        locale: guest.locale.clone(),
        link: Some(format!(
            "{}/orders/{}?token={token}",
            messenger.shop_url, order.id
        )),
    })
}

/// The message, stored as being sent by this delivery; `None` if it is sent already.
async fn claim<M: MailSender>(
    messenger: &Messenger<M>,
    wanted: Wanted,
    order: &Order,
    delivery: &lambda::Message,
) -> Result<Option<Message>, NotificationError> {
    let claim = Claim {
        delivery: delivery.id.clone(),
        receive_count: delivery.receive_count,
    };
    for _ in 0..LOOKS {
        let stored = messenger.messages.get(wanted.message_id()).await?;
        let customer_id = order.customer_id;
        match rules::decide(wanted, customer_id, stored, claim.clone(), delivery.sent_at) {
            Next::Done => return Ok(None),
            Next::Wait => tokio::time::sleep(messenger.between_looks).await,
            Next::Send(message) => match messenger.messages.claim(&message).await? {
                Written::Done => return Ok(Some(message)),
                Written::Refused(_) => {}
            },
        }
    }
    Err(NotificationError::Elsewhere)
}

/// Sends `message` and stores how that ended.
async fn deliver<M: MailSender>(
    messenger: &Messenger<M>,
    message: &Message,
    recipient: &Recipient,
    mail: &Mail,
) -> Result<(), NotificationError> {
    match messenger.mail.send(&recipient.email, mail).await {
        Ok(()) => {
            sent(messenger, message).await;
            Ok(())
        }
        Err(MailError::Refused(reason)) => {
            refused(messenger, message).await;
            Err(NotificationError::Refused(reason))
        }
        Err(MailError::Unknown(reason)) => Err(NotificationError::Unknown(reason)),
    }
}

/// Stores that `message` is sent. If that cannot be stored, the delivery is done with nevertheless:
/// to let it come again would send the message a second time.
async fn sent<M: MailSender>(messenger: &Messenger<M>, message: &Message) {
    if let Err(error) = messenger.messages.end(message, Status::Sent).await {
        let message_id = message.wanted.message_id().to_string();
        let error = telemetry::chain(&error);
        tracing::error!(
            message.id = message_id,
            error,
            "sent, but not stored as sent"
        );
    }
}

/// Stores that `message` is certainly not sent. If that cannot be stored, the message stays as one
/// whose end is unknown, which is sent again too, only later.
async fn refused<M: MailSender>(messenger: &Messenger<M>, message: &Message) {
    if let Err(error) = messenger.messages.end(message, Status::Failed).await {
        let message_id = message.wanted.message_id().to_string();
        let error = telemetry::chain(&error);
        tracing::error!(message.id = message_id, error, "refused, but not stored so");
    }
}
