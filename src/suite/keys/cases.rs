//! Keys of files, cases, fixtures and groups.

use super::steps::HEADERS;
use super::{Kind, Object, key, object, or, required};

const IDS: Kind = Kind::OneOrMany(&Kind::CapabilityId);

/// Top of a suite file.
pub static SUITE: Object = object(
    "suite",
    "One file `suites/<family>/<name>.yaml`.",
    &[
        required("format", Kind::Integer(1, 1), "version of this language"),
        required("suite", Kind::DottedId, "id `<family>.<name>`, the same as the file's path"),
        required("title", Kind::Text, "one line for people"),
        or("service", Kind::Text, "the target's base URL", "service whose base URL relative URLs use"),
        key("headers", HEADERS, "header fields sent with every request of the suite"),
        key("fixtures", Kind::List(&Kind::Object(&FIXTURE)), "shared set-ups"),
        key("groups", Kind::Map(&Kind::Object(&GROUP), "group name"), "reusable steps with parameters"),
        key("cases", Kind::List(&Kind::Object(&CASE)), "the cases, in the order in which they are reported"),
    ],
);

/// Keys that cases and fixtures share.
static PLAN: Object = object(
    "plan",
    "Keys that cases and fixtures share.",
    &[
        required("id", Kind::Id, "unique in the file; the full id is `<suite>.<id>`"),
        required("title", Kind::Text, "the stated behaviour in one sentence"),
        key("spec", Kind::Text, "the specification paragraph that demands it"),
        or(
            "risk",
            Kind::Word(&["read", "write", "disruptive"]),
            "read",
            "what it may do to the target; `--allow` gates it",
        ),
        key(
            "needs",
            Kind::Map(&Kind::Text, "alias"),
            "fixtures by alias: `suite.fixture`, or `.fixture` in the same file",
        ),
        key(
            "requires",
            Kind::List(&Kind::Object(&REQUIRE)),
            "conditions on fixture outputs; a false one makes the case a gap, or a skip",
        ),
        key("serial", Kind::OneOrMany(&Kind::Text), "lock names; cases that share one never run at the same time"),
        or("within", Kind::Duration, "5m", "deadline of the whole case, undo not included"),
        required("steps", Kind::Steps, "what is done, in order"),
    ],
);

/// A case.
pub static CASE: Object = Object {
    name: "case",
    doc: "One stated behaviour with the steps that show it.",
    keys: &[
        required("capability", IDS, "capabilities it gives evidence for"),
        key("covers", Kind::OneOrMany(&Kind::Text), "upstream tests it stands for, as `scheme:id`"),
        key(
            "each",
            Kind::Rows,
            "rows of variables, or `{count: N}` for the variable `i`; ids become `suite.case[row]`. The key `covers` of a row \
             is no variable: it names upstream tests that this row alone stands for",
        ),
    ],
    includes: &[&PLAN],
    one_of: &[],
};

/// A fixture.
pub static FIXTURE: Object = Object {
    name: "fixture",
    doc: "A set-up shared by cases: done once when first needed, undone last. Its outcome becomes that of the cases when it is not a pass.",
    keys: &[
        key("outputs", Kind::Map(&Kind::Json, "name"), "values handed to the cases as `<alias>.<name>`"),
        or(
            "per",
            Kind::Word(&["run", "case"]),
            "run",
            "`case`: not shared but set up anew for each case that needs it and undone with that case, such as a namespace \
             of its own",
        ),
        or(
            "place",
            Kind::Bool,
            "false",
            "what cases create in it goes when it is undone, so that their requests need no `undo`",
        ),
    ],
    includes: &[&PLAN],
    one_of: &[],
};

/// A condition on fixture outputs.
pub static REQUIRE: Object = object(
    "requirement",
    "A condition on what the fixtures found.",
    &[
        required("that", Kind::Cel, "must be true, else the case ends"),
        required("reason", Kind::Template, "what the target lacks, or what the operator left out, in words"),
        or(
            "otherwise",
            Kind::Word(&["gap", "skip"]),
            "gap",
            "`skip` when the choice was the operator's, not the target's",
        ),
    ],
);

/// Rows made by counting.
pub static COUNT: Object = object(
    "row count",
    "Rows `0` to `count - 1`.",
    &[required("count", Kind::Integer(1, 10_000), "number of rows; the variable `i` holds the row's number")],
);

/// A group of steps.
pub static GROUP: Object = object(
    "group",
    "Steps that several cases use. They see their parameters, not the caller's variables; the caller sees what they save.",
    &[
        key("params", Kind::List(&Kind::Variable), "parameter names; `use` must give all of them"),
        required("steps", Kind::Steps, "the steps"),
    ],
);

/// A line of the plan.
pub static PLAN_LINE: Object = object(
    "plan line",
    "One line of the plan of a run. It is said when a selected case needs the fixture; when the fixture does not come to \
     stand, the reason is said instead.",
    &[
        required("fixture", Kind::Text, "`<suite>.<fixture>` that makes the choice; it creates nothing"),
        required("says", Kind::Template, "the line, with the outputs of the fixture as variables"),
    ],
);

/// Facts of a family.
pub static FAMILY: Object = object(
    "family",
    "Facts that the harness needs before it can run suites of a family: `suites/<family>/family.yaml`.",
    &[
        required("format", Kind::Integer(1, 1), "version of this language"),
        required("family", Kind::Id, "family id, the same as the directory"),
        required("title", Kind::Text, "for people"),
        required("path", Kind::Text, "path that identifies a target URL of this family"),
        or("concurrency", Kind::Integer(1, 1024), "4", "cases at the same time"),
        or("auth", Kind::Word(&["basic", "bearer", "none"]), "basic", "how credentials are sent"),
        key("headers", Kind::Map(&Kind::Text, "field name"), "header fields sent with every request"),
        key("guideline", Kind::Text, "guideline used unless the operator names one"),
        key("probe", Kind::Text, "path asked before a run; 401 or 403 there means that the credentials are refused"),
        key("plan", Kind::List(&Kind::Object(&PLAN_LINE)), "what a run says of its choices before it creates anything"),
        key(
            "sessions",
            Kind::Map(&Kind::Text, "identity"),
            "fixtures that log identities in: their outputs `header` (name, value), `services` (base URLs by name) and, \
             for a session that ends, `expires_at_ms` are used for every request of the other suites",
        ),
    ],
);
