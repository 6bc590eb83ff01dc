//! Work on all cores, for what is independent and pure. The results are the same with any number of cores; it starts no
//! task that outlives the call and does not know what it spreads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

/// More threads than this are not started.
const MOST: usize = 16;
/// Results that wait to be taken, for each thread.
const WAITING: usize = 8;

/// Calls `work` with each number below `count`, on as many threads as pay when one of them should have at least `least`
/// numbers. `take` gets every result on the calling thread, in no particular order, soon after it was made: few results
/// are kept at the same time.
///
/// # Panics
/// When `work` panics.
pub fn spread<T: Send>(count: usize, least: usize, work: impl Fn(usize) -> T + Sync, mut take: impl FnMut(usize, T)) {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = cores.min(count / least.max(1)).min(MOST);
    if threads <= 1 {
        (0..count).for_each(|at| take(at, work(at)));
        return;
    }
    let next = AtomicUsize::new(0);
    let (sender, results) = sync_channel(threads * WAITING);
    thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count || sender.send((at, work(at))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (at, result) in results {
            take(at, result);
        }
    });
}

/// Does two things at the same time.
///
/// # Panics
/// When one of them panics.
pub fn both<A: Send, B>(first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let first = scope.spawn(first);
        let second = second();
        (first.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), second)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_once() {
        for (count, least) in [(0, 1), (1, 1), (7, 100), (1000, 1), (1000, 0)] {
            let mut seen = vec![0; count];
            spread(count, least, |at| at * 2, |at, double| seen[at] += usize::from(double == at * 2));
            assert!(seen.iter().all(|times| *times == 1), "{count} {least}");
        }
    }

    #[test]
    fn a_panic_is_not_lost() {
        let panicked = |work: fn()| std::panic::catch_unwind(work).is_err();
        assert!(panicked(|| spread(100, 1, |at| assert!(at != 50), |_, ()| {})));
        assert!(panicked(|| {
            both(|| panic!("on purpose"), || ());
        }));
        assert_eq!(both(|| 1, || 2), (1, 2));
    }
}
