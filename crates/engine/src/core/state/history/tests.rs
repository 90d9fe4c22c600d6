//! Deeds as they are kept and told.

use super::*;

fn deed(number: u64) -> Deed {
    Deed {
        at: Timestamp(number),
        who: Who::Coming(number),
        what: What::Create(Cause::Missing),
        evidence: Evidence::Nothing,
        end: End::UnderWay,
    }
}

#[test]
fn only_the_last_deeds_are_kept() {
    let mut deeds = History::default();
    (0..DEEDS as u64 + 7).for_each(|number| deeds.push(deed(number)));
    assert_eq!(deeds.0.len(), DEEDS);
    assert_eq!(deeds.0.front().map(|deed| deed.at), Some(Timestamp(7)));
}

#[test]
fn what_is_done_is_told_by_how_far_it_is() {
    let destroy = What::Destroy(Reason::Outdated);
    let failed = End::Failed("busy".to_owned());
    for (what, end, action) in [
        (&destroy, &End::UnderWay, "destroying"),
        (&destroy, &End::Done, "destroyed"),
        (&destroy, &failed, "could not destroy"),
        (
            &What::Repair("reboot".to_owned()),
            &failed,
            "could not repair (reboot)",
        ),
        (&What::Create(Cause::Surge), &End::Done, "created"),
    ] {
        assert_eq!(what.action(end), action);
    }
    assert_eq!(
        destroy.rule(),
        "Outdated: it was made from another configuration"
    );
}
