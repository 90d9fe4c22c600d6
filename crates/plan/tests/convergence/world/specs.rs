//! The specs that worlds commit.

use infrakit_plan::Spec;
use infrakit_spi::Any;

use super::Kind;

/// Budgets of rollouts, and how many members they let exist beyond the size.
pub(super) fn budget(kind: Kind, budget: u8) -> (&'static str, usize) {
    match (kind, budget) {
        (Kind::Cattle, 1) => (r#""MaxSurge":2"#, 2),
        (Kind::Cattle, 2) => (r#""MaxSurge":1,"MaxUnavailable":2"#, 1),
        (Kind::Cattle, 3) => (
            r#""MaxSurge":2,"MaxUnavailable":1,"Order":"destroy-first""#,
            2,
        ),
        (Kind::Cattle, 4) => (r#""MaxSurge":3,"Batch":2"#, 3),
        (_, 1 | 5) => (r#""MaxUnavailable":3"#, 0),
        (_, 2 | 6) => (r#""MaxUnavailable":2,"Batch":2"#, 0),
        (_, 7) => (
            r#""Stages":[{"Until":1,"Bake":"1m"},{"Until":"50%"}],"OnFailure":"continue""#,
            0,
        ),
        _ => ("", 0),
    }
}

pub(super) fn spec((kind, proof, which): (Kind, u8, u8), size: u64, note: u8) -> Spec {
    let allocation = match kind {
        Kind::Cattle => format!(r#"{{"Size":{size}}}"#),
        Kind::Pets => {
            // Lists of other lengths name others, some of them the same.
            let first = size % 3 * 2 + 1;
            let others = (0..size).map(|number| first + number);
            let ids = std::iter::once(0).chain(others);
            let ids: Vec<String> = ids.map(|number| format!("pet-{number}")).collect();
            format!(r#"{{"LogicalIDs":{ids:?}}}"#)
        }
    };
    let proof = match proof {
        2 => r#""Count":3"#,
        3 => r#""Duration":"25s""#,
        _ => r#""Count":0"#,
    };
    let (budget, _) = budget(kind, which);
    let comma = if budget.is_empty() { "" } else { "," };
    let updating = format!("{{{proof}{comma}{budget}}}");
    let text = format!(
        r#"{{"Instance":{{"Plugin":"p","Properties":{note}}},"Allocation":{allocation},"Updating":{updating}}}"#
    );
    // Sizes here are smaller than some of the budgets; what contradicts itself is cut down.
    Spec::decode(Some(&Any::parse(&text).expect("valid JSON"))).expect("a valid spec")
}
