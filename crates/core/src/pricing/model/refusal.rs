//! Why discounts are not applied.

/// Why a discount is not applied to an order. [`Refusal::code`] is the code of the fault at
/// `/discount_code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No discount has this code.
    #[error("this discount code does not exist")]
    UnknownCode,
    /// The discount is not valid yet.
    #[error("this discount is not valid yet")]
    NotStarted,
    /// The discount is no longer valid.
    #[error("this discount has expired")]
    Expired,
    /// The order is in another currency than the discount.
    #[error("this discount is for orders in another currency")]
    OtherCurrency,
    /// The discount applies to none of the order's products.
    #[error("this discount does not apply to the products in this order")]
    NoMatchingItems,
    /// The matching lines cost too little.
    #[error("the order does not reach the minimum amount of this discount")]
    BelowMinimumAmount,
    /// The discount is for another group of customers.
    #[error("this discount is for other customers")]
    OtherCustomers,
    /// The discount is only for customers with an account.
    #[error("sign in to use this discount")]
    AccountNeeded,
    /// The discount is counted for each customer, and this one cannot be recognised.
    #[error("sign in or give an email address to use this discount")]
    EmailNeeded,
    /// The customer has ordered before.
    #[error("this discount is only for a customer's first order")]
    NotFirstOrder,
    /// The order does not meet the discount's condition.
    #[error("the order does not meet the condition of this discount")]
    ConditionNotMet,
    /// The discount has reached its usage limit.
    #[error("this discount has reached its usage limit")]
    UsedUp,
    /// The discount cannot be combined with another discount of the order.
    #[error("this discount cannot be combined with another discount on this order")]
    NotCombinable,
    /// The discount would take nothing off.
    #[error("this discount does not reduce the price of this order")]
    NoEffect,
}

impl Refusal {
    /// Returns the machine-readable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownCode => "unknown_code",
            Self::NotStarted => "not_started",
            Self::Expired => "expired",
            Self::OtherCurrency => "other_currency",
            Self::NoMatchingItems => "no_matching_items",
            Self::BelowMinimumAmount => "below_minimum_amount",
            Self::OtherCustomers => "other_customers",
            Self::AccountNeeded | Self::EmailNeeded => "account_needed",
            Self::NotFirstOrder => "not_first_order",
            Self::ConditionNotMet => "condition_not_met",
            Self::UsedUp => "used_up",
            Self::NotCombinable => "not_combinable",
            Self::NoEffect => "no_effect",
        }
    }
}
