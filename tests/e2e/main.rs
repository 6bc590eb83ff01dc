//! End-to-end: the real binary against scripted targets on loopback.

#[path = "../stub/mod.rs"]
mod stub;

mod bad_input;
mod bad_target;
mod gates;
mod harness;
mod interrupt;
mod outputs;
mod secrets;
mod sessions;
mod shown;
mod tamper;
