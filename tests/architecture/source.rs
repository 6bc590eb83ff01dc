//! Just enough of a Rust lexer to find paths, macros and words with their lines. It does not resolve names: a renamed
//! import hides what follows it, the import itself is still seen.

use std::path::{Path, PathBuf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Word,
    Punct,
    Text,
    Comment,
}

#[derive(Clone, Debug)]
pub struct Token {
    pub kind: Kind,
    pub text: String,
    pub line: usize,
}

/// A path with every group expanded: `std::{env, io::{self, Write}}` gives three.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub segments: Vec<String>,
    pub line: usize,
    /// How many inline modules (`mod x { … }`) enclose it.
    pub depth: usize,
}

/// One source file without its test code.
pub struct Source {
    pub tokens: Vec<Token>,
    /// Files that are test code because of a `#[cfg(test)] mod name;` here.
    pub test_files: Vec<PathBuf>,
}

impl Source {
    pub fn read(path: &Path, text: &str) -> Source {
        let mut tokens = lex(text);
        let mut test_files = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let Some(attribute_end) = test_attribute(&tokens, at) else {
                at += 1;
                continue;
            };
            if text_at(&tokens, at + 1) == "!" {
                tokens.clear();
                break;
            }
            let end = item_end(&tokens, attribute_end);
            test_files.extend(declared_files(path, &tokens[at..end]));
            tokens.drain(at..end);
        }
        Source { tokens, test_files }
    }

    pub fn code(&self) -> Vec<&Token> {
        self.tokens.iter().filter(|t| t.kind != Kind::Comment).collect()
    }

    pub fn paths(&self) -> Vec<Found> {
        let code = self.code();
        let mut found = Vec::new();
        let mut modules: Vec<usize> = Vec::new();
        let mut braces = 0;
        for (at, token) in code.iter().enumerate() {
            match token.text.as_str() {
                "{" if token.kind == Kind::Punct => {
                    braces += 1;
                    if at >= 2 && code[at - 2].text == "mod" && code[at - 2].kind == Kind::Word {
                        modules.push(braces);
                    }
                }
                "}" if token.kind == Kind::Punct => {
                    if modules.last() == Some(&braces) {
                        modules.pop();
                    }
                    braces -= 1;
                }
                _ if token.kind == Kind::Word && starts_path(&code, at) => {
                    let before = found.len();
                    expand(&code, at, &[], modules.len(), &mut found);
                    // A single word is a path in an import; elsewhere it is a variable, a field, a keyword.
                    let lone = found.len() == before + 1 && found[before].segments.len() == 1;
                    if lone && !imported(&code, at) {
                        found.pop();
                    }
                }
                _ => {}
            }
        }
        found
    }

    /// Names of invoked macros: `name!(`, `name![`, `name!{`.
    pub fn macros(&self) -> Vec<(String, usize)> {
        let code = self.code();
        code.windows(3)
            .filter(|w| w[0].kind == Kind::Word && w[1].text == "!")
            .filter(|w| w[2].kind == Kind::Punct && matches!(w[2].text.as_str(), "(" | "[" | "{"))
            .map(|w| (format!("{}!", w[0].text), w[0].line))
            .collect()
    }
}

fn text_at(tokens: &[Token], at: usize) -> &str {
    tokens.get(at).map_or("", |t| match t.kind {
        Kind::Word | Kind::Punct => t.text.as_str(),
        Kind::Text | Kind::Comment => "",
    })
}

/// The end of `#[cfg(test)]` or `#![cfg(test)]` (or `cfg(all(test, …))`) that starts at `at`.
fn test_attribute(tokens: &[Token], at: usize) -> Option<usize> {
    if text_at(tokens, at) != "#" {
        return None;
    }
    let open = if text_at(tokens, at + 1) == "!" { at + 2 } else { at + 1 };
    if text_at(tokens, open) != "[" || text_at(tokens, open + 1) != "cfg" {
        return None;
    }
    let end = group_end(tokens, open);
    let has = |word| (open..end).any(|i| text_at(tokens, i) == word);
    (has("test") && !has("not") && !has("any")).then_some(end)
}

/// Just past the bracket that closes the one at `open`.
fn group_end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for at in open..tokens.len() {
        match text_at(tokens, at) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// Just past the item that starts at `at`, further attributes included.
fn item_end(tokens: &[Token], mut at: usize) -> usize {
    let mut statement = false;
    while at < tokens.len() {
        match text_at(tokens, at) {
            ";" | "," => return at + 1,
            "use" | "static" | "const" | "type" | "let" => statement = text_at(tokens, at + 1) != "fn",
            "{" if !statement => return group_end(tokens, at),
            "(" | "[" | "{" => {
                at = group_end(tokens, at);
                continue;
            }
            // The end of what encloses it, after a last field or statement.
            ")" | "]" | "}" => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

fn declared_files(path: &Path, item: &[Token]) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let Some(at) = item.iter().position(|t| t.kind == Kind::Word && t.text == "mod") else {
        return Vec::new();
    };
    if text_at(item, at + 2) != ";" {
        return Vec::new();
    }
    if let Some(explicit) = item[..at].iter().find(|t| t.kind == Kind::Text) {
        return vec![folder.join(explicit.text.trim_matches('"'))];
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let base = match stem.as_ref() {
        "mod" | "lib" | "main" => folder.to_path_buf(),
        other => folder.join(other),
    };
    let name = text_at(item, at + 1);
    vec![base.join(format!("{name}.rs")), base.join(name)]
}

fn starts_path(code: &[&Token], at: usize) -> bool {
    if at == 0 {
        return true;
    }
    match code[at - 1].text.as_str() {
        "." => false,
        // `::std` starts a path, `a::std` and `<T>::std` continue one, `a::{std}` is expanded with its group.
        "::" => at < 2 || !(code[at - 2].kind == Kind::Word || code[at - 2].text == ">"),
        "{" | "," => !in_path_group(code, at),
        _ => true,
    }
}

/// Whether the path at `at` is the beginning of a `use` or `extern crate` item.
fn imported(code: &[&Token], at: usize) -> bool {
    for token in code[..at].iter().rev() {
        match token.text.as_str() {
            "use" | "extern" => return true,
            "{" | "," | "as" | "::" => {}
            _ if token.kind == Kind::Word => {}
            _ => return false,
        }
    }
    false
}

fn in_path_group(code: &[&Token], at: usize) -> bool {
    let mut depth = 0;
    for i in (1..at).rev() {
        match code[i].text.as_str() {
            "}" => depth += 1,
            "{" if depth > 0 => depth -= 1,
            "{" => return code[i - 1].text == "::" || in_path_group_element(code, i),
            ";" | "(" | ")" => return false,
            _ => {}
        }
    }
    false
}

fn in_path_group_element(code: &[&Token], open: usize) -> bool {
    matches!(code[open - 1].text.as_str(), "{" | ",") && in_path_group(code, open)
}

/// Adds the path at `at`, groups expanded, and gives the place behind it.
fn expand(code: &[&Token], at: usize, prefix: &[String], depth: usize, found: &mut Vec<Found>) -> usize {
    let mut segments = prefix.to_vec();
    let line = code.get(at).map_or(0, |t| t.line);
    let mut at = at;
    while let Some(token) = code.get(at) {
        match token.text.as_str() {
            "{" if token.kind == Kind::Punct => {
                at += 1;
                while code.get(at).is_some_and(|t| t.text != "}") {
                    let before = at;
                    at = expand(code, at, &segments, depth, found);
                    // `as name` and commas.
                    while code.get(at).is_some_and(|t| t.text != "," && t.text != "}") {
                        at += 1;
                    }
                    if code.get(at).is_some_and(|t| t.text == ",") {
                        at += 1;
                    }
                    if at == before {
                        break;
                    }
                }
                return at + 1;
            }
            "*" => segments.push("*".to_owned()),
            "self" if !segments.is_empty() => {}
            _ if token.kind == Kind::Word => segments.push(token.text.clone()),
            _ => break,
        }
        at += 1;
        if code.get(at).is_some_and(|t| t.text == "::") {
            at += 1;
        } else {
            break;
        }
    }
    found.push(Found { segments, line, depth });
    at
}

pub fn lex(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        if chars[at].is_whitespace() {
            line += usize::from(chars[at] == '\n');
            at += 1;
            continue;
        }
        let (kind, end) = token_end(&chars, at);
        let text: String = chars[at..end].iter().collect();
        let lines = text.matches('\n').count();
        tokens.push(Token { kind, text, line });
        line += lines;
        at = end;
    }
    tokens
}

fn token_end(chars: &[char], at: usize) -> (Kind, usize) {
    let next = chars.get(at + 1).copied().unwrap_or(' ');
    match chars[at] {
        '/' if next == '/' => (Kind::Comment, find(chars, at, |c| c == '\n')),
        '/' if next == '*' => (Kind::Comment, block_comment_end(chars, at)),
        '"' => (Kind::Text, quoted_end(chars, at)),
        '\'' => quote_end(chars, at),
        ':' if next == ':' => (Kind::Punct, at + 2),
        c if c.is_alphanumeric() || c == '_' => {
            let end = find(chars, at, |c| !(c.is_alphanumeric() || c == '_'));
            let word: String = chars[at..end].iter().collect();
            let hashes = find(chars, end, |c| c != '#') - end;
            let quote = chars.get(end + hashes) == Some(&'"');
            match word.as_str() {
                "r" | "br" | "cr" if quote => (Kind::Text, raw_end(chars, end + hashes, hashes)),
                "b" | "c" if hashes == 0 && quote => (Kind::Text, quoted_end(chars, end)),
                "b" if chars.get(end) == Some(&'\'') => quote_end(chars, end),
                _ => (Kind::Word, end),
            }
        }
        _ => (Kind::Punct, at + 1),
    }
}

fn find(chars: &[char], from: usize, stop: impl Fn(char) -> bool) -> usize {
    (from..chars.len()).find(|&i| stop(chars[i])).unwrap_or(chars.len())
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0, at);
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    i
}

fn quoted_end(chars: &[char], open: usize) -> usize {
    let mut i = open + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

fn raw_end(chars: &[char], open: usize, hashes: usize) -> usize {
    let mut i = open + 1;
    while i < chars.len() {
        if chars[i] == '"' && chars[i + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes {
            return i + 1 + hashes;
        }
        i += 1;
    }
    chars.len()
}

/// A character literal or a lifetime.
fn quote_end(chars: &[char], at: usize) -> (Kind, usize) {
    if chars.get(at + 1) == Some(&'\\') {
        let end = find(chars, (at + 3).min(chars.len()), |c| c == '\'');
        (Kind::Text, (end + 1).min(chars.len()))
    } else if chars.get(at + 2) == Some(&'\'') {
        (Kind::Text, at + 3)
    } else {
        let end = find(chars, at + 1, |c| !(c.is_alphanumeric() || c == '_'));
        (Kind::Text, end)
    }
}
