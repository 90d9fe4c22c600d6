//! What differs between two specs, field by field.
//!
//! It knows JSON, not what the fields mean. Both specs come in canonical form, so that what is
//! spelled differently and means the same is no difference.

use std::collections::{BTreeMap, VecDeque};

use infrakit_spi::Any;
use serde_json::Value;

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Its path, like `Instance.Properties.Note` or `Allocation.LogicalIDs[2]`. Elements of lists
    /// are numbered as they are afterwards, those that go as they were before; one that moves has
    /// both numbers, as in `LogicalIDs[0 -> 2]`.
    pub path: String,
    /// What it was; `None` when it was not there.
    pub before: Option<Any>,
    /// What it is; `None` when it is not there any more.
    pub after: Option<Any>,
}

/// Returns the fields in which two canonical specs differ, ordered by path; without a former spec
/// each field of the new one.
///
/// `null` is the same as a field that is absent.
///
/// ```
/// use infrakit_plan::spec_diff;
/// use infrakit_spi::Any;
///
/// let before = Any::parse(r#"{"Allocation": {"Size": 3}, "Instance": {"Plugin": "file"}}"#)?;
/// let after = Any::parse(r#"{"Allocation": {"Size": 5}, "Instance": {"Plugin": "file"}}"#)?;
/// let changes = spec_diff(Some(&before), &after);
/// assert_eq!(changes.len(), 1);
/// assert_eq!(changes[0].path, "Allocation.Size");
/// assert_eq!(changes[0].after, Some(Any::parse("5")?));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[must_use]
pub fn spec_diff(before: Option<&Any>, after: &Any) -> Vec<FieldChange> {
    // Documents nested too deeply to be taken apart differ as a whole.
    let value = |document: &Any| {
        document
            .to_value()
            .unwrap_or_else(|_| Value::String(document.to_string()))
    };
    let before = before.map(value);
    let mut changes = Vec::new();
    compare("", before.as_ref(), Some(&value(after)), &mut changes);
    changes
}

fn compare(
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    changes: &mut Vec<FieldChange>,
) {
    let before = before.filter(|value| !value.is_null());
    let after = after.filter(|value| !value.is_null());
    match (before, after) {
        _ if before == after => {}
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            lists(path, before, after, changes);
        }
        _ if fields(before) && fields(after) => objects(path, before, after, changes),
        _ => changes.push(FieldChange {
            path: path.to_owned(),
            before: before.map(document),
            after: after.map(document),
        }),
    }
}

/// Returns whether a value can be told field by field; one that is absent has no fields.
fn fields(value: Option<&Value>) -> bool {
    match value {
        None => true,
        Some(Value::Object(fields)) => !fields.is_empty(),
        Some(_) => false,
    }
}

fn document(value: &Value) -> Any {
    Any::from_value(value).expect("it was read as JSON")
}

fn objects(
    path: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    changes: &mut Vec<FieldChange>,
) {
    let names = |value: Option<&Value>| {
        let fields = value.and_then(Value::as_object);
        fields
            .into_iter()
            .flat_map(serde_json::Map::keys)
            .cloned()
            .collect::<Vec<_>>()
    };
    let mut all = names(before);
    all.extend(names(after));
    all.sort();
    all.dedup();
    for name in all {
        let field = |value: Option<&'_ Value>| value.and_then(|value| value.get(&name)).cloned();
        let (before, after) = (field(before), field(after));
        compare(
            &inside(path, &name),
            before.as_ref(),
            after.as_ref(),
            changes,
        );
    }
}

/// Returns the path of a field. Names that would not be told from a path are quoted.
fn inside(path: &str, name: &str) -> String {
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || "_-/".contains(letter));
    match (plain, path.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => format!("{path}.{name}"),
        (false, _) => format!("{path}[{}]", Value::from(name)),
    }
}

/// What became of an element of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is in both lists, in the order of the others that stay.
    Stays,
    /// It is in both lists, elsewhere.
    Moves,
    /// The other list lacks it.
    Alone,
}

/// Compares two lists: which elements stay in their order, which moved, and which are others.
///
/// Equal elements are paired in order. The longest run of pairs that keeps its order stays; other
/// pairs moved. What is left between two that stay is compared one by one, so that a stage of which
/// a field changed shows that field.
fn lists(path: &str, before: &[Value], after: &[Value], changes: &mut Vec<FieldChange>) {
    let mut places: BTreeMap<String, VecDeque<usize>> = BTreeMap::new();
    for (index, value) in after.iter().enumerate() {
        places
            .entry(value.to_string())
            .or_default()
            .push_back(index);
    }
    let pairs: Vec<(usize, usize)> = before
        .iter()
        .enumerate()
        .filter_map(|(old, value)| Some((old, places.get_mut(&value.to_string())?.pop_front()?)))
        .collect();
    let mut olds = vec![Fate::Alone; before.len()];
    let mut news = vec![Fate::Alone; after.len()];
    let mut mark = |(old, new): (usize, usize), fate: Fate| {
        olds.get_mut(old).into_iter().for_each(|slot| *slot = fate);
        news.get_mut(new).into_iter().for_each(|slot| *slot = fate);
    };
    pairs.iter().for_each(|pair| mark(*pair, Fate::Moves));
    for pair in longest_growing(&pairs) {
        mark(pair, Fate::Stays);
    }
    // Each with the number of the element that it is told by, to be told in that order.
    let mut found = Vec::new();
    for (old, new) in pairs {
        if olds.get(old) == Some(&Fate::Moves) {
            let value = before.get(old).map(document);
            found.push((
                new,
                FieldChange {
                    path: format!("{path}[{old} -> {new}]"),
                    before: value.clone(),
                    after: value,
                },
            ));
        }
    }
    let (olds, mut news) = (alone(&olds), alone(&news));
    for (gap, olds) in olds {
        let news = news.remove(&gap).unwrap_or_default();
        others(path, (before, &olds), (after, &news), &mut found);
    }
    for news in news.into_values() {
        others(path, (before, &[]), (after, &news), &mut found);
    }
    found.sort_by_key(|(index, _)| *index);
    changes.extend(found.into_iter().map(|(_, change)| change));
}

/// Returns the elements that the other list lacks, by how many that stay come before them.
fn alone(fates: &[Fate]) -> BTreeMap<usize, Vec<usize>> {
    let mut gaps: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut stayed = 0;
    for (index, fate) in fates.iter().enumerate() {
        match fate {
            Fate::Stays => stayed += 1,
            Fate::Moves => {}
            Fate::Alone => gaps.entry(stayed).or_default().push(index),
        }
    }
    gaps
}

/// Compares what was at a place with what is there, element by element.
fn others(
    path: &str,
    (before, olds): (&[Value], &[usize]),
    (after, news): (&[Value], &[usize]),
    found: &mut Vec<(usize, FieldChange)>,
) {
    for at in 0..olds.len().max(news.len()) {
        let (old, new) = (olds.get(at), news.get(at));
        let index = new.or(old).copied().unwrap_or_default();
        let mut inner = Vec::new();
        compare(
            &format!("{path}[{index}]"),
            old.and_then(|old| before.get(*old)),
            new.and_then(|new| after.get(*new)),
            &mut inner,
        );
        found.extend(inner.into_iter().map(|change| (index, change)));
    }
}

/// Returns the longest selection of pairs whose second halves grow as the first ones do.
fn longest_growing(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // The last pair of the best selection of each length, and what came before each pair.
    let mut ends: Vec<usize> = Vec::new();
    let mut former: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let second = |at: usize| pairs.get(at).map_or(0, |(_, new)| *new);
    for (at, (_, new)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| second(*end) < *new);
        former.push(
            length
                .checked_sub(1)
                .and_then(|shorter| ends.get(shorter).copied()),
        );
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut chosen = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(at) = next {
        chosen.extend(pairs.get(at));
        next = former.get(at).copied().flatten();
    }
    chosen.reverse();
    chosen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tells each change in a line.
    fn told(before: &str, after: &str) -> Vec<String> {
        spec_diff(
            Some(&Any::parse(before).unwrap()),
            &Any::parse(after).unwrap(),
        )
        .into_iter()
        .map(|change| {
            let shown = |value: Option<Any>| {
                value.map_or_else(|| "-".to_owned(), |value| value.to_string())
            };
            format!(
                "{}: {} > {}",
                change.path,
                shown(change.before),
                shown(change.after)
            )
        })
        .collect()
    }

    #[test]
    fn nested_fields_are_told_one_by_one() {
        assert_eq!(
            told(
                r#"{"Instance":{"Plugin":"file","Properties":{"Note":"one","a.b":1,"Gone":[1]}},"Size":3}"#,
                r#"{"Size":3,"Instance":{"Properties":{"Note":"two","a.b":2,"New":{"x":{"y":1}},"No":null},"Plugin":"file"}}"#,
            ),
            [
                r#"Instance.Properties.Gone: [1] > -"#,
                r#"Instance.Properties.New.x.y: - > 1"#,
                r#"Instance.Properties.Note: "one" > "two""#,
                r#"Instance.Properties["a.b"]: 1 > 2"#,
            ]
        );
    }

    #[test]
    fn a_value_of_another_kind_differs_as_a_whole() {
        assert_eq!(
            told(
                r#"{"a":{"b":1},"c":[1],"d":null}"#,
                r#"{"a":[1],"c":{"b":1},"d":{}}"#
            ),
            [r#"a: {"b":1} > [1]"#, r#"c: [1] > {"b":1}"#, r#"d: - > {}"#]
        );
    }

    #[test]
    fn elements_of_lists_come_go_change_and_move() {
        for (before, after, want) in [
            (r#"["a","b"]"#, r#"["a","b","c"]"#, vec![r#"[2]: - > "c""#]),
            (r#"["a","b","c"]"#, r#"["b","c"]"#, vec![r#"[0]: "a" > -"#]),
            (
                r#"["a","b","c"]"#,
                r#"["a","x","c"]"#,
                vec![r#"[1]: "b" > "x""#],
            ),
            (
                r#"["a","b","c"]"#,
                r#"["c","a","b"]"#,
                vec![r#"[2 -> 0]: "c" > "c""#],
            ),
            (
                r#"["a","b","c"]"#,
                r#"["x","c","b"]"#,
                vec![r#"[0]: "a" > "x""#, r#"[1 -> 2]: "b" > "b""#],
            ),
            (r#"["a","a"]"#, r#"["a"]"#, vec![r#"[1]: "a" > -"#]),
            (
                r#"[{"Until":"5%"},{"Until":"25%","Bake":"1m"}]"#,
                r#"[{"Until":"5%"},{"Until":"25%","Bake":"2m"},{"Until":"50%"}]"#,
                vec![r#"[1].Bake: "1m" > "2m""#, r#"[2].Until: - > "50%""#],
            ),
            ("[]", "[1]", vec!["[0]: - > 1"]),
            ("[[1,2]]", "[[1,3]]", vec!["[0][1]: 2 > 3"]),
        ] {
            let (before, after) = (
                format!(r#"{{"L":{before}}}"#),
                format!(r#"{{"L":{after}}}"#),
            );
            let want: Vec<String> = want.into_iter().map(|line| format!("L{line}")).collect();
            assert_eq!(told(&before, &after), want, "{before} {after}");
        }
    }

    #[test]
    fn a_new_group_is_told_whole() {
        let after =
            Any::parse(r#"{"Allocation":{"Size":1,"LogicalIDs":null},"Empty":{}}"#).unwrap();
        let paths: Vec<String> = spec_diff(None, &after)
            .into_iter()
            .map(|change| change.path)
            .collect();
        assert_eq!(paths, ["Allocation.Size", "Empty"]);
    }

    #[test]
    fn long_lists_are_compared_in_time() {
        let list = |from: u32| {
            let ids: Vec<String> = (from..from + 50_000).map(|id| id.to_string()).collect();
            Any::from_value(&ids).unwrap()
        };
        // Bounded by the test's own patience: comparing each with each would take minutes.
        assert_eq!(spec_diff(Some(&list(0)), &list(1)).len(), 2);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            (0_u8..4).prop_map(Value::from),
            "[ab]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[abc]", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn only_what_is_equal_has_no_difference(before in value(), after in value()) {
            let of = |before: &Value, after: &Value| spec_diff(Some(&document(before)), &document(after));
            prop_assert_eq!(of(&before, &before), vec![]);
            let there = of(&before, &after);
            let back = of(&after, &before);
            prop_assert_eq!(there.is_empty(), back.is_empty());
            for change in there.iter().chain(&back) {
                prop_assert!(change.before.is_some() || change.after.is_some());
                prop_assert!(change.before != change.after || change.path.contains(" -> "));
            }
            let mut paths: Vec<&str> = there.iter().map(|change| change.path.as_str()).collect();
            paths.sort_unstable();
            let told = paths.len();
            paths.dedup();
            // An element that goes and one that comes may have the same number.
            prop_assert!(told - paths.len() <= there.iter().filter(|one| one.after.is_none()).count());
        }
    }
}
