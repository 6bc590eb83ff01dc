//! The score sheet of capabilities: which criteria each one meets, the total, and whether it reaches the cut-off.
//!
//! A sheet is a text with rows such as `name: [1,0,1] [1,1,1] [0,1,0] [0,1,1] [1] [74]*` among any other lines, or it is
//! made from a guideline. A value is `1`, `0`, `?` (not decided yet) or `*` (not considered, in the sheets of add-ons).
//! The column before the total says whether users may do it; `0` there is a veto. An undecided value makes the total
//! negative, so that nobody takes it for one.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::model::{Capability, Guideline};

/// Keys and titles of the twelve criteria in the order of a sheet, with the weights that have been in force.
const STANDARD: [(&str, &str, u32); 12] = [
    ("deployed", "Widely Deployed", 8),
    ("tools", "Used by Tools", 6),
    ("clients", "Used by Clients", 10),
    ("future", "Future Direction", 11),
    ("complete", "Complete", 8),
    ("stable", "Stable", 9),
    ("discover", "Discoverable", 8),
    ("doc", "Documented", 8),
    ("sticky", "Core in Last Release", 9),
    ("foundation", "Foundation", 9),
    ("atomic", "Atomic", 6),
    ("proximity", "Proximity", 8),
];

/// The cut-off of a platform, and of an add-on, which is scored on fewer criteria.
const CUTOFFS: (u32, u32) = (74, 60);

/// How one criterion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Met.
    Yes,
    /// Not met.
    No,
    /// Not decided yet.
    Open,
    /// Not considered in this sheet.
    Left,
}

impl Value {
    fn of(text: &str) -> Option<Value> {
        match text {
            "1" => Some(Value::Yes),
            "0" => Some(Value::No),
            "?" => Some(Value::Open),
            "*" => Some(Value::Left),
            _ => None,
        }
    }

    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Value::Yes => "met",
            Value::No => "not met",
            Value::Open => "open",
            Value::Left => "not considered",
        }
    }

    /// As in a sheet.
    pub fn text(self) -> &'static str {
        match self {
            Value::Yes => "1",
            Value::No => "0",
            Value::Open => "?",
            Value::Left => "*",
        }
    }
}

/// A criterion as a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Key, as in guidelines.
    pub key: String,
    /// Title.
    pub name: String,
    /// Points.
    pub weight: u32,
}

/// What a capability comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// So many points.
    Points(u32),
    /// It needs an administrator, which is a veto.
    Vetoed,
    /// Something is not decided yet; so many points so far.
    Unfinished(u32),
}

impl std::fmt::Display for Total {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Total::Points(points) => write!(f, "{points}"),
            Total::Vetoed => f.write_str("0"),
            Total::Unfinished(points) => write!(f, "-{points}"),
        }
    }
}

/// A capability of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The capability.
    pub name: String,
    /// One for each column.
    pub values: Vec<Value>,
    /// Whether users without an administrator's rights can do it.
    pub non_admin: Value,
    /// The total that the sheet states.
    pub stated: Option<String>,
    /// Why a criterion is scored as it is, by column.
    pub notes: Vec<Option<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Text(String),
    /// What stands before the total, and the row.
    Row(String, Row),
}

/// A score sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    columns: Vec<Column>,
    cutoff: u32,
    lines: Vec<Line>,
}

impl Sheet {
    /// Reads a sheet. Lines that are no rows are kept as they are. Weights are the usual ones.
    pub fn parse(text: &str) -> Sheet {
        let lines: Vec<Line> = text.split('\n').map(row).collect();
        let is_addon = lines.iter().any(|line| matches!(line, Line::Row(_, row) if row.values.contains(&Value::Left)));
        let columns = STANDARD.iter().map(|(key, name, weight)| Column {
            key: (*key).into(),
            name: (*name).into(),
            weight: *weight,
        });
        Sheet { columns: columns.collect(), cutoff: if is_addon { CUTOFFS.1 } else { CUTOFFS.0 }, lines }
    }

    /// The sheet of a guideline: from the worksheets of its capabilities, else from their achievements.
    pub fn of_guideline(guideline: &Guideline) -> Sheet {
        let mut sheet = Sheet { columns: Vec::new(), cutoff: CUTOFFS.0, lines: Vec::new() };
        sheet.set_weights(guideline);
        let criteria = &guideline.metadata.scoring.criteria;
        let extra = criteria.iter().filter(|(key, _)| !STANDARD.iter().any(|(known, ..)| known == key));
        sheet.columns.extend(extra.map(|(key, criterion)| Column {
            key: key.clone(),
            name: criterion.name.clone(),
            weight: criterion.weight,
        }));
        let width = guideline.capabilities.keys().map(|id| id.as_str().len()).max().unwrap_or_default() + 2;
        for (id, capability) in &guideline.capabilities {
            let values = sheet.columns.iter().map(|column| match criteria.contains_key(&column.key) {
                true => value(capability, &column.key),
                false => Value::Left,
            });
            let note = |column: &Column| capability.criteria.get(&column.key).and_then(|own| own.note.clone());
            let row = Row {
                name: id.to_string(),
                values: values.collect(),
                non_admin: if capability.admin { Value::No } else { Value::Yes },
                stated: capability.total.map(|total| total.to_string()),
                notes: sheet.columns.iter().map(note).collect(),
            };
            let mut before = format!("{:<width$}", format!("{id}:"));
            for group in row.values.chunks(3) {
                let texts: Vec<&str> = group.iter().map(|value| value.text()).collect();
                let _ = write!(before, "[{}] ", texts.join(","));
            }
            let _ = write!(before, "[{}] ", row.non_admin.text());
            sheet.lines.push(Line::Row(before, row));
        }
        sheet.lines.push(Line::Text(String::new()));
        sheet
    }

    /// Takes weights and cut-off from a guideline. Criteria that it does not have weigh nothing.
    pub fn set_weights(&mut self, guideline: &Guideline) {
        let scoring = &guideline.metadata.scoring;
        let column = |(key, name, _): &(&str, &str, u32)| Column {
            key: (*key).into(),
            name: (*name).into(),
            weight: scoring.criteria.get(*key).map_or(0, |criterion| criterion.weight),
        };
        self.columns = STANDARD.iter().map(column).collect();
        self.cutoff = scoring.cutoff_score.unwrap_or(CUTOFFS.0);
    }

    /// Sets the points that a capability must reach.
    pub fn set_cutoff(&mut self, cutoff: u32) {
        self.cutoff = cutoff;
    }

    /// The points that a capability must reach.
    pub fn cutoff(&self) -> u32 {
        self.cutoff
    }

    /// The criteria.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The capabilities in the order of the sheet.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.lines.iter().filter_map(|line| match line {
            Line::Row(_, row) => Some(row),
            Line::Text(_) => None,
        })
    }

    /// What a row comes to.
    pub fn total(&self, row: &Row) -> Total {
        if row.non_admin == Value::No {
            return Total::Vetoed;
        }
        let met = self.columns.iter().zip(&row.values).filter(|(_, value)| **value == Value::Yes);
        let points = met.fold(0_u32, |sum, (column, _)| sum.saturating_add(column.weight));
        if row.values.contains(&Value::Open) || row.non_admin == Value::Open {
            return Total::Unfinished(points);
        }
        Total::Points(points)
    }

    /// Whether a row reaches the cut-off.
    pub fn reaches(&self, row: &Row) -> bool {
        matches!(self.total(row), Total::Points(points) if points >= self.cutoff)
    }

    fn star(&self, row: &Row) -> &'static str {
        if self.reaches(row) { "*" } else { "" }
    }

    /// The sheet with the totals as they are.
    pub fn text(&self) -> String {
        let lines = self.lines.iter().map(|line| match line {
            Line::Text(text) => text.clone(),
            Line::Row(before, row) => format!("{before}[{}]{}", self.total(row), self.star(row)),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// One line for each capability under a line of titles. A vetoed one has its name and 0 only.
    pub fn csv(&self) -> String {
        let mut csv = String::from("Capability");
        for column in &self.columns {
            let _ = write!(csv, ",{}", quoted(&column.name));
        }
        csv.push_str(",Non-Admin,Total\n");
        for row in self.rows() {
            csv.push_str(&quoted(&row.name));
            if self.total(row) != Total::Vetoed {
                for value in row.values.iter().chain([&row.non_admin]) {
                    let _ = write!(csv, ",{}", value.text());
                }
            }
            let _ = writeln!(csv, ",{}{}", self.total(row), self.star(row));
        }
        csv
    }

    /// The sheet as a document.
    pub fn json(&self) -> Json {
        let columns = self.columns.iter().map(|one| json!({"key": one.key, "name": one.name, "weight": one.weight}));
        let number = |value: Value| match value {
            Value::Yes => json!(1),
            Value::No => json!(0),
            Value::Open => json!("?"),
            Value::Left => Json::Null,
        };
        let rows = self.rows().map(|row| {
            let values =
                self.columns.iter().zip(&row.values).map(|(column, value)| (column.key.clone(), number(*value)));
            let notes = self.columns.iter().zip(&row.notes);
            let notes = notes.filter_map(|(column, note)| Some((column.key.clone(), json!(note.as_ref()?))));
            let total = self.total(row);
            json!({
                "capability": row.name,
                "criteria": values.collect::<Map<_, _>>(),
                "notes": notes.collect::<Map<_, _>>(),
                "non_admin": number(row.non_admin),
                "total": match total {
                    Total::Points(points) => json!(points),
                    Total::Vetoed => json!(0),
                    Total::Unfinished(_) => Json::Null,
                },
                "vetoed": total == Total::Vetoed,
                "reaches_cutoff": self.reaches(row),
                "stated": row.stated,
            })
        });
        json!({
            "cutoff_score": self.cutoff,
            "columns": columns.collect::<Vec<_>>(),
            "capabilities": rows.collect::<Vec<_>>(),
        })
    }

    /// Why a row has its total, as data: what a page shows beside it.
    pub fn assess<'s>(&'s self, row: &'s Row) -> Assessment<'s> {
        let columns = || self.columns.iter().zip(&row.values).zip(&row.notes);
        let considered = columns().filter(|((_, value), _)| **value != Value::Left);
        let criterion = |((column, value), note): ((&'s Column, &Value), &'s Option<String>)| Assessed {
            column,
            value: *value,
            note: note.as_deref(),
        };
        Assessment {
            capability: &row.name,
            total: self.total(row),
            most: considered.fold(0_u32, |sum, ((column, _), _)| sum.saturating_add(column.weight)),
            cutoff: self.cutoff,
            eligible: self.reaches(row),
            criteria: columns().map(criterion).collect(),
            non_admin: row.non_admin,
            stated: row.stated.as_deref().filter(|stated| !stated.is_empty() && *stated != self.total(row).to_string()),
        }
    }

    /// Why a row has its total: what it comes to, and each criterion that is not met or has a note.
    pub fn explain(&self, row: &Row) -> String {
        let assessment = self.assess(row);
        let mut text = format!("{}  {}", row.name, assessment.sentence());
        for one in assessment.telling() {
            let Column { key, name, weight } = one.column;
            let _ = write!(text, "\n    {:<8} {weight:>2}  {key} ({name})", one.value.word());
            if let Some(note) = one.note {
                let _ = write!(text, ": {note}");
            }
        }
        text
    }
}

/// A row with everything that its total comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment<'s> {
    /// The capability.
    pub capability: &'s str,
    /// What it comes to.
    pub total: Total,
    /// What it could come to: the sum of the weights of the criteria that are considered.
    pub most: u32,
    /// The points that it must reach.
    pub cutoff: u32,
    /// Whether it reaches them.
    pub eligible: bool,
    /// One for each column.
    pub criteria: Vec<Assessed<'s>>,
    /// Whether users without an administrator's rights can do it; no is a veto.
    pub non_admin: Value,
    /// The total that the sheet states, when it is another one.
    pub stated: Option<&'s str>,
}

/// A criterion of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assessed<'s> {
    /// The criterion.
    pub column: &'s Column,
    /// How it stands.
    pub value: Value,
    /// Why.
    pub note: Option<&'s str>,
}

impl Assessment<'_> {
    /// What it comes to, in words.
    pub fn sentence(&self) -> String {
        let Assessment { most, cutoff, .. } = self;
        match self.total {
            Total::Vetoed => "0: needs an administrator, which is a veto".to_string(),
            Total::Unfinished(points) => format!("{points} of {most} so far: not everything is decided"),
            Total::Points(points) if self.eligible => format!("{points} of {most}, reaches the cut-off of {cutoff}"),
            Total::Points(points) => {
                format!("{points} of {most}, {} below the cut-off of {cutoff}", cutoff.saturating_sub(points))
            }
        }
    }

    /// The criteria that say why: those that are not met or not decided, and those with a note.
    pub fn telling(&self) -> impl Iterator<Item = &Assessed<'_>> {
        self.criteria.iter().filter(|one| match one.value {
            Value::Left => false,
            Value::Yes => one.note.is_some(),
            Value::No | Value::Open => true,
        })
    }
}

fn value(capability: &Capability, key: &str) -> Value {
    if capability.criteria.is_empty() {
        let met = capability.achievements.iter().any(|own| own == key);
        return if met { Value::Yes } else { Value::No };
    }
    match capability.criteria.get(key).and_then(|judgement| judgement.met) {
        Some(true) => Value::Yes,
        Some(false) => Value::No,
        None => Value::Open,
    }
}

/// A field of a CSV file.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_string() }
}

/// A line as a row, when it is one.
fn row(line: &str) -> Line {
    parse_row(line).unwrap_or_else(|| Line::Text(line.to_string()))
}

fn parse_row(line: &str) -> Option<Line> {
    let (name, groups) = line.split_once(':')?;
    let name = name.trim();
    if name.is_empty() || name.contains(char::is_whitespace) {
        return None;
    }
    let mut values = Vec::new();
    let mut rest = groups.trim_start();
    for size in [3, 3, 3, 3, 1] {
        let (group, after) = rest.strip_prefix('[')?.split_once(']')?;
        let read: Option<Vec<Value>> = group.split(',').map(|text| Value::of(text.trim())).collect();
        values.extend(read.filter(|read| read.len() == size)?);
        rest = after.trim_start();
    }
    let (stated, end) = rest.strip_prefix('[')?.split_once(']')?;
    if !matches!(end.trim_end(), "" | "*") {
        return None;
    }
    let non_admin = values.pop()?;
    let notes = vec![None; values.len()];
    let row = Row { name: name.to_string(), values, non_admin, stated: Some(stated.trim().to_string()), notes };
    Some(Line::Row(line.get(..line.len() - rest.len())?.to_string(), row))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str = "Title\n=====\n\nall-met:   [1,1,1] [1,1,1] [1,1,1] [1,1,1] [1] [7]\n\
        few:       [0,1,1] [0,1,1] [1,1,1] [0,1,1] [1] [72]*\nadmin-only: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [0] [0]\n\
        open:      [1,?,1] [1,1,1] [1,1,0] [1,1,1] [1] [1]\n  note: [1] https://example.org\nends: [1,1] [1]\n";

    #[test]
    fn totals_stars_and_vetoes() {
        let sheet = Sheet::parse(SHEET);
        let text = sheet.text();
        for line in ["[1,1,1] [1] [100]*\n", "[0,1,1] [1] [72]\n", "[1,1,1] [0] [0]\n", "[1,1,1] [1] [-85]\n"] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(text.starts_with("Title\n=====\n") && text.ends_with("ends: [1,1] [1]\n"), "{text}");
        assert_eq!(Sheet::parse(&text).text(), text, "done twice is done once");
        let csv = sheet.csv();
        assert!(csv.contains("\nall-met,1,1,1,1,1,1,1,1,1,1,1,1,1,100*\n"), "{csv}");
        assert!(csv.contains("\nadmin-only,0\n"), "a vetoed row is short: {csv}");
        assert!(csv.contains("\nopen,1,?,1,1,1,1,1,1,0,1,1,1,1,-85\n"), "{csv}");
        assert_eq!(csv.lines().count(), 5);
    }

    #[test]
    fn an_addon_is_scored_on_fewer_criteria_with_a_lower_cutoff() {
        let mut sheet = Sheet::parse("zone: [*,1,1][1,1,1][1,1,0][*,1,*][1] [64]\n");
        assert_eq!(sheet.text(), "zone: [*,1,1][1,1,1][1,1,0][*,1,*][1] [66]*\n");
        sheet.set_cutoff(70);
        assert_eq!(sheet.text(), "zone: [*,1,1][1,1,1][1,1,0][*,1,*][1] [66]\n");
        let row = sheet.rows().next().unwrap();
        assert_eq!(
            sheet.explain(row),
            "zone  66 of 75, 4 below the cut-off of 70\n    not met   9  sticky (Core in Last Release)"
        );
    }

    #[test]
    fn an_assessment_is_all_that_a_page_shows() {
        let sheet = Sheet::parse(SHEET);
        let rows: Vec<Assessment<'_>> = sheet.rows().map(|row| sheet.assess(row)).collect();
        let [all, few, admin, open] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((all.total, all.eligible, all.stated), (Total::Points(100), true, Some("7")));
        assert_eq!((all.telling().count(), all.criteria.len(), all.most, all.cutoff), (0, 12, 100, 74));
        assert_eq!((few.total, few.eligible, few.stated), (Total::Points(72), false, None));
        let cost: u32 = few.telling().map(|one| one.column.weight).sum();
        assert_eq!((few.capability, cost), ("few", 28), "what is missing is what is told");
        assert_eq!((admin.total, admin.eligible, admin.non_admin), (Total::Vetoed, false, Value::No));
        assert_eq!((open.total, open.eligible), (Total::Unfinished(85), false));
        assert!(open.telling().any(|one| one.value == Value::Open && one.value.word() == "open"));
    }

    #[test]
    fn explains_each_criterion_that_costs_points() {
        let sheet = Sheet::parse(SHEET);
        let shown: Vec<String> = sheet.rows().map(|row| sheet.explain(row)).collect();
        assert_eq!(shown[0], "all-met  100 of 100, reaches the cut-off of 74");
        assert!(
            shown[1].starts_with("few  72 of 100, 2 below the cut-off of 74\n    not met   8  deployed"),
            "{}",
            shown[1]
        );
        assert!(shown[2].contains("a veto") && shown[3].contains("open      6  tools"), "{shown:?}");
        let json = sheet.json();
        assert_eq!((&json["capabilities"][0]["total"], &json["capabilities"][3]["total"]), (&json!(100), &Json::Null));
    }
}
