//! Ctrl-C and SIGTERM: the first asks for an orderly stop, the second ends at once.

use super::output::Stderr;
use tokio::sync::{mpsc, watch};

/// Listens for the signals and tells of the first one.
///
/// Must be called within a runtime.
pub(super) fn listen(stderr: Stderr) -> watch::Receiver<bool> {
    let (asked, stop) = watch::channel(false);
    let mut signals = signals();
    tokio::spawn(async move {
        if signals.recv().await.is_none() {
            return;
        }
        stderr.tell("\nStopping: what has been sent is waited for. Once more ends at once.\n");
        // Nobody may be listening any more; then the program is about to end anyway.
        let _ = asked.send(true);
        if signals.recv().await.is_some() {
            stderr.tell("Ended at once. What was sent may still take effect: run the same command again to go on.\n");
            end();
        }
    });
    stop
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
