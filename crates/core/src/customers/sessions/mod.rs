//! Sessions, which begin with a sign-in, and the refresh tokens that renew them.
//!
//! They are in the sessions table. Invariants:
//! - a refresh token works once: the next one is written on the condition that the token that was sent is the
//!   session's latest. An earlier token ends the whole session, because two parties have it, and one of them is
//!   not its owner. Only the client that has just renewed the session may repeat itself: it gets the same token
//!   again;
//! - each token follows from the one before and the session's salt, so an earlier token is recognised by its
//!   secret. Somebody who knows only a session's identifiers can neither renew nor end it;
//! - only a hash of the latest token is stored, so nobody can sign in with the contents of the table;
//! - a session ends thirty days after its last use, 180 days after it began, and with each change of the
//!   password, even if it is just being started then;
//! - roles and whether the account is disabled are read again at each renewal;
//! - a session has ended when its `expires_at` has passed, and not only when its item is gone: DynamoDB deletes
//!   late.

pub mod api;
pub mod model;
pub mod store;
