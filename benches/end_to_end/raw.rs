//! The baseline: how little the same requests cost with the same HTTP library and nothing around it.
//!
//! One client, a current-thread runtime, 16 requests in flight; every body is read and parsed, the status and two values of it
//! are compared. No files, no record, no report: what a hand-written loop would do.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::Value;

use crate::Fallible;
use crate::workload::{ADDRESS, IN_FLIGHT, STATUS};

/// `raw BASE COUNT`.
pub fn main(arguments: &[String]) -> Fallible<()> {
    let [base, count] = arguments else { return Err("usage: raw BASE COUNT".into()) };
    let count: usize = count.parse()?;
    // An error means that there is one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let next = Rc::new(Cell::new(0));
    let tasks = tokio::task::LocalSet::new();
    let workers: Vec<_> = (0..IN_FLIGHT)
        .map(|_| tasks.spawn_local(work(client.clone(), base.clone(), Rc::clone(&next), count)))
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tasks.block_on(&runtime, async {
        for worker in workers {
            worker.await?.map_err(|error| -> Box<dyn std::error::Error> { error.into() })?;
        }
        Ok(())
    })
}

async fn work(client: reqwest::Client, base: String, next: Rc<Cell<usize>>, count: usize) -> Result<(), String> {
    while next.get() < count {
        let number = next.replace(next.get() + 1);
        let url = format!("{base}/servers/{number}");
        one(&client, &url).await.map_err(|error| format!("{url}: {error}"))?;
    }
    Ok(())
}

async fn one(client: &reqwest::Client, url: &str) -> Fallible<()> {
    let response = client.get(url).send().await?;
    let status = response.status();
    let body: Value = serde_json::from_slice(&response.bytes().await?)?;
    let as_expected = status == 200 && body["server"]["status"] == STATUS && body["server"]["accessIPv4"] == ADDRESS;
    if as_expected { Ok(()) } else { Err(format!("status {status}, {body}").into()) }
}
