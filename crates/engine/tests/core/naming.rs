//! From a size to logical ids, back, and from one set of ids to another.

use infrakit_spi::Error;

use crate::bench::{Bench, Fate, GROUP, cattle, spec};

fn pets(ids: &[&str]) -> infrakit_spi::group::GroupSpec {
    let ids = serde_json::to_string(ids).unwrap();
    spec(&format!(r#"{{"LogicalIDs":{ids}}}"#), ("file", "1"), "")
}

#[test]
fn like_members_are_given_identities_and_stay() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    assert_eq!(
        bench.commit(pets(&["a", "b", "c"])),
        "Giving logical IDs to 3 instances"
    );
    bench.wait(120);
    assert!(bench.converged());
    assert_eq!(bench.count("destroy"), 0);
    assert_eq!(
        bench.names().into_iter().collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
    assert!(!bench.memory().naming);

    bench.commit(cattle(3, "1"));
    bench.wait(60);
    assert!(bench.converged());
    assert_eq!((bench.count("create"), bench.count("destroy")), (3, 0));
}

#[test]
fn members_that_cannot_be_labelled_make_way_one_by_one() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.labels = Some(Error::refused("this plugin labels nothing"));
    bench.commit(pets(&["a", "b", "c"]));
    bench.watch_extremes();
    bench.wait(200);
    assert!(bench.converged(), "{:?}", bench.made);
    assert_eq!(bench.extremes, (2, 3));
    assert_eq!(
        bench.names().into_iter().collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
}

#[test]
fn a_label_of_unknown_outcome_is_not_given_to_another_member() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.labels = Some(Error::unknown("connection lost"));
    bench.commit(pets(&["a", "b"]));
    bench.wait(5);
    assert_eq!(bench.count("label"), 2, "they are waited for");
    bench.labels = None;
    bench.wait(120);
    assert!(bench.converged(), "{:?}", bench.made);
    assert_eq!(bench.count("destroy"), 0);
}

#[test]
fn a_label_that_is_acknowledged_and_never_shows_is_put_on_again() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.labels_ignored = 3;
    bench.commit(pets(&["a", "b"]));
    bench.wait(120);
    assert!(bench.converged(), "{:?}", bench.made);
    assert_eq!((bench.count("label"), bench.count("destroy")), (5, 0));
    assert_eq!(bench.names().into_iter().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn members_of_a_plugin_that_puts_on_no_label_and_says_so_of_none_make_way() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.labels_ignored = usize::MAX;
    bench.commit(pets(&["a", "b"]));
    bench.watch_extremes();
    bench.wait(600);
    assert!(bench.converged(), "{:?}", bench.made);
    assert_eq!((bench.extremes, bench.count("destroy")), ((1, 2), 2));
}

#[test]
fn of_a_set_of_ids_only_what_differs_changes() {
    let mut bench = Bench::new();
    bench.arrive(pets(&["a", "b"]));
    assert_eq!(
        bench.commit(pets(&["b", "c", "d"])),
        "Terminating 1 instances that are not listed any more, then adding 2 instances that are newly listed"
    );
    bench.wait(120);
    assert!(bench.converged());
    assert_eq!(
        bench.names().into_iter().collect::<Vec<_>>(),
        ["b", "c", "d"]
    );
    assert_eq!((bench.count("create"), bench.count("destroy")), (4, 1));
}

/// Nobody knows any more that it was a group of like members; they are its members all the same.
#[test]
fn members_of_a_group_that_was_freed_are_given_identities_too() {
    for mid in [false, true] {
        let mut bench = Bench::new();
        bench.arrive(cattle(2, "1"));
        if mid {
            bench.fate = Fate::Kept;
            bench.commit(cattle(4, "1"));
        } else {
            bench.arrive(cattle(4, "1"));
        }
        bench.core.free(&GROUP.into(), bench.now).unwrap();
        bench.settle();
        bench.commit(pets(&["a", "b", "c", "d"]));
        bench.wait(5);
        bench.release();
        bench.wait(120);
        assert!(bench.converged(), "{}", bench.why());
        assert_eq!((bench.count("create"), bench.count("destroy")), (4, 0));
        assert_eq!(bench.names().len(), 4);
    }
}

#[test]
fn a_label_without_effect_is_named_with_until_when_it_is_waited_for() {
    let mut bench = Bench::new();
    bench.arrive(cattle(2, "1"));
    bench.mute = true;
    bench.commit(pets(&["a", "b"]));
    let said = bench.why();
    let text = "`file` says that it has labelled `i-001`, `i-002`, and no list shows that; labels that a \
                list from 2001-";
    assert!(said.contains(text), "{said}");
    bench.wait(35);
    let said = bench.why();
    assert!(said.contains("; that came to nothing "), "{said}");
}

/// Somebody has made one by hand that nobody has asked yet how it is.
#[test]
fn of_two_with_one_name_the_one_that_is_known_to_serve_stays() {
    for restarts in [false, true] {
        let mut bench = Bench::new();
        bench.arrive(pets(&["a", "b", "c"]));
        let b = bench.instances.values();
        let b = b.filter(|one| one.tags.as_ref().unwrap()[infrakit_spi::tags::LOGICAL_ID] == "b");
        let b = b.map(|one| one.id.clone()).next().unwrap();
        let mut tags = bench.instance(b.as_str()).tags.clone().unwrap();
        tags.remove(infrakit_spi::tags::TOKEN);
        if restarts {
            bench.restart();
            bench.wait(60);
        }
        bench.sick.insert("a-twin".into());
        bench.plant("file", "a-twin", tags);
        bench.wait(120);
        assert!(
            bench.ids().contains(&b.as_str()),
            "{restarts}: {:?}",
            bench.made
        );
        assert_eq!(
            (bench.ids().len(), bench.count("create")),
            (3, 3),
            "{restarts}"
        );
    }
}
