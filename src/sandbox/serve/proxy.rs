//! The way in for clients that ask for Azure's own names: a proxy that knows these names and no others.
//!
//! A tunnel leads to the HTTPS listener's own code, never to another machine, so nothing that is sent
//! through here leaves this one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::front::Front;
use super::names;

/// How much a client may say before it has said where it wants to go.
const HEAD_LIMIT_BYTES: u64 = 16 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves one client of the proxy.
pub(super) async fn serve(stream: TcpStream, front: &Arc<Front>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let head = timeout(PATIENCE, head(&mut stream)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    match judge(&head, front) {
        Ok(()) => {
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            front.tls(stream).await
        }
        Err(Refusal { status, why }) => {
            let length = why.len() + 1;
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{why}\n"
            );
            stream.write_all(answer.as_bytes()).await?;
            stream.shutdown().await
        }
    }
}

/// Reads up to the empty line, and not a byte further than what is buffered for the tunnel anyway.
async fn head(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut head = String::new();
    loop {
        let left = HEAD_LIMIT_BYTES.saturating_sub(head.len() as u64);
        let read = (&mut *stream).take(left).read_line(&mut head).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if head.ends_with("\r\n\r\n") || head.ends_with("\n\n") {
            return Ok(head);
        }
    }
}

struct Refusal {
    status: &'static str,
    why: String,
}

fn judge(head: &str, front: &Front) -> Result<(), Refusal> {
    let forbidden = |why: String| Refusal { status: "403 Forbidden", why };
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(Refusal { status: "400 Bad Request", why: "this is no request to a proxy".to_owned() });
    };
    if method != "CONNECT" {
        return Err(forbidden("the sandbox's proxy makes tunnels only: HTTPS, by CONNECT".to_owned()));
    }
    let (host, port) = target.rsplit_once(':').unwrap_or((target, "443"));
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let shown: String = host.chars().filter(char::is_ascii_graphic).take(253).collect();
    if port != "443" || !names::is_served(&host) {
        return Err(forbidden(format!("the sandbox does not serve {shown}, and leads nowhere else")));
    }
    // A name that is not in the DNS; a real proxy finds no server behind it either.
    if names::is_vault(&host) && !front.resolves(&host) {
        return Err(Refusal { status: "502 Bad Gateway", why: format!("could not resolve host: {shown}") });
    }
    Ok(())
}
