//! Whole mails.

use expect_test::expect;

use super::kinds::{Discounts, Kind, Shipping, TAXES, case_c01, order};
use super::*;

#[test]
fn a_confirmation_in_plain_text() {
    let order = case_c01();
    let mail = rendered(Template::OrderConfirmed, "en-GB", &order);
    assert_eq!(mail.subject, "Your order at Oxcart & Sons is confirmed");
    expect![[r"
        Hello Ana <Li>,

        thank you for your order. It is confirmed and paid.

        Order 3484-7193-8069

          2 x Tea & {{total}} at 20.00 EUR: 40.00 EUR
          Subtotal: 40.00 EUR
          Discount (25 % off): -10.00 EUR
          Shipping (Parcel): 5.00 EUR
          Tax (10%): 3.50 EUR
          Total: 38.50 EUR

        We deliver to:

        Ana Li
        Hauptstraße 1
        1010 Wien
        AT

        Delivery time in days: 2–4

        Oxcart & Sons"]]
    .assert_eq(&mail.text);
}

#[test]
fn a_confirmation_in_html() {
    let order = case_c01();
    let mail = rendered(Template::OrderConfirmed, "de", &order);
    expect![[r#"
        <!DOCTYPE html>
        <html lang="de">
        <head><meta charset="utf-8"><title>Ihre Bestellung bei Oxcart &#38; Sons ist bestätigt</title></head>
        <body style="font-family: sans-serif; max-width: 40em; margin: 2em auto">
        <p>Guten Tag Ana &#60;Li&#62;,</p>
        <p>vielen Dank für Ihre Bestellung. Sie ist bestätigt und bezahlt.</p>
        <p>Bestellung 3484-7193-8069</p>
        <table style="width: 100%">
        <tr><td>2 x Tea &#38; {{total}} zu 20,00 EUR</td><td style="text-align: right; white-space: nowrap">40,00 EUR</td></tr>
        <tr><td>Zwischensumme</td><td style="text-align: right; white-space: nowrap">40,00 EUR</td></tr>
        <tr><td>Rabatt (25 % off)</td><td style="text-align: right; white-space: nowrap">-10,00 EUR</td></tr>
        <tr><td>Versand (Parcel)</td><td style="text-align: right; white-space: nowrap">5,00 EUR</td></tr>
        <tr><td>Tax (10 %)</td><td style="text-align: right; white-space: nowrap">3,50 EUR</td></tr>
        <tr style="font-weight: bold"><td>Gesamtbetrag</td><td style="text-align: right; white-space: nowrap">38,50 EUR</td></tr>
        </table>
        <p>Wir liefern an:</p>
        <p style="white-space: pre-line">Ana Li
        Hauptstraße 1
        1010 Wien
        AT</p>
        <p>Lieferzeit in Tagen: 2–4</p>
        <p>Oxcart &#38; Sons</p>
        </body>
        </html>"#]].assert_eq(&mail.html);
}

#[test]
fn a_cancellation_in_chinese() {
    let order = order(Kind {
        currency: "JPY",
        lines: 3,
        discounts: Discounts::OnLinesAndShipping,
        shipping: Shipping::Priced,
        taxes: TAXES[1],
        reverse_charge: false,
    });
    let mail = rendered(Template::OrderCancelled, "zh-CN", &order);
    expect![[r"
        Ana <Li>，您好：

        您的订单已取消。您无需付款；如已付款，款项将全额退还。

        订单 3484-7193-8069

          3 x Tea 1: 5.00 EUR，单价 1,234,567 JPY：3,703,701 JPY
          1 x Cup，单价 99,950 JPY：99,950 JPY
          40 x Pot，单价 700 JPY：28,000 JPY
          小计：3,831,651 JPY
          优惠（Spring）：-5,000 JPY
          优惠（Welcome）：-5,000 JPY
          配送（Parcel）：49,500 JPY
          合计：3,871,151 JPY
          其中包含 VAT（19%）：619,679 JPY

        Oxcart & Sons"]]
    .assert_eq(&mail.text);
}

#[test]
fn mails_about_accounts_in_plain_text() {
    let recipient = Recipient {
        link: Some(LINK.to_owned()),
        ..customer("en").into()
    };
    let mail = render_about_account(Template::ConfirmEmail, "Oxcart", &recipient).unwrap();
    expect![[r"
        Hello Ana <Li>,

        welcome to Oxcart. Please confirm that this email address is yours:

        https://shop.example/orders/1?token=a.b-c_d&x=1

        The page asks for your password. The link is valid for three days. If you did not open an account with us, please ignore this message.

        Oxcart"]].assert_eq(&mail.text);
    let mail = render_about_account(Template::PasswordChanged, "Oxcart", &recipient).unwrap();
    expect![[r#"
        Hello Ana <Li>,

        your password has been changed, and you have been signed out everywhere. If it was not you, reset it at once: choose "Forgot password" where you sign in.

        Oxcart"#]].assert_eq(&mail.text);
}
