//! From parser events to the tree. An explicit stack instead of recursion, so depth is a number and not a crash.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, StructureStyle, Tag};

use super::super::{Diagnostic, Diagnostics, SourceFile, Span};
use super::{Key, MAX_BYTES, MAX_DEPTH, Node, Value, scalar};

/// What aliases may add in all: text bytes plus a fixed price per node. Enough for any honest document, and a "billion
/// laughs" file stops here.
const ALIAS_BUDGET: usize = 8 << 20;
const NODE_PRICE: usize = 64;
/// Keys longer than YAML's 1024 characters occur in JSON documents.
const KEY_LOOKAHEAD: usize = 64 << 10;

pub(super) fn parse(source: &Arc<SourceFile>) -> Result<Node, Diagnostics> {
    let mut builder = Builder::new(source);
    if source.text.len() > MAX_BYTES {
        let message = format!("file is larger than {}", crate::text::format_size(MAX_BYTES as u64));
        let diagnostic = Diagnostic::error("Y003", message).help("split it into several files");
        return Err(diagnostic.source(source).into());
    }
    let mut options = granit_parser::options! {
        simple_key_max_lookahead: KEY_LOOKAHEAD,
    };
    options.set_emit_comments(false);
    for next in Parser::new_from_str_with_options(&source.text, options) {
        let outcome = match next {
            Ok((event, span)) => builder.event(event, builder.span(&span)),
            Err(error) => Err(builder.syntax_error(&error)),
        };
        if let Err(fatal) = outcome {
            builder.problems.push(fatal.source(source));
            return Err(builder.problems);
        }
    }
    if !builder.problems.is_empty() {
        return Err(builder.problems);
    }
    Ok(builder.root.unwrap_or(Node { span: Span::default(), value: Value::Null }))
}

/// A finished node with what it costs to repeat it.
struct Built {
    node: Node,
    /// Levels of collections in it.
    depth: usize,
    cost: usize,
}

struct Frame {
    start: Span,
    flow: bool,
    anchor: usize,
    depth: usize,
    cost: usize,
    items: Items,
}

enum Items {
    Seq(Vec<Node>),
    Map(MapItems),
}

#[derive(Default)]
struct MapItems {
    entries: Vec<(Key, Node)>,
    /// Place of an entry by the hash of its key, once there are many.
    index: HashMap<u64, usize>,
    hashes: RandomState,
    key: Option<PendingKey>,
    /// Values of `<<`, applied at the end because explicit keys win wherever they stand.
    merges: Vec<Node>,
}

/// Up to this many keys are compared one by one.
const FEW_KEYS: usize = 16;

impl MapItems {
    fn push(&mut self, key: Key, node: Node) {
        let at = self.entries.len();
        self.entries.push((key, node));
        if at + 1 == FEW_KEYS {
            for (at, (key, _)) in self.entries.iter().enumerate() {
                self.index.entry(self.hashes.hash_one(&key.text)).or_insert(at);
            }
        } else if at + 1 > FEW_KEYS
            && let Some((key, _)) = self.entries.last()
        {
            self.index.entry(self.hashes.hash_one(&key.text)).or_insert(at);
        }
    }

    /// Where a key stands already.
    fn place(&self, text: &str) -> Option<Span> {
        let find = |entries: &[(Key, Node)]| entries.iter().find(|(key, _)| key.text == text).map(|(key, _)| key.span);
        if self.entries.len() < FEW_KEYS {
            return find(&self.entries);
        }
        let at = *self.index.get(&self.hashes.hash_one(text))?;
        let first = self.entries.get(at).filter(|(key, _)| key.text == text).map(|(key, _)| key.span);
        // Another key with the same hash.
        first.or_else(|| find(&self.entries))
    }
}

enum PendingKey {
    Text(Key),
    Merge,
    /// A refused key: its value is read and dropped, to find further problems.
    Refused,
}

struct Builder<'s> {
    source: &'s Arc<SourceFile>,
    problems: Diagnostics,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Built>,
    alias_cost: usize,
    documents: usize,
    root: Option<Node>,
}

type Step = Result<(), Diagnostic>;

impl<'s> Builder<'s> {
    fn new(source: &'s Arc<SourceFile>) -> Builder<'s> {
        Builder {
            source,
            problems: Diagnostics::new(),
            stack: Vec::new(),
            anchors: HashMap::new(),
            alias_cost: 0,
            documents: 0,
            root: None,
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Step {
        match event {
            Event::DocumentStart(..) => self.document(span),
            Event::Scalar(text, style, anchor, tag) => {
                if self.expects_key() {
                    self.scalar_key(&text, style, anchor, tag.as_deref(), span);
                    return Ok(());
                }
                let value = self.scalar(&text, style, tag.as_deref(), span);
                let cost = NODE_PRICE + text.len();
                let node = Node { span, value };
                self.finish(Built { node, depth: 0, cost }, anchor)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.check_tag(tag.as_deref(), "seq", span);
                self.open(style, anchor, Items::Seq(Vec::new()), span)
            }
            Event::MappingStart(style, anchor, tag) => {
                self.check_tag(tag.as_deref(), "map", span);
                self.open(style, anchor, Items::Map(MapItems::default()), span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            _ => Ok(()),
        }
    }

    fn document(&mut self, span: Span) -> Step {
        self.documents += 1;
        if self.documents > 1 {
            return Err(Diagnostic::error("Y004", "more than one document in a file")
                .label(span, "the second one starts here")
                .help("put each document into its own file"));
        }
        Ok(())
    }

    fn open(&mut self, style: StructureStyle, anchor: usize, items: Items, start: Span) -> Step {
        if self.stack.len() >= MAX_DEPTH {
            return Err(too_deep(start));
        }
        self.stack.push(Frame {
            start,
            flow: style == StructureStyle::Flow,
            anchor,
            depth: 0,
            cost: NODE_PRICE,
            items,
        });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Step {
        let Some(mut frame) = self.stack.pop() else {
            return Ok(());
        };
        let span = frame.span(end);
        let value = match frame.items {
            Items::Seq(items) => Value::Seq(items),
            Items::Map(mut map) => {
                let merges = std::mem::take(&mut map.merges);
                if !merges.is_empty() {
                    for merged in merges {
                        self.merge(&mut map, merged);
                    }
                    // What was merged is not there twice, so the sums of the parts are too high.
                    (frame.depth, frame.cost) = measure(&map.entries);
                }
                Value::Map(map.entries)
            }
        };
        let built = Built { node: Node { span, value }, depth: frame.depth + 1, cost: frame.cost };
        self.finish(built, frame.anchor)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Step {
        let Some(built) = self.anchors.get(&anchor) else {
            return Err(Diagnostic::error("Y001", "an alias inside the value it refers to")
                .label(span, "refers to a value that is not complete yet"));
        };
        self.alias_cost = self.alias_cost.saturating_add(built.cost);
        if self.alias_cost > ALIAS_BUDGET {
            return Err(Diagnostic::error("Y003", "aliases make the document too large")
                .label(span, "the limit is passed here")
                .help("repeat less, or move the shared part to a place that is read once"));
        }
        if self.stack.len() + built.depth > MAX_DEPTH {
            return Err(too_deep(span));
        }
        let copy = Built { node: Node { span, value: built.node.value.clone() }, depth: built.depth, cost: built.cost };
        self.finish(copy, 0)
    }

    /// Hands a complete node to the collection it stands in.
    fn finish(&mut self, built: Built, anchor: usize) -> Step {
        if anchor != 0 {
            let copy = Built { node: built.node.clone(), ..built };
            self.anchors.insert(anchor, copy);
        }
        let Built { node, depth, cost } = built;
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.depth = frame.depth.max(depth);
        frame.cost = frame.cost.saturating_add(cost);
        let map = match &mut frame.items {
            Items::Seq(items) => {
                items.push(node);
                return Ok(());
            }
            Items::Map(map) => map,
        };
        match map.key.take() {
            Some(PendingKey::Text(key)) => map.push(key, node),
            Some(PendingKey::Merge) => map.merges.push(node),
            Some(PendingKey::Refused) => {}
            None => self.node_as_key(node),
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Frame { items: Items::Map(map), .. }) if map.key.is_none())
    }

    fn scalar_key(&mut self, text: &str, style: ScalarStyle, anchor: usize, tag: Option<&Tag>, span: Span) {
        if let Some(tag) = tag
            && tag.core_suffix().is_none()
        {
            self.refuse_tag(span);
        }
        if anchor != 0 {
            let node = Node { span, value: Value::Str(text.to_string()) };
            let cost = NODE_PRICE + text.len();
            self.anchors.insert(anchor, Built { node, depth: 0, cost });
        }
        if text == "<<" && style == ScalarStyle::Plain && tag.is_none() {
            self.set_key(PendingKey::Merge);
        } else {
            let text = text.to_string();
            self.named_key(Key { span, text });
        }
    }

    /// A node that is not a scalar event where a key must be: an alias to a string will do.
    fn node_as_key(&mut self, node: Node) {
        if let Value::Str(text) = node.value {
            let span = node.span;
            return self.named_key(Key { span, text });
        }
        self.report(
            Diagnostic::error("Y004", format!("{} cannot be a key", node.kind_name()))
                .label(node.span, "must be a scalar")
                .help("quote the key; a value that starts with `{` or `[` needs quotes too"),
        );
        self.set_key(PendingKey::Refused);
    }

    fn named_key(&mut self, key: Key) {
        let Some(Frame { items: Items::Map(map), .. }) = self.stack.last_mut() else {
            return;
        };
        match map.place(&key.text) {
            None => map.key = Some(PendingKey::Text(key)),
            Some(first) => {
                map.key = Some(PendingKey::Refused);
                self.report(
                    Diagnostic::error("Y002", format!("duplicate key `{}`", key.text))
                        .label(key.span, "again here")
                        .label(first, "first here")
                        .help("remove one of the two"),
                );
            }
        }
    }

    fn set_key(&mut self, key: PendingKey) {
        if let Some(Frame { items: Items::Map(map), .. }) = self.stack.last_mut() {
            map.key = Some(key);
        }
    }

    /// Adds the entries of a merged mapping, or of a list of mappings, that are not there yet.
    fn merge(&mut self, map: &mut MapItems, merged: Node) {
        let sources = match merged.value {
            Value::Map(_) => vec![merged],
            Value::Seq(items) => items,
            _ => return self.bad_merge(&merged),
        };
        for source in sources {
            let Value::Map(entries) = source.value else {
                self.bad_merge(&source);
                continue;
            };
            for (key, node) in entries {
                if map.place(&key.text).is_none() {
                    map.push(key, node);
                }
            }
        }
    }

    fn bad_merge(&mut self, node: &Node) {
        self.report(
            Diagnostic::error("Y004", format!("cannot merge {} with `<<`", node.kind_name()))
                .label(node.span, "must be a mapping")
                .help("quote `\"<<\"` if it is meant as an ordinary key"),
        );
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Value {
        let kind = match tag {
            None if style == ScalarStyle::Plain => "",
            None => "str",
            // The tag `!` alone means: not plain.
            Some(tag) if tag.handle().is_empty() && tag.suffix() == "!" => "str",
            Some(tag) => match tag.core_suffix() {
                Some(kind @ ("str" | "int" | "float" | "bool" | "null")) => kind,
                _ => {
                    self.refuse_tag(span);
                    "str"
                }
            },
        };
        if kind == "str" {
            return Value::Str(text.to_string());
        }
        let Ok(value) = scalar::resolve(text) else {
            self.report(
                Diagnostic::error("Y005", format!("number `{text}` does not fit"))
                    .label(span, "would change its value")
                    .help("quote it if it is an identifier"),
            );
            return Value::Null;
        };
        match (kind, value) {
            ("float", Value::Int(number)) => Value::Float(number as f64),
            ("" | "int", value @ Value::Int(_))
            | ("" | "float", value @ Value::Float(_))
            | ("" | "bool", value @ Value::Bool(_))
            | ("" | "null", value @ Value::Null)
            | ("", value @ Value::Str(_)) => value,
            _ => {
                self.report(
                    Diagnostic::error("Y004", format!("`{text}` is not what its tag `!!{kind}` says"))
                        .label(span, "")
                        .help("remove the tag or correct the value"),
                );
                Value::Null
            }
        }
    }

    fn check_tag(&mut self, tag: Option<&Tag>, expected: &str, span: Span) {
        if tag.is_some_and(|tag| tag.core_suffix() != Some(expected)) {
            self.refuse_tag(span);
        }
    }

    fn refuse_tag(&mut self, span: Span) {
        self.report(
            Diagnostic::error("Y004", "unknown tag")
                .label(span, "has a tag that no reader here understands")
                .help("remove the tag, the word with `!`, or quote the text if it is no tag"),
        );
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.problems.push(diagnostic.source(self.source));
    }

    fn span(&self, span: &granit_parser::Span) -> Span {
        let start = self.offset(&span.start);
        Span::new(start, self.offset(&span.end).max(start))
    }

    fn offset(&self, marker: &Marker) -> usize {
        let length = self.source.text.len();
        marker.byte_offset().unwrap_or(length).min(length)
    }

    fn syntax_error(&self, error: &granit_parser::ScanError) -> Diagnostic {
        let at = self.offset(error.marker());
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            // The scanner looks ahead and meets its own limit first.
            return too_deep(Span::new(at, at));
        }
        // A caret under at least one character, where there is one.
        let end = match self.source.text.as_bytes().get(at) {
            None | Some(b'\n' | b'\r') => at,
            Some(_) => at + 1,
        };
        let diagnostic = Diagnostic::error("Y001", error.info()).label(Span::new(at, end), "not valid YAML");
        match self.syntax_help(at) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }

    /// The usual mistakes, by what stands on the line of the error.
    fn syntax_help(&self, at: usize) -> Option<&'static str> {
        let text = &self.source.text;
        let start = text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
        let line = text.get(start..)?.lines().next()?;
        let indent = line.len() - line.trim_start().len();
        if line.get(..indent)?.contains('\t') {
            return Some("indent with spaces, not with tabs");
        }
        let value = line.split_once(": ").map_or(line, |(_, value)| value);
        let value = value.trim_start_matches(['-', ' ']);
        if value.starts_with(['@', '`', '%', '*', '&', '!', '{', '[', '"', '\'']) || value.contains(": ") {
            return Some("quote the whole value");
        }
        None
    }
}

impl Frame {
    /// A flow collection ends with its bracket. A block collection has no end of its own: the parser reports the next
    /// token, so the end of the last child is used.
    fn span(&self, end: Span) -> Span {
        if self.flow && end.end > self.start.start {
            return self.start.to(end);
        }
        let last = match &self.items {
            Items::Seq(items) => items.last().map(|node| node.span),
            Items::Map(map) => map.entries.last().map(|(key, node)| key.span.to(node.span)),
        };
        let first = match &self.items {
            Items::Seq(_) => None,
            Items::Map(map) => map.entries.first().map(|(key, _)| key.span),
        };
        [first, last].into_iter().flatten().fold(Span::new(self.start.start, self.start.start), Span::to)
    }
}

/// Depth and cost of the entries of a mapping. The recursion is bounded: nothing deeper than the limit is ever built.
fn measure(entries: &[(Key, Node)]) -> (usize, usize) {
    fn node(value: &Value) -> (usize, usize) {
        match value {
            Value::Str(text) => (0, NODE_PRICE + text.len()),
            Value::Seq(items) => items.iter().fold((1, NODE_PRICE), |(depth, cost), item| {
                let (own, price) = node(&item.value);
                (depth.max(own + 1), cost.saturating_add(price))
            }),
            Value::Map(entries) => {
                let (depth, cost) = measure(entries);
                (depth + 1, cost)
            }
            _ => (0, NODE_PRICE),
        }
    }
    entries.iter().fold((0, NODE_PRICE), |(depth, cost), (key, item)| {
        let (own, price) = node(&item.value);
        let sum = cost.saturating_add(price).saturating_add(key.text.len());
        (depth.max(own), sum)
    })
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("Y003", format!("nested deeper than {MAX_DEPTH} levels"))
        .label(span, "one level too many")
        .help("flatten the structure")
}
