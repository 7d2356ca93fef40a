//! The transport to the real network: TLS by rustls and ring, no redirects, errors that no retry can mend told apart.

use super::failure::{Failure, Kind, chain};
use super::incoming::{self, BODY_BYTES_MAX};
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Makes ring the process's cryptography. Harmless when called again; `reqwest` panics without one.
pub fn install_crypto() {
    // An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A transport over HTTPS with the platform's certificates. Fails when the machine has none.
///
/// `HTTPS_PROXY`, `NO_PROXY` and `SSL_CERT_FILE` count, as with every client on rustls.
pub fn https() -> Result<Arc<dyn HttpClient>, Failure> {
    install_crypto();
    let client = builder().https_only(true).build().map_err(|error| {
        let help = "install the system's CA certificates (package `ca-certificates`), or name a file in SSL_CERT_FILE";
        Failure::new(Kind::Tls, format!("{}; {help}", chain(&error)))
    })?;
    Ok(Arc::new(Https(client)))
}

/// Everything but the demand for HTTPS.
fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
}

#[derive(Debug)]
struct Https(reqwest::Client);

#[async_trait::async_trait]
impl HttpClient for Https {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut response = self.0.execute(outgoing(request)?).await.map_err(classified)?;
        let (status, headers) = (response.status().as_u16(), headers(response.headers()));
        // Read to the end here, so that a body that breaks off is a lost answer to the retry policy too.
        let mut body = Vec::new();
        // Counted as it is unpacked: a small packed body may be huge.
        while let Some(chunk) = response.chunk().await.map_err(classified)? {
            if body.len() + chunk.len() > BODY_BYTES_MAX {
                let failure = incoming::too_large().under(incoming::request_id(&headers).as_deref());
                return Err(azure_core::Error::with_error(ErrorKind::Other, failure, "the answer is too large"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(AsyncRawResponse::from_bytes(status.into(), headers, body))
    }
}

/// The request as `reqwest` takes it, with the token marked so that no layer below logs it.
fn outgoing(request: &Request) -> azure_core::Result<reqwest::Request> {
    let other = |error: String| azure_core::Error::with_message(ErrorKind::Other, error);
    let method = Method::from_bytes(request.method().as_str().as_bytes()).map_err(|error| other(error.to_string()))?;
    let mut outgoing = reqwest::Request::new(method, request.url().clone());
    for (name, value) in request.headers().iter() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).map_err(|error| other(error.to_string()))?;
        let mut value = HeaderValue::from_str(value.as_str()).map_err(|error| other(error.to_string()))?;
        value.set_sensitive(name == AUTHORIZATION);
        outgoing.headers_mut().insert(name, value);
    }
    let Body::Bytes(bytes) = request.body() else {
        return Err(other("a body that is a stream, which this program never sends".to_owned()));
    };
    *outgoing.body_mut() = Some(bytes.clone().into());
    Ok(outgoing)
}

fn headers(map: &HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in map {
        // What is not text is nothing that we read.
        if let Ok(value) = value.to_str() {
            headers.insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    headers
}

/// Tells apart what never left, what may have arrived, and what trying again cannot mend.
fn classified(error: reqwest::Error) -> azure_core::Error {
    let error = error.without_url();
    let said = chain(&error);
    let (kind, failure) = if error.is_connect() {
        (ErrorKind::Connection, Failure::new(permanent(&error, &said).unwrap_or(Kind::NotSent), said))
    } else {
        (ErrorKind::Io, Failure::new(Kind::Lost, said))
    };
    azure_core::Error::with_error(kind, failure, "the request failed")
}

fn permanent(error: &(dyn Error + 'static), said: &str) -> Option<Kind> {
    if has_tls_error(error) {
        return Some(Kind::Tls);
    }
    // The resolver's error has no type of its own. "Temporary failure" is what it says; all else is final.
    let lower = said.to_ascii_lowercase();
    (lower.contains("dns error") && !lower.contains("temporary failure") && !lower.contains("try again"))
        .then_some(Kind::Dns)
}

fn has_tls_error(error: &(dyn Error + 'static)) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.is::<rustls::Error>() {
            return true;
        }
        // An io::Error shows the causes of what it holds, not what it holds.
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(error: &(dyn Error + 'static)) -> Option<Kind> {
        permanent(error, &chain(error))
    }

    #[test]
    fn an_untrusted_certificate_is_permanent() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        assert_eq!(kind(&std::io::Error::other(tls)), Some(Kind::Tls));
    }

    #[test]
    fn an_unknown_name_is_permanent_and_a_busy_resolver_is_not() {
        assert_eq!(kind(&std::io::Error::other("dns error: Name or service not known")), Some(Kind::Dns));
        assert_eq!(kind(&std::io::Error::other("dns error: Temporary failure in name resolution")), None);
    }

    #[test]
    fn a_refused_connection_is_worth_another_try() {
        assert_eq!(kind(&std::io::Error::from(std::io::ErrorKind::ConnectionRefused)), None);
    }

    #[test]
    fn a_token_is_marked_so_that_no_layer_below_logs_it() {
        let mut request =
            Request::new(azure_core::http::Url::parse("https://x.example/").unwrap(), azure_core::http::Method::Get);
        request.insert_header("authorization", "Bearer hunter2");
        assert!(!format!("{:?}", outgoing(&request).unwrap()).contains("hunter2"));
    }

    /// Sends one request to a server of one answer on this machine; says what came, and how many connections were made.
    async fn exchange(answer: Vec<u8>) -> (azure_core::Result<azure_core::http::RawResponse>, usize) {
        use std::io::{Read, Write};
        install_crypto();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let served = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            // The client may have heard enough before all is written.
            let _ = stream.write_all(&answer);
            drop(stream);
            listener.set_nonblocking(true).unwrap();
            1 + listener.incoming().take_while(Result::is_ok).count()
        });
        let url = format!("http://127.0.0.1:{port}/").parse().unwrap();
        let mut request = Request::new(url, azure_core::http::Method::Get);
        request.insert_header("authorization", "Bearer hunter2");
        let transport = Https(builder().no_proxy().build().unwrap());
        let result = match transport.execute_request(&request).await {
            Ok(response) => response.try_into_raw_response().await,
            Err(error) => Err(error),
        };
        (result, served.join().unwrap())
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let answer = "HTTP/1.1 307 Go\r\nLocation: /next\r\nLocation: http://evil.example/\r\nX-Odd: \u{e9}\r\nContent-Length: 0\r\n\r\n";
        let (result, connections) = exchange(answer.into()).await;
        assert_eq!((u16::from(result.unwrap().status()), connections), (307, 1));
    }

    #[tokio::test]
    async fn a_body_without_end_is_not_taken_in() {
        for length in ["Content-Length: 99999999999\r\n", ""] {
            let mut answer = format!("HTTP/1.1 200 OK\r\nx-ms-request-id: r-1\r\n{length}\r\n").into_bytes();
            answer.resize(answer.len() + BODY_BYTES_MAX + 100_000, b' ');
            let error = exchange(answer).await.0.unwrap_err();
            let failure = super::super::failure::inside(&error).unwrap();
            assert_eq!((failure.kind, failure.said.request_id.as_deref()), (Kind::Unintelligible, Some("r-1")));
        }
    }

    /// Zeros, packed by hand: one literal, then copies of what is before, 258 bytes each in 13 bits.
    fn packed_zeros(mebibytes: usize) -> Vec<u8> {
        let mut bits: Vec<bool> = vec![];
        let mut push = |code: u32, length: u32, from_the_top: bool| {
            let places: Vec<u32> = if from_the_top { (0..length).rev().collect() } else { (0..length).collect() };
            bits.extend(places.iter().map(|place| code >> place & 1 == 1));
        };
        push(0b011, 3, false); // the last block, with the codes that are fixed
        push(0b0011_0000, 8, true); // a zero
        for _ in 0..mebibytes * (1 << 20) / 258 {
            push(0b1100_0101, 8, true); // 258 bytes
            push(0, 5, true); // from one byte before
        }
        push(0, 7, true); // the end
        let bytes = bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |all, bit| all << 1 | u8::from(*bit)));
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255].into_iter().chain(bytes).chain([0; 8]).collect()
    }

    #[tokio::test]
    async fn a_small_packed_body_that_unpacks_to_a_huge_one_is_not_taken_in() {
        let packed = packed_zeros(256);
        assert!(packed.len() < BODY_BYTES_MAX / 4, "{}", packed.len());
        let head = "HTTP/1.1 200 OK\r\nx-ms-request-id: r-2\r\nContent-Encoding: gzip\r\n";
        let mut answer = format!("{head}Content-Length: {}\r\n\r\n", packed.len()).into_bytes();
        answer.extend(packed);
        let error = exchange(answer).await.0.unwrap_err();
        let failure = super::super::failure::inside(&error).unwrap();
        assert_eq!((failure.kind, failure.said.request_id.as_deref()), (Kind::Unintelligible, Some("r-2")));
        assert!(failure.to_string().contains("larger than 8 MiB"), "{failure}");
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_a_lost_answer() {
        let (result, _) = exchange(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{".to_vec()).await;
        assert_eq!(*result.unwrap_err().kind(), ErrorKind::Io);
    }
}
