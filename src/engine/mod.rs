//! (in progress)
mod client;
mod clock;
mod failure;
mod limit;
mod reveal;
