//! The tree of an expression as it was written: what `parse` makes and `compile` lowers. It borrows from the source.

use super::tree::{Arithmetic, Compare};

/// A part of an expression with the offset at which a problem with it is shown: that of a name, of a literal, of an
/// operator, or of an opening bracket.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expr<'s> {
    pub(super) at: usize,
    pub(super) kind: Kind<'s>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind<'s> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Double(f64),
    Str(String),
    Name(&'s str),
    /// `operand.field`
    Select(Box<Expr<'s>>, &'s str),
    /// `operand[index]`
    Index(Box<[Expr<'s>; 2]>),
    /// `name(…)`, or `target.name(…)`
    Call(Option<Box<Expr<'s>>>, &'s str, Vec<Expr<'s>>),
    List(Vec<Expr<'s>>),
    Map(Vec<(Expr<'s>, Expr<'s>)>),
    /// An odd number of `!`; an even one leaves no trace.
    Not(Box<Expr<'s>>),
    /// An odd number of `-`; an even one leaves no trace.
    Negate(Box<Expr<'s>>),
    /// Condition, value if true, value if false.
    If(Box<[Expr<'s>; 3]>),
    /// At least two operands.
    Logic(Logic, Vec<Expr<'s>>),
    Compare(Compare, Box<[Expr<'s>; 2]>),
    /// Element, container.
    In(Box<[Expr<'s>; 2]>),
    Arithmetic(Arithmetic, Box<[Expr<'s>; 2]>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logic {
    And,
    Or,
}
