//! TLS before the runner's AWS port, with a certificate of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use tempfile::NamedTempFile;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;

use crate::Error;

/// Takes connections with TLS and passes on what they say without it. It ends when dropped.
pub(crate) struct Proxy {
    url: String,
    certificate: NamedTempFile,
    _connections: JoinSet<()>,
}

impl Proxy {
    /// Starts a proxy of the server at `url`.
    ///
    /// # Errors
    /// If no certificate can be made, or no port is free.
    pub(crate) async fn start(url: &str) -> Result<Self, Error> {
        let server = url.trim_start_matches("http://").to_owned();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let certificate = NamedTempFile::new()?;
        std::fs::write(&certificate, made.cert.pem())?;
        let key = made.signing_key.serialize_der();
        let key = key.try_into()?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let mut connections = JoinSet::new();
        connections.spawn(async move {
            let mut passing = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                passing.spawn(pass(acceptor.clone(), client, server.clone()));
            }
        });
        Ok(Self {
            url: format!("https://localhost:{port}"),
            certificate,
            _connections: connections,
        })
    }

    /// Returns `environment` of a function that reaches AWS through this proxy.
    pub(crate) fn proxied(
        &self,
        mut environment: BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let certificate = self.certificate.path().display().to_string();
        environment.insert("AWS_ENDPOINT_URL".to_owned(), self.url.clone());
        environment.insert("SSL_CERT_FILE".to_owned(), certificate);
        environment
    }
}

/// Passes on one connection until one side closes it.
async fn pass(acceptor: TlsAcceptor, client: TcpStream, server: String) {
    // A client or a server that is gone ends the connection; the function sees that by itself.
    let _ = client.set_nodelay(true);
    let Ok(mut client) = acceptor.accept(client).await else {
        return;
    };
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let _ = server.set_nodelay(true);
    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}
