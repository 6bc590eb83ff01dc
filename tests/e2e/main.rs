//! End-to-end: the real binary against scripted targets on loopback.

mod bad_input;
mod bad_target;
mod clouds;
mod derived;
mod diff;
mod foreign_results;
mod foundation;
mod gates;
mod guideline;
mod harness;
mod interrupt;
mod kube;
mod merge;
mod offline;
mod outputs;
mod places;
mod secrets;
mod serve;
mod sessions;
mod shown;
mod streams;
#[path = "../stub/mod.rs"]
mod stub;
mod tamper;
