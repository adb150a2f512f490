//! The ports that everything is served on.

use std::net::Ipv4Addr;

use tokio::net::TcpListener;

use super::error::Error;
use super::options::{Options, Urls};

/// The three ports.
pub(super) struct Ports {
    pub(super) shop: TcpListener,
    pub(super) control: TcpListener,
    pub(super) aws: TcpListener,
    pub(super) urls: Urls,
}

impl Ports {
    pub(super) async fn bind(options: &Options) -> Result<Self, Error> {
        let (shop, shop_url) = listen(options.port).await?;
        let (control, control_url) = listen(options.control_port).await?;
        let (aws, aws_url) = listen(options.aws_port).await?;
        let urls = Urls {
            shop: shop_url,
            control: control_url,
            aws: aws_url,
        };
        Ok(Self {
            shop,
            control,
            aws,
            urls,
        })
    }
}

/// A listener on loopback, and its URL.
async fn listen(port: u16) -> Result<(TcpListener, String), Error> {
    let failed = |source| Error::Port { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, format!("http://{address}")))
}
