//! Puts back what fixtures set up, at the end of a run: those at the same time that do not need each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::shared::{Shared, Standing};
use crate::judge::{FixtureState, Leak};

/// Id, number of the log-in, result of the set-up, what could not be put back.
pub(super) type TornDown = (String, u32, Arc<FixtureState>, Vec<Leak>);

/// Tears all fixtures down; the newest come first in the result. To put something back a log-in may be needed, which is
/// a fixture as well.
pub(super) async fn all(shared: &Arc<Shared>) -> Vec<TornDown> {
    let mut done = Vec::new();
    loop {
        let standing = shared.standing();
        if standing.is_empty() {
            return done;
        }
        done.extend(together(shared, standing).await);
    }
}

async fn together(shared: &Arc<Shared>, standing: Vec<Standing>) -> Vec<TornDown> {
    let mut left: Vec<(usize, Standing)> = standing.into_iter().enumerate().collect();
    let mut under_way: BTreeMap<usize, String> = BTreeMap::new();
    let mut tasks: JoinSet<(usize, TornDown)> = JoinSet::new();
    let mut done: Vec<(usize, TornDown)> = Vec::new();
    loop {
        let mut later = Vec::new();
        let ids: Vec<String> = left.iter().map(|(_, one)| one.id.clone()).chain(under_way.values().cloned()).collect();
        for (at, one) in left {
            let needed = ids.iter().any(|other| *other != one.id && needs(shared, other, &one.id));
            if needed {
                later.push((at, one));
                continue;
            }
            under_way.insert(at, one.id.clone());
            let number = one.number;
            tasks.spawn(async move {
                let (id, state, leaks) = one.tear_down().await;
                (at, (id, number, state, leaks))
            });
        }
        left = later;
        match tasks.join_next().await {
            Some(Ok((at, torn_down))) => {
                under_way.remove(&at);
                done.push((at, torn_down));
            }
            // The task of a fixture tells its own panics; this one only waits for it.
            Some(Err(_)) => {}
            None => break,
        }
    }
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, torn_down)| torn_down).collect()
}

/// Whether one fixture stands on another.
fn needs(shared: &Shared, id: &str, other: &str) -> bool {
    shared.catalogue.fixture(id).is_some_and(|(_, fixture)| fixture.needs.iter().any(|need| need.fixture == other))
}
