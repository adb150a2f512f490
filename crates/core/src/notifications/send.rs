//! The consumer of the message queue.

use std::time::Duration;

use super::mail::{Mail, MailError, MailSender};
use super::model::{About, Claim, Message, NotificationError, Recipient, Status, Template, Wanted};
use super::rules::{self, Next};
use super::store::MessageStore;
use super::templates;
use crate::aws::dynamo::Written;
use crate::aws::settings::{Setting, SettingError};
use crate::aws::{Aws, telemetry};
use crate::customers::link::{Link, Links, Purpose};
use crate::customers::model::Account;
use crate::customers::rules::{email_fingerprint, password_fingerprint};
use crate::customers::store::CustomerStore;
use crate::orders::guests;
use crate::orders::model::Order;
use crate::orders::store::OrderStore;
use crate::runtime;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, OrderId};

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
    delivery: runtime::Message,
) -> Result<(), NotificationError> {
    let wanted = rules::wanted(&delivery.body)?;
    // Whatever can fail without SES fails before the message counts as being sent.
    let letter = match wanted.about {
        About::Order(order_id) => {
            of_order(messenger, wanted.template, order_id, delivery.sent_at).await?
        }
        About::Account { customer_id, .. } => {
            of_account(messenger, wanted.template, customer_id, delivery.sent_at).await?
        }
    };
    let Some(Letter {
        customer_id,
        recipient,
        mail,
    }) = letter
    else {
        return Ok(());
    };
    let Some(message) = claim(messenger, wanted, customer_id, &delivery).await? else {
        return Ok(());
    };
    deliver(messenger, &message, &recipient, &mail).await
}

/// Whom messages about `order` are for: its customer, or the guest who placed it, with a link to it.
/// Nobody, if the customer has gone meanwhile.
async fn recipient<M: MailSender>(
    messenger: &Messenger<M>,
    order: &Order,
    now: Time,
) -> Result<Option<Recipient>, NotificationError> {
    let Some(guest) = &order.guest else {
        let id = order.customer_id;
        return match messenger.customers.get(id).await? {
            Some(customer) => Ok(Some(customer.into())),
            None if messenger.customers.was_deleted(id).await? => Ok(None),
            None => Err(NotificationError::NoSuchCustomer(id)),
        };
    };
    let token = guests::token(&messenger.links, order.id, now).await;
    let token = token.map_err(NotificationError::Link)?;
    Ok(Some(Recipient {
        email: guest.email.clone(),
        name: order.shipping_address.recipient.clone(),
        locale: guest.locale.clone(),
        link: Some(format!(
            "{}/orders/{}?token={token}",
            messenger.shop_url, order.id
        )),
    }))
}

/// A message that is ready to be sent.
struct Letter {
    /// Whom it is counted for: a customer, or the nobody that a guest's order has.
    customer_id: CustomerId,
    recipient: Recipient,
    mail: Mail,
}

/// What is told of an order, and to whom; `None` if it is no longer so.
async fn of_order<M: MailSender>(
    messenger: &Messenger<M>,
    template: Template,
    order_id: OrderId,
    now: Time,
) -> Result<Option<Letter>, NotificationError> {
    let order = messenger.orders.get(order_id).await?;
    let order = order.ok_or(NotificationError::NoSuchOrder(order_id))?;
    if !rules::still_true(template, &order) {
        let order_id = order.id.to_string();
        tracing::info!(order.id = order_id, "message not sent: no longer true");
        return Ok(None);
    }
    let Some(recipient) = recipient(messenger, &order, now).await? else {
        return Ok(None);
    };
    let mail = templates::render(template, &messenger.shop, &recipient, &order)?;
    Ok(Some(Letter {
        customer_id: order.customer_id,
        recipient,
        mail,
    }))
}

/// What is told of an account; `None` if there is none, for which the same is queued as for any, or
/// if it is of no use any more.
async fn of_account<M: MailSender>(
    messenger: &Messenger<M>,
    template: Template,
    customer_id: CustomerId,
    now: Time,
) -> Result<Option<Letter>, NotificationError> {
    let account = messenger.customers.account(customer_id).await?;
    let Some(account) = account.filter(|found| rules::still_of_use(template, &found.customer))
    else {
        return Ok(None);
    };
    let link = link(messenger, template, &account, now).await?;
    let recipient = Recipient {
        link,
        ..account.customer.into()
    };
    let mail = templates::render_of_account(template, &messenger.shop, &recipient)?;
    Ok(Some(Letter {
        customer_id,
        recipient,
        mail,
    }))
}

/// How long a link that confirms an address is good, in seconds: three days.
const CONFIRMATION_SECONDS: u32 = 3 * 24 * 3600;

/// How long a link to another password is good, in seconds: one hour.
const RESET_SECONDS: u32 = 3600;

/// The address of the page that `template` leads to, if it leads to one.
async fn link<M: MailSender>(
    messenger: &Messenger<M>,
    template: Template,
    account: &Account,
    now: Time,
) -> Result<Option<String>, NotificationError> {
    let (purpose, page, fingerprint, seconds) = match template {
        Template::ConfirmEmail => (
            Purpose::ConfirmEmail,
            "confirm",
            email_fingerprint(account),
            CONFIRMATION_SECONDS,
        ),
        Template::PasswordReset => (
            Purpose::ResetPassword,
            "reset",
            password_fingerprint(account),
            RESET_SECONDS,
        ),
        Template::PasswordChanged
        | Template::OrderConfirmed
        | Template::OrderCancelled
        | Template::OrderFailed => return Ok(None),
    };
    let link = Link {
        subject: account.customer.id.to_string(),
        fingerprint,
    };
    let token = messenger.links.issue(purpose, link, seconds, now).await;
    let token = token.map_err(NotificationError::Link)?;
    Ok(Some(format!("{}/{page}?token={token}", messenger.shop_url)))
}

/// The message, stored as being sent by this delivery; `None` if it is sent already.
async fn claim<M: MailSender>(
    messenger: &Messenger<M>,
    wanted: Wanted,
    customer_id: CustomerId,
    delivery: &runtime::Message,
) -> Result<Option<Message>, NotificationError> {
    let claim = Claim {
        delivery: delivery.id.clone(),
        receive_count: delivery.receive_count,
    };
    for _ in 0..LOOKS {
        let stored = messenger.messages.get(wanted.message_id()).await?;
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
