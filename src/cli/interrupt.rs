//! Ctrl-C, SIGTERM and a time limit: the first of them asks for an orderly stop, a second signal ends at once.

use super::output::Stderr;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Listens for the signals, and for the end of the time allowed, and tells of the first.
///
/// Must be called within a runtime.
pub(super) fn listen(stderr: Stderr, timeout: Option<Duration>) -> watch::Receiver<bool> {
    let (asked, stop) = watch::channel(false);
    let mut signals = signals();
    tokio::spawn(async move {
        tokio::select! {
            Some(()) = signals.recv() => {
                stderr.tell("\nStopping: what has been sent is waited for. Once more ends at once.\n");
            }
            () = over(timeout) => stderr.tell("\nThe time allowed is over: what has been sent is waited for.\n"),
        }
        // Nobody may be listening any more; then the program is about to end anyway.
        let _ = asked.send(true);
        if signals.recv().await.is_some() {
            stderr.tell("Ended at once. What was sent may still take effect: run the same command again to go on.\n");
            end();
        }
    });
    stop
}

/// Ends when the time allowed is over; never, where none is set.
async fn over(timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => tokio::time::sleep(timeout).await,
        None => std::future::pending().await,
    }
}

/// Ends when a stop has been asked for; else never.
pub(super) async fn stopped(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|asked| *asked).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[expect(clippy::exit, reason = "the second signal asks for exactly this, and may find every task busy")]
fn end() -> ! {
    std::process::exit(1)
}

/// Every Ctrl-C and SIGTERM from now on; none, where the system lets us hear of none.
#[cfg(unix)]
fn signals() -> mpsc::Receiver<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (sender, receiver) = mpsc::channel(2);
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        if let Ok(mut stream) = signal(kind) {
            let sender = sender.clone();
            tokio::spawn(async move { while stream.recv().await.is_some() && sender.send(()).await.is_ok() {} });
        }
    }
    receiver
}

/// Every Ctrl-C from now on; none, where the system lets us hear of none.
#[cfg(not(unix))]
fn signals() -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(async move { while tokio::signal::ctrl_c().await.is_ok() && sender.send(()).await.is_ok() {} });
    receiver
}
