//! From any reachable state the planner brings the group to its specification once faults stop,
//! breaks no invariant on the way, and then does nothing but look.

mod found;
mod world;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;

use infrakit_spi::flavor::Health;
use world::{Kind, Op, Pick, Shape, World};

fn verdict() -> impl Strategy<Value = Health> {
    prop_oneof![
        Just(Health::Healthy),
        Just(Health::Unknown),
        Just(Health::Unhealthy)
    ]
}

fn pick() -> impl Strategy<Value = Pick> {
    any::<Index>().prop_map(Pick)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => (1_u64..40_000).prop_map(Op::Run),
        2 => (100_000_u64..900_000).prop_map(Op::Run),
        2 => pick().prop_map(Op::Delete),
        3 => (pick(), verdict()).prop_map(|(which, health)| Op::Turn(which, health)),
        2 => Just(Op::Restart),
        2 => (0_u64..7, 0_u8..3).prop_map(|(size, config)| Op::Commit(size, config)),
        1 => (pick(), any::<bool>()).prop_map(|(which, old)| Op::ByHand(which, old)),
        1 => Just(Op::Stranger),
        1 => pick().prop_map(Op::Doom),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    (
        prop_oneof![2 => Just(Kind::Cattle), 1 => Just(Kind::Pets)],
        0_u64..7,
        0_u8..4,
        0_u8..8,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(kind, size, proof, budget, own, in_process)| Shape {
            kind,
            size,
            proof,
            budget,
            own,
            in_process,
        })
}

/// How the plugins behave, call by call; when it is used up, they behave.
fn tape() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..120)
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn converges_from_anything(
        shape in shape(),
        ops in prop::collection::vec(op(), 0..24),
        tape in tape(),
    ) {
        let mut world = World::new(shape, tape);
        for op in ops {
            world.apply(op);
        }
        world.converge();
        world.stays_quiet();
    }

    #[test]
    fn a_destroyed_group_goes_whole(
        shape in shape(),
        ops in prop::collection::vec(op(), 0..12),
        tape in tape(),
    ) {
        let mut world = World::new(shape, tape);
        for op in ops {
            world.apply(op);
        }
        world.destroy_group();
    }
}
