//! How many requests are under way, and whose turn it is: a service that is busy with none of ours comes first, since
//! requests to one service keep each other waiting.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Room for so many requests. Whoever asks first goes first, among those whose service has least to do.
#[derive(Debug)]
pub(super) struct Lanes {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Requests under way by service.
    busy: BTreeMap<String, usize>,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    service: String,
    turn: oneshot::Sender<Lane>,
}

/// The right to have one request under way, given back when dropped.
#[derive(Debug)]
pub(super) struct Lane {
    lanes: Arc<Lanes>,
    service: String,
}

impl Lanes {
    /// Room for `count` requests, and for at least one.
    pub(super) fn new(count: usize) -> Arc<Self> {
        let state = State { free: count.max(1), busy: BTreeMap::new(), waiting: VecDeque::new() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// Waits until a request to this URL may be under way.
    pub(super) async fn enter(self: &Arc<Self>, url: &str) -> Lane {
        let service = service(url);
        let turn = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return self.lane(&mut state, service.to_owned());
            }
            let (turn, mine) = oneshot::channel();
            state.waiting.push_back(Waiting { service: service.to_owned(), turn });
            mine
        };
        match turn.await {
            Ok(lane) => lane,
            // Nobody drops the other end while these lanes are there; if so, better one request too many than none.
            Err(_) => self.lane(&mut self.state(), service.to_owned()),
        }
    }

    fn lane(self: &Arc<Self>, state: &mut State, service: String) -> Lane {
        *state.busy.entry(service.clone()).or_default() += 1;
        Lane { lanes: Arc::clone(self), service }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next in turn takes the place of a request that has ended.
    fn pass_on(self: &Arc<Self>, ended: &str) {
        let (turn, lane) = {
            let mut state = self.state();
            if let Some(count) = state.busy.get_mut(ended) {
                *count -= 1;
                if *count == 0 {
                    state.busy.remove(ended);
                }
            }
            let busy = |one: &Waiting| state.busy.get(&one.service).copied().unwrap_or_default();
            // The first of several equal ones.
            let next = state.waiting.iter().enumerate().min_by_key(|(_, one)| busy(one)).map(|(at, _)| at);
            let Some(Waiting { service, turn }) = next.and_then(|at| state.waiting.remove(at)) else {
                state.free += 1;
                return;
            };
            (turn, self.lane(&mut state, service))
        };
        // Whoever does not wait any more drops what it is given, and so passes it on.
        drop(turn.send(lane));
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.lanes.pass_on(&self.service);
    }
}

/// What distinguishes services in a URL: the host with its port, and the first segment of the path.
fn service(url: &str) -> &str {
    let ends = url.match_indices('/').map(|(at, _)| at).chain([url.len()]);
    url.get(..ends.clone().nth(3).unwrap_or(url.len())).unwrap_or(url).split('?').next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_told_apart_by_host_and_first_segment() {
        assert_eq!(service("http://127.0.0.1:9696/v2.0/networks?a=/b"), "http://127.0.0.1:9696/v2.0");
        assert_eq!(service("https://cloud.example/compute/v2.1/servers"), "https://cloud.example/compute");
        assert_eq!(service("https://h/compute?x=1"), "https://h/compute");
        assert_eq!(service("https://h/"), "https://h/");
        assert_eq!(service("/redfish/v1/"), "/redfish/v1/");
        assert_eq!(service("https://h"), "https://h");
    }

    #[tokio::test]
    async fn an_idle_service_comes_first_then_whoever_asked_first() {
        let lanes = Lanes::new(2);
        let one = lanes.enter("http://h:1/").await;
        let two = lanes.enter("http://h:2/").await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let wait = |name: &'static str, url: &'static str| {
            let (lanes, order) = (Arc::clone(&lanes), Arc::clone(&order));
            async move {
                let lane = lanes.enter(url).await;
                order.lock().unwrap().push(name);
                drop(lane);
            }
        };
        let waiting = async {
            tokio::join!(
                wait("a", "http://h:2/"),
                wait("b", "http://h:2/"),
                wait("c", "http://h:1/"),
                wait("d", "http://h:3/")
            );
        };
        let ends = async {
            tokio::task::yield_now().await;
            drop(one);
        };
        tokio::join!(waiting, ends);
        drop(two);
        // `two` is under way all the time: c and d go before those of its service.
        assert_eq!(*order.lock().unwrap(), ["c", "d", "a", "b"]);
    }

    #[tokio::test]
    async fn a_place_is_not_lost_when_nobody_waits_for_it_any_more() {
        let lanes = Lanes::new(1);
        let first = lanes.enter("http://h/").await;
        {
            let second = lanes.enter("http://h/");
            tokio::pin!(second);
            assert!(futures_poll(second.as_mut()).await.is_none());
        }
        drop(first);
        let third = lanes.enter("http://h/").await;
        drop(third);
        assert_eq!(lanes.state().free, 1);
        assert!(lanes.state().busy.is_empty());
    }

    /// Polls once.
    async fn futures_poll<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match future.as_mut().poll(context) {
                std::task::Poll::Ready(value) => Some(value),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
