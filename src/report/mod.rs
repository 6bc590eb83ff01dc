//! Documents in and out.
pub mod bundle;
pub mod document;
pub mod github;
pub mod html;
pub mod inputs;
pub mod junit;
