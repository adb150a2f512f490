//! Every route of the HTTP API: its address, who may use it, and what it counts against.
//! [`crate::runtime::serve_http`] admits only callers whom the table admits, so no handler can forget it. (A
//! handler for admins checks again, so that it is safe to call by itself.) Ownership depends on the stored
//! resource, so the handler that reads it checks it; the table says that it is required. Tests compare the
//! table with `template.yaml` and with the functions, and try every route as every kind of caller.

use crate::http::exchange::Request;
use crate::http::problem::Problem;

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone, signed in or not; API Gateway does not call the authoriser.
    Anyone,
    /// A caller who is signed in, and only for themselves.
    Customer,
    /// The owner of the resource and admins; for everyone else it does not exist (404).
    OwnerOrAdmin,
    /// Admins.
    Admin,
}

impl Access {
    /// Its name in the OpenAPI document (`x-oxcart-access`).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::Customer => "customer",
            Self::OwnerOrAdmin => "owner_or_admin",
            Self::Admin => "admin",
        }
    }
}

/// What a request counts against: each class has a limit of its own for each caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Not counted: routes that cost next to nothing and must always respond.
    Free,
    /// Changes nothing.
    Read,
    /// Changes something.
    Write,
    /// Places an order.
    Order,
    /// Tries to sign in or opens an account.
    SignIn,
}

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The handler's name; with dashes the function's.
    pub operation: &'static str,
    /// The method, in capitals.
    pub method: &'static str,
    /// The path, parameters in braces, as `template.yaml` has it.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What it counts against.
    pub class: Class,
    /// The query parameters that it takes; every other one is refused. `name[*]` stands for all `name[...]`.
    pub query: &'static [&'static str],
}

impl Route {
    /// Admits `request` if its caller may use this route and it has no query parameter that the route does not take.
    ///
    /// # Errors
    /// Returns [`Problem::Unauthenticated`] if nobody is signed in or the token has expired,
    /// [`Problem::Forbidden`] if only admins may use the route, and [`Problem::InvalidParameters`].
    pub fn admit(&self, request: &Request) -> Result<(), Problem> {
        match self.access {
            Access::Anyone => {}
            Access::Customer | Access::OwnerOrAdmin => request.caller().map(drop)?,
            Access::Admin => request.admin().map(drop)?,
        }
        request.query(self.query).map(drop)
    }

    /// Returns whether the responses of this route depend on who is signed in: also those about products, of which admins
    /// see more than anyone else.
    #[must_use]
    pub fn depends_on_caller(&self) -> bool {
        self.access != Access::Anyone || self.path.starts_with("/products")
    }

    /// Returns whether this route reads the catalogue as anyone may: its products, categories or collections.
    #[must_use]
    pub fn is_public_catalogue(&self) -> bool {
        let resources = ["/products", "/categories", "/collections"];
        let is_public = self.access == Access::Anyone && self.method == "GET";
        is_public && resources.iter().any(|path| self.path.starts_with(path))
    }

    /// Returns whether the responses of this route may contain something about a person: those of every route except
    /// what anyone may read without a link.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        let is_public = self.access == Access::Anyone && self.method == "GET";
        !is_public || self.path.starts_with("/guest/")
    }
}

macro_rules! routes {
    ($(
        $constant:ident = $operation:literal, $method:literal $path:literal, $access:ident, $class:ident
        $(, $query:expr)?;
    )*) => {
        $(
            #[doc = concat!("`", $method, " ", $path, "`: the function of the handler `", $operation, "`.")]
            pub const $constant: Route = Route {
                operation: $operation,
                method: $method,
                path: $path,
                access: Access::$access,
                class: Class::$class,
                query: routes!(@query $($query)?),
            };
        )*

        /// All of them.
        pub const ALL: &[Route] = &[$($constant,)*];
    };
    (@query) => { &[] };
    (@query $query:expr) => { $query };
}

/// The query parameters of a list.
const PAGE: &[&str] = &["limit", "cursor"];

routes! {
    REGISTER_CUSTOMER = "register_customer", "POST" "/customers", Anyone, SignIn;
    LOGIN = "login", "POST" "/auth/login", Anyone, SignIn;
    REFRESH_SESSION = "refresh_session", "POST" "/auth/refresh", Anyone, SignIn;
    LOGOUT = "logout", "POST" "/auth/logout", Anyone, SignIn;
    GET_ACCOUNT = "get_account", "GET" "/customers/me", Customer, Read;
    UPDATE_ACCOUNT = "update_account", "PATCH" "/customers/me", Customer, Write;
    LIST_SESSIONS = "list_sessions", "GET" "/customers/me/sessions", Customer, Read;
    END_SESSION = "end_session", "DELETE" "/customers/me/sessions/{session_id}", Customer, Write;
    END_ALL_SESSIONS = "end_all_sessions", "DELETE" "/customers/me/sessions", Customer, Write;
    LIST_CUSTOMERS = "list_customers", "GET" "/customers", Admin, Read, &["email", "limit", "cursor"];
    GET_CUSTOMER = "get_customer", "GET" "/customers/{customer_id}", Admin, Read;
    DISABLE_CUSTOMER = "disable_customer", "POST" "/customers/{customer_id}/disable", Admin, Write;
    ENABLE_CUSTOMER = "enable_customer", "POST" "/customers/{customer_id}/enable", Admin, Write;
    SET_CUSTOMER_GROUP = "set_customer_group", "PUT" "/customers/{customer_id}/group", Admin, Write;
    SET_CUSTOMER_ROLES = "set_customer_roles", "PUT" "/customers/{customer_id}/roles", Admin, Write;
    CONFIRM_EMAIL = "confirm_email", "POST" "/auth/confirm", Anyone, SignIn;
    REQUEST_EMAIL_CHANGE = "request_email_change", "POST" "/customers/me/email", Customer, SignIn;
    CONFIRM_EMAIL_CHANGE = "confirm_email_change", "POST" "/auth/email", Anyone, SignIn;
    RESEND_CONFIRMATION = "resend_confirmation", "POST" "/customers/me/confirmation", Customer, Write;
    CHANGE_PASSWORD = "change_password", "POST" "/customers/me/password", Customer, SignIn;
    FORGOT_PASSWORD = "forgot_password", "POST" "/auth/password/forgot", Anyone, SignIn;
    RESET_PASSWORD = "reset_password", "POST" "/auth/password/reset", Anyone, SignIn;
    DELETE_ACCOUNT = "delete_account", "DELETE" "/customers/me", Customer, SignIn;
    LIST_ADDRESSES = "list_addresses", "GET" "/customers/me/addresses", Customer, Read;
    ADD_ADDRESS = "add_address", "POST" "/customers/me/addresses", Customer, Write;
    GET_ADDRESS = "get_address", "GET" "/customers/me/addresses/{address_id}", Customer, Read;
    REPLACE_ADDRESS = "replace_address", "PUT" "/customers/me/addresses/{address_id}", Customer, Write;
    REMOVE_ADDRESS = "remove_address", "DELETE" "/customers/me/addresses/{address_id}", Customer, Write;
    GET_JWKS = "get_jwks", "GET" "/.well-known/jwks.json", Anyone, Free;

    CREATE_PRODUCT = "create_product", "POST" "/products", Admin, Write;
    LIST_PRODUCTS = "list_products", "GET" "/products", Anyone, Read, &["ids", "q", "category", "brand", "collection", "status", "attributes[*]", "sort", "locale", "limit", "cursor"];
    SUGGEST_PRODUCTS = "suggest_products", "GET" "/products/suggest", Anyone, Read, &["q", "locale"];
    GET_PRODUCT = "get_product", "GET" "/products/{product_id}", Anyone, Read, &["locale"];
    UPDATE_PRODUCT = "update_product", "PATCH" "/products/{product_id}", Admin, Write;
    DISCONTINUE_PRODUCT = "discontinue_product", "DELETE" "/products/{product_id}", Admin, Write;

    LIST_CATEGORIES = "list_categories", "GET" "/categories", Anyone, Read, &["locale"];
    GET_CATEGORY = "get_category", "GET" "/categories/{category}", Anyone, Read, &["locale"];
    PUT_CATEGORY = "put_category", "PUT" "/categories/{category}", Admin, Write;
    REMOVE_CATEGORY = "remove_category", "DELETE" "/categories/{category}", Admin, Write;

    LIST_COLLECTIONS = "list_collections", "GET" "/collections", Anyone, Read, &["locale"];
    GET_COLLECTION = "get_collection", "GET" "/collections/{collection}", Admin, Read;
    PUT_COLLECTION = "put_collection", "PUT" "/collections/{collection}", Admin, Write;
    REMOVE_COLLECTION = "remove_collection", "DELETE" "/collections/{collection}", Admin, Write;

    GET_SEARCH_INDEX = "get_search_index", "GET" "/search-index", Admin, Read;
    REBUILD_SEARCH_INDEX = "rebuild_search_index", "POST" "/search-index/rebuild", Admin, Write;
    GET_SEARCH_SETTINGS = "get_search_settings", "GET" "/search-settings", Admin, Read;
    REPLACE_SEARCH_SETTINGS = "replace_search_settings", "PUT" "/search-settings", Admin, Write;
    CREATE_IMPORT = "create_import", "POST" "/imports", Admin, Write;
    GET_IMPORT = "get_import", "GET" "/imports/{import_id}", Admin, Read;
    CANCEL_IMPORT = "cancel_import", "POST" "/imports/{import_id}/cancel", Admin, Write;
    CREATE_EXPORT = "create_export", "POST" "/exports", Admin, Write;
    GET_EXPORT = "get_export", "GET" "/exports/{export_id}", Admin, Read;

    CREATE_IMAGE = "create_image", "POST" "/images", Admin, Write;
    GET_IMAGE = "get_image", "GET" "/images/{image_name}", Anyone, Read;

    CREATE_DISCOUNT = "create_discount", "POST" "/discounts", Admin, Write;
    LIST_DISCOUNTS = "list_discounts", "GET" "/discounts", Admin, Read, PAGE;
    GET_DISCOUNT = "get_discount", "GET" "/discounts/{discount_id}", Admin, Read;
    UPDATE_DISCOUNT = "update_discount", "PATCH" "/discounts/{discount_id}", Admin, Write;
    END_DISCOUNT = "end_discount", "DELETE" "/discounts/{discount_id}", Admin, Write;
    CREATE_DISCOUNT_CODES = "create_discount_codes", "POST" "/discounts/{discount_id}/codes", Admin, Write;
    LIST_DISCOUNT_CODES = "list_discount_codes", "GET" "/discounts/{discount_id}/codes", Admin, Read, PAGE;
    GET_DISCOUNT_SETTINGS = "get_discount_settings", "GET" "/discount-settings", Admin, Read;
    REPLACE_DISCOUNT_SETTINGS = "replace_discount_settings", "PUT" "/discount-settings", Admin, Write;
    GET_TAX_RATES = "get_tax_rates", "GET" "/tax-rates", Admin, Read;
    REPLACE_TAX_RATES = "replace_tax_rates", "PUT" "/tax-rates", Admin, Write;
    GET_SHIPPING_METHODS = "get_shipping_methods", "GET" "/shipping-methods", Anyone, Read;
    REPLACE_SHIPPING_METHODS = "replace_shipping_methods", "PUT" "/shipping-methods", Admin, Write;
    GET_PRICE_LISTS = "get_price_lists", "GET" "/price-lists", Admin, Read;
    REPLACE_PRICE_LISTS = "replace_price_lists", "PUT" "/price-lists", Admin, Write;
    LIST_PRICES = "list_prices", "GET" "/price-lists/{price_list}/prices", Admin, Read, PAGE;
    SET_LIST_PRICE = "set_list_price", "PUT" "/price-lists/{price_list}/prices/{variant_id}", Admin, Write;

    GET_STOCK = "get_stock", "GET" "/inventory/{variant_id}", Admin, Read;
    SET_STOCK = "set_stock", "PUT" "/inventory/{variant_id}", Admin, Write;

    CREATE_QUOTE = "create_quote", "POST" "/quotes", Customer, Read;
    CREATE_GUEST_QUOTE = "create_guest_quote", "POST" "/guest/quotes", Anyone, Read;
    PLACE_ORDER = "place_order", "POST" "/orders", Customer, Order;
    PLACE_GUEST_ORDER = "place_guest_order", "POST" "/guest/orders", Anyone, Order;
    GET_GUEST_ORDER = "get_guest_order", "GET" "/guest/orders/{order_id}", Anyone, Read, &["token"];
    CANCEL_GUEST_ORDER = "cancel_guest_order", "POST" "/guest/orders/{order_id}/cancel", Anyone, Write, &["token"];
    REQUEST_GUEST_ACCESS = "request_guest_access", "POST" "/guest/access", Anyone, SignIn;
    GET_GUEST_ACCESS = "get_guest_access", "GET" "/guest/access", Anyone, Read, &["token", "limit", "cursor"];
    ERASE_GUEST = "erase_guest", "POST" "/guest/erasure", Anyone, Write, &["token"];
    EXPORT_ACCOUNT = "export_account", "GET" "/customers/me/export", Customer, Read, PAGE;
    LIST_ORDERS = "list_orders", "GET" "/orders", Customer, Read, &["status", "number", "limit", "cursor"];
    GET_ORDER = "get_order", "GET" "/orders/{order_id}", OwnerOrAdmin, Read;
    CORRECT_ADDRESS = "correct_address", "PUT" "/orders/{order_id}/shipping-address", OwnerOrAdmin, Write;
    CANCEL_ORDER = "cancel_order", "POST" "/orders/{order_id}/cancel", OwnerOrAdmin, Write;
    REVIEW_ORDER = "review_order", "POST" "/orders/{order_id}/review", Admin, Write;
    GET_ORDER_HISTORY = "get_order_history", "GET" "/orders/{order_id}/history", OwnerOrAdmin, Read;
    LIST_ORDER_PAYMENTS = "list_order_payments", "GET" "/orders/{order_id}/payments", OwnerOrAdmin, Read, PAGE;
    RETRY_PAYMENT = "retry_payment", "POST" "/orders/{order_id}/payments", OwnerOrAdmin, Order;
    RETRY_GUEST_PAYMENT = "retry_guest_payment", "POST" "/guest/orders/{order_id}/payments", Anyone, Order, &["token"];
    RECEIVE_PAYMENT_EVENT = "receive_payment_event", "POST" "/webhooks/payments/{provider}", Anyone, Free;
    CREATE_CAPTURE = "create_capture", "POST" "/payments/{payment_id}/captures", Admin, Write;
    ISSUE_GIFT_CARD = "issue_gift_card", "POST" "/gift-cards", Admin, Write;
    GET_GIFT_CARD = "get_gift_card", "GET" "/gift-cards/{gift_card_id}", Admin, Read;
    GET_GIFT_CARD_BALANCE = "get_gift_card_balance", "POST" "/gift-cards/balance", Anyone, Read;
    CREATE_REFUND = "create_refund", "POST" "/payments/{payment_id}/refunds", Admin, Write;
    LIST_REFUNDS = "list_refunds", "GET" "/payments/{payment_id}/refunds", OwnerOrAdmin, Read, PAGE;
    LIST_LEDGER_DIFFERENCES = "list_ledger_differences", "GET" "/ledger/differences", Admin, Read, &["from", "to", "limit", "cursor"];
    LIST_LEDGER = "list_ledger", "GET" "/ledger", Admin, Read, &["from", "to", "payment_id", "limit", "cursor"];

    LIST_RULES = "list_rules", "GET" "/rules", Admin, Read, PAGE;
    GET_RULE = "get_rule", "GET" "/rules/{rule_name}", Admin, Read;
    PUT_RULE = "put_rule", "PUT" "/rules/{rule_name}", Admin, Write;
    TEST_RULE = "test_rule", "POST" "/rules/{rule_name}/test", Admin, Write;
    REMOVE_RULE = "remove_rule", "DELETE" "/rules/{rule_name}", Admin, Write;

    GET_INTEGRITY = "get_integrity", "GET" "/integrity", Admin, Read, PAGE;

    GET_OPENAPI = "get_openapi", "GET" "/openapi.json", Anyone, Free;
    GET_HEALTH = "get_health", "GET" "/health", Anyone, Free;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::testing;
    use crate::values::clock::Time;

    fn request(who: &str) -> Request {
        let request = testing::request(Time::from_millis(1_772_357_400_000), &json!({}));
        match who {
            "nobody" => Request {
                identity: None,
                ..request
            },
            "expired" => {
                let mut request = request;
                if let Some(identity) = &mut request.identity {
                    identity.expires_at_seconds = request.now.as_seconds();
                }
                request
            }
            "customer" => request.of_customer(),
            _ => request,
        }
    }

    /// Who is admitted, for each kind of access.
    #[test]
    fn the_guard_admits_whom_the_table_names() {
        for (route, expected) in [
            (GET_HEALTH, [None; 4]),
            (PLACE_ORDER, [Some(401), Some(401), None, None]),
            (GET_ORDER, [Some(401), Some(401), None, None]),
            (CREATE_PRODUCT, [Some(401), Some(401), Some(403), None]),
        ] {
            let found = ["nobody", "expired", "customer", "admin"].map(|who| {
                let refused = route.admit(&request(who)).err();
                refused.map(|problem| problem.status().as_u16())
            });
            assert_eq!(found, expected, "{}", route.operation);
        }
    }

    /// No parameter is ignored: it would be one that the client believes in.
    #[test]
    fn every_route_refuses_a_query_parameter_that_it_does_not_take() {
        for route in ALL {
            let known = route.query.iter();
            let request = known.fold(request("admin"), |request, name| {
                request.with_query(&name.replace('*', "colour"), "1")
            });
            assert!(route.admit(&request).is_ok(), "{}", route.operation);
            let Err(Problem::InvalidParameters(faults)) =
                route.admit(&request.with_query("utm", "x"))
            else {
                panic!("{} takes everything", route.operation);
            };
            assert_eq!(
                (faults[0].pointer.as_str(), faults[0].code),
                ("?utm", "unknown_parameter")
            );
        }
    }

    #[test]
    fn only_what_anyone_may_read_is_not_personal() {
        let public = ALL.iter().filter(|route| !route.is_personal());
        let public: BTreeSet<&str> = public.map(|route| route.operation).collect();
        let expected = [
            "get_category",
            "get_health",
            "get_image",
            "get_jwks",
            "get_openapi",
            "get_product",
            "get_shipping_methods",
            "list_categories",
            "list_collections",
            "list_products",
            "suggest_products",
        ];
        assert_eq!(public, expected.into());
    }

    #[test]
    fn what_anyone_may_read_of_the_catalogue_is_public() {
        let catalogue = ALL.iter().filter(|route| route.is_public_catalogue());
        let catalogue: BTreeSet<&str> = catalogue.map(|route| route.operation).collect();
        let expected = [
            "get_category",
            "get_product",
            "list_categories",
            "list_collections",
            "list_products",
            "suggest_products",
        ];
        assert_eq!(catalogue, expected.into());
        assert!(
            ALL.iter()
                .all(|route| !route.is_public_catalogue() || !route.is_personal())
        );
    }

    #[test]
    fn no_two_routes_are_the_same() {
        let operations: BTreeSet<&str> = ALL.iter().map(|route| route.operation).collect();
        let addresses: BTreeSet<(&str, &str)> =
            ALL.iter().map(|route| (route.method, route.path)).collect();
        assert_eq!(operations.len(), ALL.len());
        assert_eq!(addresses.len(), ALL.len());
    }
}
