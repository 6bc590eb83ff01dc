//! Cases whose steps are not kept. In a catalogue of many thousand cases the compiled steps need far more memory than
//! their text. They are read and checked with everything else, dropped, and read again when the case is started.

use std::ops::Deref;
use std::sync::Arc;

use super::model::Case;
use super::reader::{self, Origin};
use crate::text::Span;

/// Where the steps of a case are read again. Whoever made it has seen that this gives the same.
#[derive(Debug)]
pub(super) struct Deferred {
    pub(super) origin: Arc<Origin>,
    pub(super) span: Span,
}

/// A case with its steps.
#[derive(Debug)]
pub enum Whole<'c> {
    /// They were kept.
    Kept(&'c Case),
    /// They were read again.
    Again(Box<Case>),
}

impl Deref for Whole<'_> {
    type Target = Case;

    fn deref(&self) -> &Case {
        match self {
            Whole::Kept(case) => case,
            Whole::Again(case) => case,
        }
    }
}

impl Case {
    /// The case with its steps, for whoever runs or judges it.
    #[must_use]
    pub fn whole(&self) -> Whole<'_> {
        match self.deferred.as_ref().and_then(reader::read_again) {
            Some(case) => Whole::Again(Box::new(case)),
            None => Whole::Kept(self),
        }
    }

    /// Whether this is a case without its steps, which only [`whole`](Case::whole) has.
    #[must_use]
    pub fn lacks_steps(&self) -> bool {
        self.deferred.is_some()
    }
}
