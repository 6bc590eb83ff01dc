//! The functions of the language: the table that resolves, checks and documents them. Their bodies are in the neighbours
//! `standard` (CEL's own, text and lists), `digest` (digests, encodings, names) and `web` (URLs, JSON, times).

use super::limits::Budget;
use super::value::{List, Value};
use super::{EvalError, digest, standard, web};

/// One call: its arguments, the target first if it is a method.
pub(super) struct Call<'c, 'a> {
    pub(super) name: &'static str,
    pub(super) args: &'c [Value<'a>],
    pub(super) budget: &'c Budget,
    pub(super) seed: Option<&'c str>,
}

pub(super) type Run = for<'c, 'a> fn(&Call<'c, 'a>) -> Result<Value<'a>, EvalError>;

/// How a function may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `f(x)`
    Global,
    /// `x.f()`
    Method,
    /// Either.
    Both,
}

impl Style {
    pub(super) fn allows(self, style: Style) -> bool {
        self == Style::Both || self == style
    }
}

/// A function.
pub(super) struct Def {
    pub(super) name: &'static str,
    pub(super) style: Style,
    /// Fewest and most arguments, the target counted.
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) run: Run,
}

impl std::fmt::Debug for Def {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn def(name: &'static str, style: Style, min: usize, max: usize, run: Run) -> Def {
    Def { name, style, min, max, run }
}

/// Sorted by name.
static TABLE: &[Def] = &[
    def("base64", Style::Both, 1, 1, digest::base64),
    def("bool", Style::Global, 1, 1, standard::to_bool),
    def("contains", Style::Method, 2, 2, standard::contains),
    def("distinct", Style::Both, 1, 1, standard::distinct),
    def("double", Style::Global, 1, 1, standard::to_double),
    def("endsWith", Style::Method, 2, 2, standard::ends_with),
    def("find_all", Style::Both, 2, 2, web::find_all),
    def("flatten", Style::Both, 1, 1, standard::flatten),
    def("get", Style::Both, 3, 3, web::get),
    def("hmac_sha256", Style::Both, 2, 2, digest::hmac_sha256),
    def("int", Style::Global, 1, 1, standard::to_int),
    def("is_uuid", Style::Both, 1, 1, web::is_uuid),
    def("join", Style::Method, 1, 2, standard::join),
    def("json", Style::Both, 1, 1, web::json),
    def("keys", Style::Both, 1, 1, standard::keys),
    def("lowerAscii", Style::Method, 1, 1, standard::lower_ascii),
    def("matches", Style::Both, 2, 2, standard::matches),
    def("matches_date", Style::Both, 1, 1, web::matches_date),
    def("md5", Style::Both, 1, 1, digest::md5),
    def("random_hex", Style::Global, 2, 2, digest::random_hex),
    def("range", Style::Global, 1, 1, standard::range),
    def("replace", Style::Method, 3, 4, standard::replace),
    def("secret", Style::Global, 1, 1, web::secret),
    def("secret_length", Style::Both, 1, 1, web::secret_length),
    def("sha256", Style::Both, 1, 1, digest::sha256),
    def("sha512", Style::Both, 1, 1, digest::sha512),
    def("size", Style::Both, 1, 1, standard::size),
    def("sorted", Style::Both, 1, 1, standard::sorted),
    def("split", Style::Method, 2, 3, standard::split),
    def("startsWith", Style::Method, 2, 2, standard::starts_with),
    def("string", Style::Global, 1, 1, standard::to_text),
    def("time_ms", Style::Both, 1, 1, web::time_ms),
    def("to_json", Style::Both, 1, 1, web::to_json),
    def("trim", Style::Method, 1, 1, standard::trim),
    def("type", Style::Global, 1, 1, standard::type_value),
    def("type_of", Style::Both, 1, 1, standard::type_of),
    def("uint", Style::Global, 1, 1, standard::to_uint),
    def("unbase64", Style::Both, 1, 1, digest::unbase64),
    def("unique", Style::Global, 1, 1, digest::unique),
    def("upperAscii", Style::Method, 1, 1, standard::upper_ascii),
    def("url_decode", Style::Both, 1, 1, digest::url_decode),
    def("url_encode", Style::Both, 1, 1, digest::url_encode),
    def("url_join", Style::Both, 2, 2, web::url_join),
    def("url_path", Style::Both, 1, 1, web::url_path),
];

/// The functions and macros of the language: name, signature, one line of documentation.
pub const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("all", "list.all(x, bool)", "whether the expression is true for every element, or for every key of an object"),
    ("base64", "base64(string) -> string", "the standard Base64 form of the UTF-8 bytes, padded"),
    ("bool", "bool(bool | string) -> bool", "converts `true`, `false` and their usual spellings"),
    ("contains", "string.contains(string) -> bool", "whether the text holds the other text"),
    ("distinct", "distinct(list) -> list", "the elements without repetitions, in the order of their first appearance"),
    ("double", "double(number | string) -> double", "converts to a double"),
    ("endsWith", "string.endsWith(string) -> bool", "whether the text ends so"),
    ("exists", "list.exists(x, bool)", "whether the expression is true for at least one element"),
    ("exists_one", "list.exists_one(x, bool)", "whether the expression is true for exactly one element"),
    ("filter", "list.filter(x, bool) -> list", "the elements the expression is true for"),
    ("find_all", "find_all(value, key) -> list", "every value held under that key at any depth, in document order"),
    ("flatten", "flatten(list) -> list", "the elements with one level of lists opened"),
    (
        "get",
        "get(value, pointer, default)",
        "what an RFC 6901 pointer such as '/a/0/b' leads to, or the default if it is absent",
    ),
    ("has", "has(object.field) -> bool", "whether the object has the field, also if it is null"),
    ("hmac_sha256", "hmac_sha256(key, string) -> string", "the HMAC-SHA-256 in lower-case hexadecimal digits"),
    ("int", "int(number | string) -> int", "converts to an integer; a double is cut towards zero"),
    ("is_uuid", "is_uuid(string) -> bool", "whether the text has the form 8-4-4-4-12 of hexadecimal digits"),
    ("join", "list.join(separator) -> string", "the texts of a list as one text; the separator may be left out"),
    ("json", "json(string)", "the JSON value of a text"),
    ("keys", "keys(object) -> list", "the keys of an object, sorted"),
    ("lowerAscii", "string.lowerAscii() -> string", "with A-Z in lower case"),
    (
        "map",
        "list.map(x, value) -> list",
        "the values of the expression; list.map(x, bool, value) takes only some elements",
    ),
    (
        "matches",
        "string.matches(regex) -> bool",
        "whether the regular expression is found anywhere in the text; anchor with ^ and $",
    ),
    ("matches_date", "matches_date(string) -> bool", "whether the text is a date or a date with time of RFC 3339"),
    ("md5", "md5(string) -> string", "the MD5 in lower-case hexadecimal digits"),
    (
        "random_hex",
        "random_hex(n, label) -> string",
        "n hexadecimal digits, the same for the same label in a case of a run",
    ),
    ("range", "range(n) -> list", "the integers from 0 to n - 1, n at most 10000"),
    (
        "replace",
        "string.replace(old, new) -> string",
        "with every occurrence replaced; a third argument limits how many",
    ),
    (
        "secret",
        "secret('label') -> string",
        "a new random password of 20 characters; only as the whole value of a `let` variable: `${secret('label')}`",
    ),
    ("secret_length", "secret_length(string) -> int", "the length of the secret that a redaction token stands for"),
    ("sha256", "sha256(string) -> string", "the SHA-256 in lower-case hexadecimal digits"),
    ("sha512", "sha512(string) -> string", "the SHA-512 in lower-case hexadecimal digits"),
    ("size", "size(string | list | object) -> int", "the number of characters, elements or members"),
    ("sorted", "sorted(list) -> list", "the numbers, texts or booleans of a list in ascending order"),
    ("split", "string.split(separator) -> list", "the parts between the separators; a second argument limits how many"),
    ("startsWith", "string.startsWith(string) -> bool", "whether the text starts so"),
    ("string", "string(scalar) -> string", "the text of a number or boolean"),
    ("time_ms", "time_ms(string) -> int", "the milliseconds since 1970 of an RFC 3339 date with time and offset"),
    ("to_json", "to_json(value) -> string", "the compact JSON text of a value"),
    ("trim", "string.trim() -> string", "without white space around it"),
    ("type", "type(value)", "the type, to be compared with int, uint, double, bool, string, list, map or null_type"),
    ("type_of", "type_of(value) -> string", "string, integer, number, boolean, object, array or null"),
    ("uint", "uint(number | string) -> uint", "converts to an unsigned integer"),
    (
        "unbase64",
        "unbase64(string) -> string",
        "the text that a Base64 form holds; standard or URL alphabet, padded or not",
    ),
    (
        "unique",
        "unique(prefix) -> string",
        "prefix, dash and ten hexadecimal digits, the same for the same prefix in a case of a run",
    ),
    ("upperAscii", "string.upperAscii() -> string", "with a-z in upper case"),
    ("url_decode", "url_decode(string) -> string", "with percent escapes resolved"),
    ("url_encode", "url_encode(string) -> string", "with everything but letters, digits and -._~ percent-escaped"),
    (
        "url_join",
        "url_join(base, reference) -> string",
        "the reference resolved against the base; the base may be a path",
    ),
    ("url_path", "url_path(url) -> string", "the path of an absolute or relative URL"),
];

pub(super) fn find(name: &str) -> Option<&'static Def> {
    let at = TABLE.binary_search_by(|def| def.name.cmp(name)).ok()?;
    TABLE.get(at)
}

pub(super) fn signature(name: &str) -> &'static str {
    FUNCTIONS.iter().find(|(known, _, _)| *known == name).map_or("", |(_, signature, _)| signature)
}

/// The type that a name denotes when it is used as a value.
pub(super) fn type_name(name: &str) -> Option<&'static str> {
    ["bool", "double", "int", "list", "map", "null_type", "string", "type", "uint"]
        .into_iter()
        .find(|known| *known == name)
}

/// A function that `name` may be a slip of the pen for, or its name in other languages.
pub(super) fn similar(name: &str) -> Option<&'static str> {
    let known = match name {
        "len" | "length" | "count" => Some("size"),
        "any" | "some" => Some("exists"),
        "every" => Some("all"),
        "lower" | "toLowerCase" | "lowercase" => Some("lowerAscii"),
        "upper" | "toUpperCase" | "uppercase" => Some("upperAscii"),
        "strip" => Some("trim"),
        "typeof" => Some("type_of"),
        "parse_json" | "fromJson" | "from_json" => Some("json"),
        "timestamp" => Some("time_ms"),
        _ => None,
    };
    known.or_else(|| {
        let plain = |text: &str| text.replace('_', "").to_lowercase();
        FUNCTIONS
            .iter()
            .map(|(known, _, _)| (distance(&plain(name), &plain(known)), *known))
            .filter(|(distance, known)| *distance <= 2 && *distance * 3 <= known.len())
            .min()
            .map(|(_, known)| known)
    })
}

/// How many letters must change, appear or vanish.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((y, up), diagonal) in b.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or(0);
            next.push((diagonal + usize::from(x != *y)).min(up + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

impl<'c, 'a> Call<'c, 'a> {
    pub(super) fn arg(&self, at: usize) -> &'c Value<'a> {
        self.args.get(at).unwrap_or(&Value::Null)
    }

    /// The argument was not of the type that is needed.
    pub(super) fn wants(&self, what: &str, at: usize) -> EvalError {
        EvalError::of_type(format!("`{}` needs {what}, not {}", self.name, self.arg(at).noun()))
    }

    pub(super) fn failed(&self, why: &str) -> EvalError {
        EvalError::of_type(format!("`{}`: {why}", self.name))
    }

    /// A text argument, charged for being read.
    pub(super) fn text(&self, at: usize) -> Result<&'c str, EvalError> {
        match self.arg(at) {
            Value::Str(text) => {
                self.budget.read(text.len())?;
                Ok(text)
            }
            _ => Err(self.wants("a string", at)),
        }
    }

    pub(super) fn int(&self, at: usize) -> Result<i64, EvalError> {
        match self.arg(at) {
            Value::Int(value) => Ok(*value),
            _ => Err(self.wants("an integer", at)),
        }
    }

    /// A list argument, charged for being visited.
    pub(super) fn list(&self, at: usize) -> Result<&'c List<'a>, EvalError> {
        match self.arg(at) {
            Value::List(list) => {
                self.budget.step(list.len() as u64)?;
                Ok(list)
            }
            _ => Err(self.wants("an array", at)),
        }
    }

    /// A text that the function made.
    pub(super) fn make_text(&self, text: String) -> Result<Value<'a>, EvalError> {
        self.budget.make_string(text.len())?;
        Ok(Value::string(text))
    }

    /// A list that the function made.
    pub(super) fn make_list(&self, items: Vec<Value<'a>>) -> Result<Value<'a>, EvalError> {
        self.budget.make(items.len().saturating_mul(std::mem::size_of::<Value<'_>>()))?;
        Ok(Value::list(items))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_documented() {
        assert!(TABLE.is_sorted_by(|a, b| a.name < b.name));
        assert!(FUNCTIONS.is_sorted_by(|a, b| a.0 < b.0));
        let macros = ["all", "exists", "exists_one", "filter", "has", "map"];
        for (name, signature, doc) in FUNCTIONS {
            assert!(find(name).is_some() != macros.contains(name), "{name}");
            assert!(signature.contains(&format!("{name}(")), "{name}");
            assert!(!doc.is_empty() && !doc.ends_with('.'), "{name}");
        }
        for def in TABLE {
            assert!(!signature(def.name).is_empty(), "{} is not documented", def.name);
        }
    }

    #[test]
    fn slips_of_the_pen_are_recognised() {
        assert_eq!(similar("startWith"), Some("startsWith"));
        assert_eq!(similar("starts_with"), Some("startsWith"));
        assert_eq!(similar("length"), Some("size"));
        assert_eq!(similar("isUuid"), Some("is_uuid"));
        assert_eq!(similar("exist"), Some("exists"));
        assert_eq!(similar("frobnicate"), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
