//! The way into the sandbox without a socket: the transport of an Azure client, in this process.

use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use azure_core::{Error, Result};

use super::store::ExchangeError;
use super::{Sandbox, Unreachable};

/// Sends an Azure client's requests to a sandbox.
#[derive(Clone, Debug)]
pub struct Local(pub Sandbox);

#[async_trait::async_trait]
impl HttpClient for Local {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        // A network would let others go first; so does this.
        tokio::task::yield_now().await;
        let outgoing = outgoing(request)?;
        self.0.exchange(&outgoing).map(incoming).map_err(failed)
    }
}

/// A client's request as the sandbox takes it.
pub fn outgoing(request: &Request) -> Result<http::Request<Vec<u8>>> {
    let mut outgoing = http::Request::builder().method(request.method().as_ref()).uri(request.url().as_str());
    for (name, value) in request.headers().iter() {
        outgoing = outgoing.header(name.as_str(), value.as_str());
    }
    let body: Vec<u8> = match request.body() {
        azure_core::http::Body::Bytes(bytes) => bytes.to_vec(),
        azure_core::http::Body::SeekableStream(_) => {
            return Err(Error::with_message(ErrorKind::Other, "the sandbox takes no streams"));
        }
    };
    outgoing.body(body).map_err(|error| Error::new(ErrorKind::DataConversion, error))
}

/// The sandbox's answer as a client takes it.
pub fn incoming(response: http::Response<Vec<u8>>) -> AsyncRawResponse {
    let (parts, body) = response.into_parts();
    let mut headers = Headers::new();
    for (name, value) in &parts.headers {
        headers.insert(name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned());
    }
    AsyncRawResponse::from_bytes(parts.status.as_u16().into(), headers, body)
}

/// What a broken network looks like to a client. Only of a host that was never reached is it known that the
/// request had no effect.
pub fn failed(error: ExchangeError) -> Error {
    let kind = match &error {
        ExchangeError::Unreachable(Unreachable::NoSuchHost(_)) => ErrorKind::Connection,
        ExchangeError::Unreachable(Unreachable::Lost(_)) | ExchangeError::NotSaved { .. } => ErrorKind::Io,
    };
    Error::new(kind, error)
}
