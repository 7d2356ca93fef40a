//! Work that is cut into parts which know nothing of each other, on as many cores as there are.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// More threads than this gain little and take memory.
const THREADS_MAX: usize = 8;

/// Does each part, and gives what came of them in their own order, whoever did them and when.
pub(super) fn side_by_side<T: Sync, R: Send>(parts: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let one_after_the_other = || {
        let mut done = vec![];
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            match parts.get(at) {
                Some(part) => done.push((at, work(part))),
                None => return done,
            }
        }
    };
    let mut all = thread::scope(|scope| {
        let threads = cores.min(THREADS_MAX).min(parts.len());
        let others: Vec<_> =
            (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, one_after_the_other).ok()).collect();
        let mut all = one_after_the_other();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_the_parts_is_in_their_own_order() {
        let parts: Vec<u64> = (0..500).collect();
        assert_eq!(side_by_side(&parts, |part| part * 2), parts.iter().map(|part| part * 2).collect::<Vec<_>>());
        assert!(side_by_side(&[], |part: &u64| *part).is_empty());
    }
}
