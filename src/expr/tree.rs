//! The lowered form of an expression: what the limits have passed, with names and functions resolved.

use super::functions::Def;

/// One operation. Chains of the same kind are flat, so that the depth of the tree is bounded by the nesting an author wrote.
#[derive(Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Double(f64),
    Str(String),
    /// `int`, `string`, … used as a value.
    Type(&'static str),
    /// A variable of the scope.
    Var(String),
    /// A variable of a comprehension: its place on the stack, and its name.
    Local(usize, String),
    /// `root.field[index]…`
    Path(Box<Node>, Vec<Step>),
    /// `has(operand.field)`
    Has(Box<Node>, String),
    Not(Box<Node>),
    Negate(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    /// Condition, value if true, value if false.
    If(Box<[Node; 3]>),
    Compare(Compare, Box<[Node; 2]>),
    /// Element, container.
    In(Box<[Node; 2]>),
    /// First operand, then the operators from left to right.
    Arithmetic(Box<Node>, Vec<(Arithmetic, Node)>),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Call(&'static Def, Vec<Node>),
    Fold(Box<Fold>),
}

#[derive(Debug)]
pub(super) enum Step {
    Field(String),
    Index(Node),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    pub(super) fn sign(self) -> char {
        match self {
            Arithmetic::Add => '+',
            Arithmetic::Subtract => '-',
            Arithmetic::Multiply => '*',
            Arithmetic::Divide => '/',
            Arithmetic::Remainder => '%',
        }
    }
}

/// A comprehension: `range.kind(var, guard, body)`.
#[derive(Debug)]
pub(super) struct Fold {
    pub(super) kind: FoldKind,
    pub(super) var: String,
    pub(super) range: Node,
    /// Only `map` with three arguments has one.
    pub(super) guard: Option<Node>,
    pub(super) body: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoldKind {
    All,
    Exists,
    ExistsOne,
    Map,
    Filter,
}

impl FoldKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            FoldKind::All => "all",
            FoldKind::Exists => "exists",
            FoldKind::ExistsOne => "exists_one",
            FoldKind::Map => "map",
            FoldKind::Filter => "filter",
        }
    }

    /// The kind of a call `x.name(…)` with so many arguments.
    pub(super) fn named(name: &str) -> Option<FoldKind> {
        Some(match name {
            "all" => FoldKind::All,
            "exists" => FoldKind::Exists,
            "exists_one" | "existsOne" => FoldKind::ExistsOne,
            "map" => FoldKind::Map,
            "filter" => FoldKind::Filter,
            _ => return None,
        })
    }
}

impl Node {
    /// The operation as an author would write it; calls and operators in short.
    pub(super) fn text(&self) -> String {
        match self {
            Node::Var(name) | Node::Local(_, name) => name.clone(),
            Node::Path(root, steps) => path_text(root, steps),
            Node::Str(text) => format!("'{}'", text.escape_debug()),
            Node::Int(value) => value.to_string(),
            Node::UInt(value) => format!("{value}u"),
            Node::Double(value) => value.to_string(),
            Node::Bool(value) => value.to_string(),
            Node::Null => "null".to_owned(),
            Node::Type(name) => (*name).to_owned(),
            Node::Call(def, _) => format!("{}(…)", def.name),
            Node::Fold(fold) => format!("{}.{}(…)", fold.range.text(), fold.kind.name()),
            Node::Has(operand, field) => format!("has({})", field_text(operand.text(), field)),
            Node::List(_) => "[…]".to_owned(),
            Node::Map(_) => "{…}".to_owned(),
            _ => "(…)".to_owned(),
        }
    }
}

/// `root` with the first steps of a path.
pub(super) fn path_text(root: &Node, steps: &[Step]) -> String {
    steps.iter().fold(root.text(), |text, step| match step {
        Step::Field(field) => field_text(text, field),
        Step::Index(Node::Str(key)) => field_text(text, key),
        Step::Index(index) => format!("{text}[{}]", index.text()),
    })
}

/// `text.field`, or `text['fi-eld']` where the short form is not the language.
pub(super) fn field_text(text: String, field: &str) -> String {
    if is_name(field) { format!("{text}.{field}") } else { format!("{text}['{}']", field.escape_debug()) }
}

/// Whether a text has the form of a name.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .enumerate()
            .all(|(at, b)| b == b'_' || b.is_ascii_alphabetic() || (at > 0 && b.is_ascii_digit()))
}
