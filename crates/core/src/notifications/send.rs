//! The consumer of the message queue.

use std::time::Duration;

use super::mail::{Mail, MailError, MailSender};
use super::model::{
    About, Claim, Message, MessageRequest, NotificationError, Recipient, Status, Template,
};
use super::rules::{self, Next};
use super::store::MessageStore;
use super::{strangers, templates};
use crate::aws::dynamo::Written;
use crate::aws::settings::{Setting, SettingError};
use crate::aws::{Aws, telemetry};
use crate::customers::link::{Link, Links, Purpose};
use crate::customers::model::Account;
use crate::customers::rules::{email_change_fingerprint, email_fingerprint, password_fingerprint};
use crate::customers::store::CustomerStore;
use crate::orders::guests;
use crate::orders::model::{Guest, Order};
use crate::orders::privacy;
use crate::orders::store::OrderStore;
use crate::runtime;
use crate::values::clock::Time;
use crate::values::id::{CustomerId, OrderId};

/// How often, and at which interval, a delivery checks whether another one has sent the message. Most do within a
/// second, and then this delivery need not be retried.
const POLLS: u32 = 20;
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Sends messages through `M`.
#[derive(Clone, Debug)]
pub struct Messenger<M> {
    orders: OrderStore,
    customers: CustomerStore,
    messages: MessageStore,
    mail: M,
    links: Links,
    shop: String,
    shop_url: String,
    poll_interval: Duration,
}

impl<M: MailSender> Messenger<M> {
    /// Opens the resources of the messenger.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing.
    pub fn new(aws: &Aws, mail: M) -> Result<Self, SettingError> {
        Ok(Self {
            orders: OrderStore::new(aws)?,
            customers: CustomerStore::new(aws)?,
            messages: MessageStore::new(aws)?,
            mail,
            poll_interval: POLL_INTERVAL,
            links: Links::new(aws)?,
            shop: aws.settings().read(Setting::ShopName)?,
            shop_url: aws.settings().read(Setting::ShopUrl)?,
        })
    }

    /// Returns the same messenger with another polling interval.
    #[cfg(test)]
    pub(super) fn polling_every(self, poll_interval: Duration) -> Self {
        Self {
            poll_interval,
            ..self
        }
    }
}

/// Sends the message that a delivery of the queue requests, unless it has already been sent.
///
/// # Errors
/// [`NotificationError`]: the queue has to deliver the request again.
pub async fn send_messages<M: MailSender>(
    messenger: &Messenger<M>,
    delivery: runtime::Message,
) -> Result<(), NotificationError> {
    let request = rules::parse_request(&delivery.body)?;
    // Everything that can fail without SES fails before the message counts as being sent.
    let prepared = match request.about {
        About::Order(order_id) | About::Refund { order_id, .. } => {
            prepare_about_order(messenger, request, order_id, delivery.sent_at).await?
        }
        About::Guest { order_id, .. } => {
            prepare_about_guest(messenger, order_id, delivery.sent_at).await?
        }
        About::Account { customer_id, .. } => {
            prepare_about_account(messenger, request.template, customer_id, delivery.sent_at)
                .await?
        }
    };
    let Some(PreparedMail {
        customer_id,
        recipient,
        mail,
    }) = prepared
    else {
        return Ok(());
    };
    if !recipient.email.is_deliverable() {
        tracing::warn!("the message was not sent, because its address cannot get mail");
        return Ok(());
    }
    let claimed = claim(messenger, request, customer_id, &recipient, &delivery).await?;
    let Some(message) = claimed else {
        return Ok(());
    };
    deliver(messenger, &message, &recipient, &mail).await
}

/// Returns the recipient of messages about `order`: its customer, or the guest who placed it, with a link to the
/// order; `None` if the customer has deleted the account.
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
    let link = format!("{}/orders/{}?token={token}", messenger.shop_url, order.id);
    Ok(Some(guest_of(order, guest, link)))
}

/// Returns `guest`, who placed `order`, as the recipient of a message with `link`.
fn guest_of(order: &Order, guest: &Guest, link: String) -> Recipient {
    Recipient {
        email: guest.email.clone(),
        name: order.shipping_address.recipient.clone(),
        is_confirmed: false,
        locale: guest.locale.clone(),
        link: Some(link),
    }
}

/// A mail that is ready to be sent.
struct PreparedMail {
    /// The customer of the record; for a guest's order, the identifier that the order has in its place.
    customer_id: CustomerId,
    recipient: Recipient,
    mail: Mail,
}

/// Prepares a mail about an order. Returns `None` if what it would say is no longer true, or nobody is left to read
/// it.
async fn prepare_about_order<M: MailSender>(
    messenger: &Messenger<M>,
    request: MessageRequest,
    order_id: OrderId,
    now: Time,
) -> Result<Option<PreparedMail>, NotificationError> {
    let order = messenger.orders.get(order_id).await?;
    let order = order.ok_or(NotificationError::NoSuchOrder(order_id))?;
    if !rules::is_still_true(request.template, &order) {
        let order_id = order.id.to_string();
        tracing::info!(
            order.id = order_id,
            "the message was not sent, because it is no longer true"
        );
        return Ok(None);
    }
    let Some(recipient) = recipient(messenger, &order, now).await? else {
        return Ok(None);
    };
    let mail = templates::render_about_order(request, &messenger.shop, &recipient, &order)?;
    Ok(Some(PreparedMail {
        customer_id: order.customer_id,
        recipient,
        mail,
    }))
}

/// Prepares the mail with the link with which the guest of the order `order_id` sees and erases what the shop knows.
/// Returns `None` if the order does not exist, because anybody may ask for any address, or is not a guest's any more.
async fn prepare_about_guest<M: MailSender>(
    messenger: &Messenger<M>,
    order_id: OrderId,
    now: Time,
) -> Result<Option<PreparedMail>, NotificationError> {
    let order = messenger.orders.get(order_id).await?;
    let Some((guest, order)) = order.and_then(|order| Some((order.guest.clone()?, order))) else {
        return Ok(None);
    };
    let token = privacy::token(&messenger.links, order.id, now).await;
    let token = token.map_err(NotificationError::Link)?;
    let link = format!("{}/privacy?token={token}", messenger.shop_url);
    let recipient = guest_of(&order, &guest, link);
    let template = Template::GuestAccess;
    let mail = templates::render_about_account(template, &messenger.shop, &recipient)?;
    Ok(Some(PreparedMail {
        customer_id: order.customer_id,
        recipient,
        mail,
    }))
}

/// Prepares a mail about an account. Returns `None` if the mail is no longer useful, or if there is no such account:
/// a request to reset the password of an unknown address is queued like any other.
async fn prepare_about_account<M: MailSender>(
    messenger: &Messenger<M>,
    template: Template,
    customer_id: CustomerId,
    now: Time,
) -> Result<Option<PreparedMail>, NotificationError> {
    let account = messenger.customers.account(customer_id).await?;
    let Some(account) = account.filter(|found| rules::is_still_useful(template, found)) else {
        return Ok(None);
    };
    let link = link(messenger, template, &account, now).await?;
    let new_email = account.email_change.map(|change| change.email);
    let new_email = new_email.filter(|_| template == Template::ConfirmNewEmail);
    let mut recipient = Recipient {
        link,
        ..account.customer.into()
    };
    if let Some(email) = new_email {
        recipient.email = email;
        recipient.is_confirmed = false;
    }
    let mail = templates::render_about_account(template, &messenger.shop, &recipient)?;
    Ok(Some(PreparedMail {
        customer_id,
        recipient,
        mail,
    }))
}

/// How long a link that confirms an address is valid, in seconds: three days.
const CONFIRMATION_SECONDS: u32 = 3 * 24 * 3600;

/// How long a link that resets the password is valid, in seconds: one hour.
const RESET_SECONDS: u32 = 3600;

/// Returns the address of the page that `template` leads to, or `None` if it leads to none.
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
        Template::ApproveEmail => (
            Purpose::ApproveEmail,
            "email",
            email_change_fingerprint(account).unwrap_or_default(),
            CONFIRMATION_SECONDS,
        ),
        Template::ConfirmNewEmail => (
            Purpose::ConfirmNewEmail,
            "email",
            email_change_fingerprint(account).unwrap_or_default(),
            CONFIRMATION_SECONDS,
        ),
        Template::PasswordReset => (
            Purpose::ResetPassword,
            "reset",
            password_fingerprint(account),
            RESET_SECONDS,
        ),
        Template::PasswordChanged
        | Template::GuestAccess
        | Template::OrderConfirmed
        | Template::OrderCancelled
        | Template::OrderFailed
        | Template::PaymentRefunded => return Ok(None),
    };
    let link = Link {
        subject: account.customer.id.to_string(),
        fingerprint,
    };
    let token = messenger.links.issue(purpose, link, seconds, now).await;
    let token = token.map_err(NotificationError::Link)?;
    Ok(Some(format!("{}/{page}?token={token}", messenger.shop_url)))
}

/// Stores that this delivery sends the message, and returns the record, or `None` if the message has already been
/// sent, or the mailbox has got as many of its kind today as it may.
async fn claim<M: MailSender>(
    messenger: &Messenger<M>,
    request: MessageRequest,
    customer_id: CustomerId,
    recipient: &Recipient,
    delivery: &runtime::Message,
) -> Result<Option<Message>, NotificationError> {
    let claim = Claim {
        delivery: delivery.id.clone(),
        receive_count: delivery.receive_count,
    };
    let mut quota = strangers::quota(request.template, recipient);
    for _ in 0..POLLS {
        let stored = messenger.messages.get(request.message_id()).await?;
        match rules::decide(
            request,
            customer_id,
            stored,
            claim.clone(),
            delivery.sent_at,
        ) {
            Next::Done => return Ok(None),
            Next::Wait => tokio::time::sleep(messenger.poll_interval).await,
            Next::Send(message) => {
                // Counted once, with the first attempt.
                if let Some(quota) = quota.take().filter(|_| message.attempts == 1) {
                    let (email, now) = (&recipient.email, delivery.sent_at);
                    if !messenger.messages.count(email, quota, now).await? {
                        let kind = quota.kind;
                        tracing::warn!(
                            kind,
                            "the mailbox gets no more messages of this kind today"
                        );
                        let withheld = Message {
                            status: Status::Withheld,
                            ..message
                        };
                        // If another delivery is ahead, its record stands.
                        messenger.messages.claim(&withheld).await?;
                        return Ok(None);
                    }
                }
                match messenger.messages.claim(&message).await? {
                    Written::Done => return Ok(Some(message)),
                    Written::Refused(_) => {}
                }
            }
        }
    }
    Err(NotificationError::InProgress)
}

/// Sends `message` and stores the outcome.
async fn deliver<M: MailSender>(
    messenger: &Messenger<M>,
    message: &Message,
    recipient: &Recipient,
    mail: &Mail,
) -> Result<(), NotificationError> {
    match messenger.mail.send(&recipient.email, mail).await {
        Ok(()) => {
            record(messenger, message, Status::Sent).await;
            Ok(())
        }
        Err(MailError::Refused(reason)) => {
            record(messenger, message, Status::Failed).await;
            Err(NotificationError::Refused(reason))
        }
        Err(MailError::Unknown(reason)) => Err(NotificationError::Unknown(reason)),
    }
}

/// Stores the outcome of the attempt of `message`. A failure of that is only logged: after `Sent`, failing the
/// delivery would send the message a second time; after `Failed`, the message is sent again in any case.
async fn record<M: MailSender>(messenger: &Messenger<M>, message: &Message, outcome: Status) {
    let recorded = messenger.messages.record_outcome(message, outcome).await;
    if let Err(error) = recorded {
        let message_id = message.request.message_id().to_string();
        let error = telemetry::chain(&error);
        tracing::error!(
            message.id = message_id,
            message.status = ?outcome,
            error,
            "the outcome of sending a message could not be stored"
        );
    }
}
