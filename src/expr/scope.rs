//! The variables of an evaluation.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Json;

/// The variables of an evaluation, and the seed of its unique names.
///
/// Values are shared, never copied: cloning a scope or taking a [`child`](Scope::child) costs two reference counts, and an
/// expression reads the JSON in place.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    variables: Arc<BTreeMap<Arc<str>, Arc<Json>>>,
    seed: Option<Arc<str>>,
}

impl Scope {
    /// A scope without variables and without a seed.
    pub fn new() -> Scope {
        Scope::default()
    }

    /// Sets or replaces a variable.
    pub fn set(&mut self, name: &str, value: Arc<Json>) {
        let variables = Arc::make_mut(&mut self.variables);
        match variables.get_mut(name) {
            Some(slot) => *slot = value,
            None => {
                variables.insert(name.into(), value);
            }
        }
    }

    /// Sets or replaces a variable with a value that is not shared yet.
    pub fn set_json(&mut self, name: &str, value: Json) {
        self.set(name, Arc::new(value));
    }

    /// Removes a variable; nothing happens if there is none of that name.
    pub fn unset(&mut self, name: &str) {
        if self.variables.contains_key(name) {
            Arc::make_mut(&mut self.variables).remove(name);
        }
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<Arc<Json>> {
        self.variables.get(name).cloned()
    }

    /// A scope that starts with the variables and the seed of this one; changes to it stay there.
    pub fn child(&self) -> Scope {
        self.clone()
    }

    /// The names of the variables, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(|name| &**name)
    }

    /// All variables as an object, without the seed.
    pub fn to_json(&self) -> Json {
        Json::Object(self.variables.iter().map(|(name, value)| (name.to_string(), Json::clone(value))).collect())
    }

    /// The scope of an object made by [`to_json`](Scope::to_json). Any other value gives an empty scope.
    pub fn from_json(json: Json) -> Scope {
        let mut scope = Scope::new();
        if let Json::Object(members) = json {
            scope.variables =
                Arc::new(members.into_iter().map(|(name, value)| (name.into(), Arc::new(value))).collect());
        }
        scope
    }

    /// Sets what `unique` and `random_hex` derive their results from, for example `<run seed>/<case id>`.
    pub fn set_seed(&mut self, seed: &str) {
        self.seed = Some(Arc::from(seed));
    }

    pub(super) fn value(&self, name: &str) -> Option<&Json> {
        self.variables.get(name).map(Arc::as_ref)
    }

    pub(super) fn seed(&self) -> Option<&str> {
        self.seed.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_child_changes_nothing_in_its_parent() {
        let mut parent = Scope::new();
        parent.set_json("a", json!(1));
        parent.set_seed("s");
        let mut child = parent.child();
        child.set_json("a", json!(2));
        child.set_json("b", json!(3));
        child.unset("never there");
        assert_eq!(parent.to_json(), json!({"a": 1}));
        assert_eq!(child.to_json(), json!({"a": 2, "b": 3}));
        assert_eq!(child.seed(), Some("s"));
        child.unset("a");
        assert_eq!(child.names().collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn the_journal_form_reads_back() {
        let object = json!({"id": "x", "body": {"n": [1, null]}});
        assert_eq!(Scope::from_json(object.clone()).to_json(), object);
        assert_eq!(Scope::from_json(json!([1])).to_json(), json!({}));
    }

    #[test]
    fn values_are_shared() {
        let value = Arc::new(json!({"big": true}));
        let mut scope = Scope::new();
        scope.set("body", Arc::clone(&value));
        let child = scope.child();
        assert!(child.get("body").is_some_and(|v| Arc::ptr_eq(&v, &value)));
    }
}
