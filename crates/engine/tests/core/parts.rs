//! Lists that cover a part of the world: what is elsewhere is neither lost nor made again.

use infrakit_engine::core::Override;
use infrakit_spi::Error;
use infrakit_spi::behaviour::Behaviour;

use crate::bench::{Bench, Fate, GROUP, cattle, named, spec};

/// A group of so many, in zones `a` and `b` by turns, on a plugin that names zones.
fn zones(size: u64) -> Bench {
    let mut bench = Bench::new();
    zoned(&mut bench);
    bench.arrive(cattle(size, "1"));
    for (number, one) in bench.instances.values_mut().enumerate() {
        let zone = ["a", "b"][number % 2].to_owned();
        one.tags
            .get_or_insert_default()
            .insert("zone".to_owned(), zone);
    }
    bench.wait(30);
    bench
}

fn zoned(bench: &mut Bench) {
    let behaviour = Behaviour {
        domain_of: Some("zone".to_owned()),
        ..crate::bench::gives_up_after(15)
    };
    let set = [("file".into(), Override::from(behaviour))];
    bench
        .core
        .override_plugins(set.into_iter().collect(), bench.now);
}

#[test]
fn a_zone_out_of_sight_is_not_made_again_and_the_others_are_kept() {
    let mut bench = zones(6);
    bench.covers = Some(["a".to_owned()].into());
    bench.wait(600);
    assert_eq!(bench.instances.len(), 6);
    assert!(
        bench
            .why()
            .contains("`file` shows only `a`; what is elsewhere counts as it was at ")
    );
    // One in sight is lost, and made again; the new one is in `a`, too.
    let first = bench.instances.keys().next().cloned().unwrap();
    bench.instances.remove(&first);
    bench.wait(60);
    assert_eq!(bench.instances.len(), 6);
    let everything = bench.instances.len();
    bench.covers = None;
    bench.wait(60);
    assert_eq!(bench.instances.len(), everything, "nobody was one too many");
    assert!(!bench.why().contains("shows only"), "{}", bench.why());
}

#[test]
fn nothing_is_known_after_a_restart_before_a_list_of_everything() {
    let mut bench = zones(4);
    bench.covers = Some(["a".to_owned()].into());
    bench.crash();
    zoned(&mut bench);
    bench.wait(300);
    assert_eq!(bench.instances.len(), 4);
    let said = bench.why();
    assert!(
        said.contains("shows only `a`; nothing is known of what is elsewhere"),
        "{said}"
    );
    bench.covers = Some([].into());
    bench.wait(30);
    let said = bench.why();
    assert!(
        said.contains("shows no part of the world; nothing"),
        "{said}"
    );
    bench.covers = None;
    bench.wait(30);
    assert_eq!(bench.instances.len(), 4);
}

/// The instance may be in the zone that nobody sees.
#[test]
fn a_creation_whose_answer_is_lost_is_settled_by_a_list_of_everything_only() {
    let mut bench = zones(4);
    bench.covers = Some(["a".to_owned()].into());
    let lost = Error::unknown("no answer");
    bench.refused.insert("1".to_owned(), lost);
    bench.commit(cattle(5, "1"));
    bench.refused.clear();
    bench.wait(600);
    assert_eq!(bench.instances.len(), 4);
    bench.covers = None;
    bench.wait(60);
    assert_eq!(bench.instances.len(), 5);
}

/// A list of a part shows them, or does not, as any other.
#[test]
fn labels_that_never_show_are_put_on_again_where_lists_only_cover_a_part() {
    let mut bench = zones(2);
    bench.covers = Some(["a".to_owned()].into());
    bench.wait(30);
    bench.labels_ignored = usize::MAX;
    let ids = r#"{"LogicalIDs":["p","q"]}"#;
    bench.commit(spec(ids, ("file", "1"), ""));
    bench.wait(60);
    let labels = |bench: &Bench, id: &str| {
        let call = format!("label {id}");
        bench.made.iter().filter(|made| **made == call).count()
    };
    assert!(labels(&bench, "i-001") > 1, "{:?}", bench.made);
    assert_eq!(labels(&bench, "i-002"), 1, "it may have them");
    bench.labels_ignored = 0;
    bench.wait(60);
    assert_eq!(labels(&bench, "i-002"), 1, "nobody has seen it");
    bench.covers = None;
    bench.wait(60);
    assert!(bench.converged(), "{:?}", bench.made);
    assert_eq!(bench.names().len(), 2);
}

/// What was said before the restart stands for a while, and not for ever.
#[test]
fn a_group_of_which_no_complete_list_comes_after_a_restart_is_degraded() {
    let mut bench = Bench::new();
    bench.arrive(cattle(3, "1"));
    bench.covers = Some(["a".to_owned()].into());
    bench.crash();
    bench.wait(24 * 3_600);
    let said = bench.core.conditions(&GROUP.into(), bench.now).unwrap();
    let degraded = said
        .iter()
        .find(|one| one.kind == infrakit_spi::rollout::ConditionKind::Degraded);
    assert!(degraded.unwrap().status, "{said:?}");
}

/// One is gone, as no list has told, and another group's member has its id. A list of another part says nothing
/// of whom a call for its end would reach.
#[test]
fn an_id_that_another_group_was_given_is_not_asked_to_go_before_a_list_shows_it() {
    let mut bench = zones(6);
    bench.commit(named("other", cattle(0, "1")));
    bench.wait(30);
    let ((_, id), _) = bench.instances.iter().nth(1).unwrap();
    let id = id.to_string();
    bench.hold_lists = true;
    bench.fate = Fate::Kept;
    bench.commit(named("other", cattle(1, "1")));
    let creation = bench.take_creation();
    bench.fate = Fate::Done;
    bench.lose(&id);
    let made = bench.make(&creation, &id);
    bench.answer(creation, Ok(made));
    bench.covers = Some(["a".to_owned()].into());
    bench.hold_lists = false;
    for held in std::mem::take(&mut bench.lists) {
        bench.answer_list(held, Err(Error::refused("not now")));
    }
    bench.wait(30);
    bench.scale(0);
    bench.wait(60);
    let asked = format!("destroy {id}");
    assert_eq!(bench.count(&asked), 0, "{:?} {}", bench.made, bench.why());
    bench.covers = None;
    bench.wait(120);
    assert_eq!(bench.count(&asked), 0, "{:?} {}", bench.made, bench.why());
    assert_eq!(bench.ids(), [id], "{:?} {}", bench.made, bench.why());
    assert!(bench.converged(), "{}", bench.why());
}
