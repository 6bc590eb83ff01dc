//! What expressions see of an exchange. Made once per exchange, however many cases look at it.

use std::sync::Arc;

use crate::expr::{Json, Scope};
use crate::http::Exchange;

use super::request::path_of;

/// The variables of an exchange.
#[derive(Debug)]
pub(super) struct Answer {
    /// The parsed JSON body, `null` when it is not JSON.
    pub body: Arc<Json>,
    others: [(&'static str, Arc<Json>); 7],
}

impl Answer {
    /// Parses the body and collects the rest.
    pub fn of(exchange: &Exchange) -> Self {
        let (status, headers, body, text) = match &exchange.response {
            Some(response) => (
                Json::from(response.status),
                response.headers.to_json(),
                response.body.json().unwrap_or(Json::Null),
                Json::String(response.body.text().into_owned()),
            ),
            None => (Json::Null, Json::Object(serde_json::Map::new()), Json::Null, Json::String(String::new())),
        };
        let url = &exchange.request.url;
        Self {
            body: Arc::new(body),
            others: [
                ("status", Arc::new(status)),
                ("headers", Arc::new(headers)),
                ("text", Arc::new(text)),
                ("url", Arc::new(Json::String(url.clone()))),
                ("path", Arc::new(Json::String(path_of(url).to_owned()))),
                ("elapsed_ms", Arc::new(Json::from(exchange.done_ms.saturating_sub(exchange.sent_ms)))),
                ("at_ms", Arc::new(Json::from(exchange.at_ms))),
            ],
        }
    }

    /// Makes them visible.
    pub fn bind(&self, scope: &mut Scope) {
        scope.set("body", self.body.clone());
        for (name, value) in &self.others {
            scope.set(name, value.clone());
        }
    }
}
