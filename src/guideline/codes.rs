//! The diagnostics of guidelines and waivers: stable codes, each with the rule that it stands for. The page
//! `docs/guidelines.md` shows this table; a test holds them together.
//!
//! A code keeps its meaning for ever; one that is no longer needed is not given to something else.

use crate::text::codes;

codes! {
    "G001" "a file is UTF-8 text"
    "G002" "a file says its format, and it is one that this release knows"
    "G003" "every key is known"
    "G004" "no key is missing"
    "G005" "a value has the type that its key wants"
    "G006" "an id is spelt as ids are"
    "G007" "a word is one of the known ones"
    "G008" "a number is within its range"
    "G009" "a date is a date"
    "G010" "a waiver is about one capability or one test"
    "G011" "a text says something"
    "G021" "foreign file: keys are spelt rightly (read as what was meant)"
    "G022" "foreign file: keys are known to the schema (others are ignored)"
    "G023" "foreign file: keys are those of the schema version that the file names (read all the same)"
    "G024" "foreign file: values have the type of the schema (others are ignored)"
    "G025" "foreign file: texts are not empty"
    "G026" "foreign file: a word is one of the known ones (others are ignored)"
    "G027" "foreign file: ids can be used (others are left out)"
    "G028" "a file that ends in .json is JSON (YAML is read all the same)"
    "G029" "foreign file: a flag is about a test of its capability"
    "G030" "conformance list: an entry has a code name, and it names one test"
    "G031" "conformance list: an entry has a title of its own"
    "G032" "conformance list: a release is written as v1.N"
    "G033" "conformance list: a description says what MUST, SHOULD or MAY be"
    "G034" "conformance list: a file is a path, without a line"
    "G035" "conformance list: a code name says its group and that it is a conformance test"
    "G036" "conformance list: an entry is not newer than the list"
    "G101" "a capability that is listed is defined"
    "G102" "a component that is mentioned is defined"
    "G103" "programs have components, components have capabilities"
    "G104" "nothing is listed twice"
    "G105" "what is defined is used"
    "G106" "a required capability has a test that counts"
    "G107" "a test exists in a suite"
    "G108" "a description says something"
    "G109" "a capability names its specification"
    "G110" "a flag has a code, a date and an owner"
    "G111" "one name means one test, one id one test"
    "G112" "ids of ours are in lower case"
    "G113" "a test is flagged in all its capabilities or in none"
    "G114" "an achievement is a criterion"
    "G115" "a test proves one capability (in two, it counts twice)"
    "G116" "a capability has one standing"
    "G117" "a total is the sum of the criteria that are met"
    "G118" "a required capability reaches the cut-off"
    "G119" "nothing that needs an administrator is required"
    "G120" "the weights of the criteria sum to 100 (75 for an add-on)"
    "G121" "the approval is complete: a predecessor, and a date as YYYY.MM or YYYY-MM-DD"
    "G122" "addresses are https, and the source is that of the document itself"
    "G123" "a repository of tests is pinned to a revision"
    "G124" "a worksheet scores every criterion and no other"
    "G125" "what is accepted occurs"
    "G126" "an idempotent id is `id-` and a UUID, and nothing else"
    "G127" "a required capability says since when"
    "G128" "the names of one thing differ in more than capitals"
    "G141" "an id belongs to one guideline, and the file is named after it"
    "G142" "at most two guidelines of a series are approved at once"
    "G143" "a guideline replaces the one just before it, and nobody else does"
    "G144" "a component of another guideline is defined there"
    "G145" "a test name keeps its id"
    "G146" "a test that is renamed keeps its old name as an alias"
    "G147" "nothing becomes required without having been advisory"
    "G148" "nothing required is dropped without having been deprecated"
    "G149" "a flagged test is not carried into the next guideline"
    "G150" "a new guideline names the revision of the tests that it was tried with"
    "G151" "an approved guideline is frozen: only flags and aliases may be added"
    "G152" "weights do not change once a guideline is no draft any more"
    "G153" "a derived guideline is of the parent that it names, by id and digest"
    "G154" "each difference to the parent has a reason and an owner"
    "G155" "what is listed as a change is one"
    "G156" "an approved guideline holds the digest of what was approved, and still has it"
    "G157" "a guideline is a draft, then advisory, then approved, then superseded"
    "G158" "a part of a composite is of a guideline that is known, by id and digest"
    "G159" "a part of a composite names a program of its guideline"
    "G160" "a program of a composite requires a part, and names each once"
}

/// The rule of a code.
pub fn rule(code: &str) -> Option<&'static str> {
    CODES.iter().find(|one| one.code == code).map(|one| one.rule)
}

/// Whether a code is one of the linter's, which can be accepted with a reason.
pub fn is_lint(code: &str) -> bool {
    code.starts_with("G1") && rule(code).is_some()
}
