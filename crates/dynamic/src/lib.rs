//! The core and all that it needs as one dynamic library, which functions link while developing: see
//! `oxcart-function`.

use oxcart_core as _;
use oxcart_features as _;
use tokio as _;
