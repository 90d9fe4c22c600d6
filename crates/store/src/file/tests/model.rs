//! Random histories against a map, and many committers at once.

use proptest::prelude::*;

use super::*;
use crate::{Durability, Expected, Key, MemStore, Revision, Store, StoreError};

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    /// Changes of keys 0..6: a value, or a delete; with a condition that holds or does not.
    Commit(Vec<(u8, Option<u32>, Condition)>, bool),
    /// Close and open again.
    Reopen,
}

#[derive(Clone, Copy, Debug)]
enum Condition {
    None,
    Holds,
    Fails,
}

fn step() -> impl Strategy<Value = Step> {
    let condition = prop_oneof![
        6 => Just(Condition::None),
        3 => Just(Condition::Holds),
        1 => Just(Condition::Fails),
    ];
    let change = (
        0..6_u8,
        proptest::option::weighted(0.7, any::<u32>()),
        condition,
    );
    prop_oneof![
        9 => (proptest::collection::vec(change, 0..4), any::<bool>())
            .prop_map(|(changes, synced)| Step::Commit(changes, synced)),
        1 => Just(Step::Reopen),
    ]
}

/// The model: a map and a number.
#[derive(Default)]
struct Model {
    records: Dump,
    revision: u64,
}

impl Model {
    fn found(&self, key: &str) -> Option<Revision> {
        self.records
            .get(key)
            .map(|(_, revision)| Revision(*revision))
    }

    fn change(&self, (key, value, condition): &(u8, Option<u32>, Condition)) -> Change {
        let key = format!("k/{key}");
        let found = self.found(&key);
        let change = match value {
            Some(value) => Change::put(key, value.to_string()),
            None => Change::delete(key),
        };
        match (condition, found) {
            (Condition::None, _) => change,
            (Condition::Holds, None) => change.expecting(Expected::Absent),
            (Condition::Holds, Some(revision)) => change.expecting(Expected::Revision(revision)),
            (Condition::Fails, None) => change.expecting(Expected::Revision(Revision(1))),
            (Condition::Fails, Some(_)) => change.expecting(Expected::Absent),
        }
    }

    /// Makes the changes, or returns false when they must be refused.
    fn commit(&mut self, changes: &[(u8, Option<u32>, Condition)]) -> bool {
        let mut keys: Vec<u8> = changes.iter().map(|it| it.0).collect();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() < changes.len() || changes.iter().any(|it| matches!(it.2, Condition::Fails)) {
            return false;
        }
        if changes.is_empty() {
            return true;
        }
        self.revision += 1;
        for (key, value, _) in changes {
            let key = format!("k/{key}");
            match value {
                Some(value) => self.records.insert(key, (value.to_string(), self.revision)),
                None => self.records.remove(&key),
            };
        }
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_history_leads_where_the_model_leads(steps in proptest::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let open = || FileStore::open_on(dir.path(), Arc::new(RealDisk), SMALL).unwrap();
        let mut store = open();
        let memory = MemStore::default();
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Reopen => {
                    drop(store);
                    store = open();
                }
                Step::Commit(changes, synced) => {
                    let durability = if synced { Durability::Synced } else { Durability::Buffered };
                    let commit: Vec<_> = changes.iter().map(|it| model.change(it)).collect();
                    let accepted = model.commit(&changes);
                    for store in [&store as &dyn Store, &memory] {
                        let result = runtime.block_on(store.commit(commit.clone(), durability));
                        prop_assert_eq!(result.is_ok(), accepted, "{:?}", result);
                        if let Ok(revision) = result {
                            prop_assert_eq!(revision.0, model.revision);
                        }
                    }
                }
            }
            prop_assert_eq!(&dump(&store), &model.records);
            prop_assert_eq!(memory.scan(""), store.scan(""));
        }
    }
}

#[tokio::test]
async fn of_many_committers_on_one_record_exactly_one_wins_each_round() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::open(dir.path()).unwrap();
    let key = Key::from("counter");
    let mut expected = Expected::Absent;
    for round in 1..=20_u64 {
        let commits = (0..50).map(|value: u32| {
            let change = Change::put(key.clone(), value.to_string()).expecting(expected);
            store.commit(vec![change], Durability::Synced)
        });
        let mut won = Vec::new();
        for result in all(commits).await {
            match result {
                Ok(revision) => won.push(revision),
                Err(StoreError::Conflict {
                    key: named, found, ..
                }) => {
                    assert_eq!((named, found.0), (key.clone(), Some(Revision(round))));
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(won, [Revision(round)]);
        expected = Expected::Revision(Revision(round));
    }
}

#[tokio::test]
async fn a_check_holds_the_transaction_to_it_and_is_not_stored() {
    let dir = tempfile::tempdir().unwrap();
    let file = FileStore::open(dir.path()).unwrap();
    let memory = MemStore::default();
    for store in [&file as &dyn Store, &memory] {
        let commit = |changes| store.commit(changes, Durability::Synced);
        let leader = commit(put("term", 1)).await.unwrap();
        let mine = Change::check("term", Expected::Revision(leader));
        let mut work = put("a", 1);
        work.push(mine.clone());
        assert_eq!(commit(work.clone()).await.unwrap(), Revision(2));
        // Mere checks are no transaction.
        assert_eq!(commit(vec![mine.clone()]).await.unwrap(), Revision(2));
        let next = commit(put("term", 2)).await.unwrap();
        assert_eq!(next, Revision(3), "a check is no change of its record");
        for changes in [work, vec![mine]] {
            let refused = commit(changes).await.unwrap_err();
            assert_eq!(
                refused.to_string(),
                "record `term` has changed: expected revision 1, found revision 3"
            );
        }
    }
    drop(file);
    let file = FileStore::open(dir.path()).unwrap();
    assert_eq!(file.scan(""), memory.scan(""));
}

#[tokio::test]
async fn input_that_cannot_be_stored_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let store = FileStore::open(dir.path()).unwrap();
    for (changes, want) in [
        (
            vec![Change::put("a", "{\"x\":")],
            "value for record `a` is not JSON",
        ),
        (
            vec![Change::put("a", "1 2")],
            "value for record `a` is not JSON",
        ),
        (
            vec![Change::put("a", "")],
            "value for record `a` is not JSON",
        ),
        (vec![Change::put("", "1")], "a record needs a key"),
        (
            vec![Change::put("a", "1"), Change::delete("a")],
            "record `a` is changed twice in one transaction",
        ),
        (
            vec![Change::delete("a").expecting(Expected::Revision(Revision(4)))],
            "record `a` has changed: expected revision 4, found no record",
        ),
    ] {
        // The good change in front must not happen either.
        let mut all = put("good", 1);
        all.extend(changes);
        let error = store.commit(all, Durability::Synced).await.unwrap_err();
        assert_eq!(error.to_string(), want);
    }
    assert!(store.scan("").is_empty());
    assert_eq!(log_length(dir.path()), 0);
}

#[tokio::test]
async fn scans_are_ordered_and_end_with_the_prefix() {
    let store = MemStore::default();
    for key in ["a/2", "a/10", "a", "a0", "b/1", "a/", "é"] {
        store
            .commit(put(key, 1), Durability::Buffered)
            .await
            .unwrap();
    }
    let keys = |prefix: &str| -> Vec<String> {
        let found = store.scan(prefix).into_iter();
        found.map(|(key, _)| key.to_string()).collect()
    };
    assert_eq!(keys("a/"), ["a/", "a/10", "a/2"]);
    assert_eq!(keys(""), ["a", "a/", "a/10", "a/2", "a0", "b/1", "é"]);
    assert!(keys("c").is_empty());
}

#[tokio::test]
async fn documents_nested_very_deep_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let value = "[".repeat(100_000) + &"]".repeat(100_000);
    let store = FileStore::open(dir.path()).unwrap();
    store
        .commit(put("deep", &value), Durability::Buffered)
        .await
        .unwrap();
    drop(store);
    let store = FileStore::open(dir.path()).unwrap();
    assert_eq!(store.get(&Key::from("deep")).unwrap().value.as_str(), value);
}
