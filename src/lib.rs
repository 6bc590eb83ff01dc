//! Assize
