//! Records of former releases.

use futures_util::FutureExt as _;
use infrakit_store::{Change, Durability, Store as _};

use crate::bench::{Bench, cattle};

fn put(bench: &Bench, key: &str, value: &str) {
    let change = Change::put(key, value);
    let written = bench.store.commit(vec![change], Durability::Synced);
    written.now_or_never().unwrap().unwrap();
}

/// What the release before terms, homes and departures left in its store.
#[test]
fn a_store_of_the_release_before_is_taken_up() {
    let mut bench = Bench::new();
    let properties = cattle(2, "1").properties.unwrap();
    let spec = format!(
        r#"{{"revision":3,"committed":5,"spec":{{"ID":"g","Properties":{}}}}}"#,
        properties.as_str()
    );
    put(&bench, "specs/g", &spec);
    put(&bench, "history/g/00000000000000000003", &spec);
    put(
        &bench,
        "memory/g",
        r#"{"group":"g","nonce":"nonce","next_token":1,"phase":"Active","roll":{"hold":null},"doomed":[],"creation":{"failures":2,"until":7},"slowest_creation":{"secs":2,"nanos":0}}"#,
    );
    put(
        &bench,
        "intents/g/00000000000000000000",
        r#"{"first":0,"count":1,"begun":5}"#,
    );
    bench.crash();
    bench.wait(120);
    assert!(bench.converged());
    assert_eq!((bench.ids().len(), bench.memory().revision), (2, 3));
}
