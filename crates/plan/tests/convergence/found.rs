//! Histories that once led the planner astray, found by the properties.

use infrakit_spi::flavor::Health;
use proptest::sample::Index;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::world::{Kind, Op, Pick, Shape, World};

/// Four like members that are rolled two at a time, with a surge of three.
const FOUR_IN_BATCHES: Shape = Shape {
    kind: Kind::Cattle,
    size: 4,
    proof: 0,
    budget: 4,
    own: false,
    in_process: false,
};

/// The first instance there is: proptest's indices can only be generated.
fn first() -> Pick {
    let tree = proptest::arbitrary::any::<Index>().new_tree(&mut TestRunner::deterministic());
    let mut tree = tree.expect("an index is always generated");
    while tree.simplify() {}
    Pick(tree.current())
}

/// One that is chosen where these are: its position, and of how many.
fn chosen(places: &[(usize, usize)]) -> Pick {
    let mut runner = TestRunner::deterministic();
    loop {
        let tree = proptest::arbitrary::any::<Index>().new_tree(&mut runner);
        let index = tree.expect("an index is always generated").current();
        if places.iter().all(|(at, of)| index.index(*of) == *at) {
            return Pick(index);
        }
    }
}

fn settles(shape: Shape, ops: impl IntoIterator<Item = Op>) {
    settles_on(shape, ops, Vec::new());
}

/// As [`settles`], where the plugins behave as `tape` says.
fn settles_on(shape: Shape, ops: impl IntoIterator<Item = Op>, tape: Vec<u8>) {
    let mut world = World::new(shape, tape);
    for op in ops {
        world.apply(op);
    }
    world.converge();
    world.stays_quiet();
}

/// The roll waited for the proof of the controller's own member, and did not say so.
#[test]
fn the_controllers_own_member_need_not_prove_itself() {
    for (kind, size, proof) in [
        (Kind::Cattle, 1, 0),
        (Kind::Pets, 0, 2),
        (Kind::Cattle, 0, 2),
    ] {
        let shape = Shape {
            kind,
            size,
            proof,
            budget: 0,
            own: true,
            in_process: false,
        };
        settles(shape, [Op::ByHand(first(), false), Op::Run(100_000)]);
        let restarted = [
            Op::Run(310_000),
            Op::Restart,
            Op::ByHand(first(), false),
            Op::Run(4904),
        ];
        settles(shape, restarted);
    }
}

/// Everything sick, and a restart on top of it.
#[test]
fn a_group_of_the_sick_recovers() {
    let shape = Shape {
        kind: Kind::Cattle,
        size: 4,
        proof: 3,
        budget: 0,
        own: false,
        in_process: true,
    };
    let turn = Op::Turn(first(), Health::Unhealthy);
    settles(
        shape,
        [
            Op::Run(60_000),
            turn,
            Op::Run(30_000),
            Op::Restart,
            turn,
            Op::Run(400_000),
        ],
    );
}

/// A rollout that paused for a member from elsewhere went on as soon as that one was asked to go, in the
/// same moment.
#[test]
fn a_rollout_that_pauses_for_a_stranger_waits_until_that_is_gone() {
    let shape = Shape {
        kind: Kind::Pets,
        size: 4,
        proof: 0,
        budget: 1,
        own: false,
        in_process: false,
    };
    let ops = [
        Op::Run(140_000),
        Op::ByHand(first(), false),
        Op::Commit(2, 1),
        Op::Run(2),
    ];
    settles(shape, ops);
}

/// Of members that were too many beside a batch, the next plan chose others than the first would have.
#[test]
fn who_is_too_many_does_not_change_with_those_that_go() {
    let tape = vec![
        0, 0, 14, 0, 12, 0, 113, 0, 5, 0, 0, 0, 0, 0, 0, 0, 253, 0, 0, 0, 0, 0, 0, 175, 0, 0, 0, 0,
        0, 0, 0, 158, 216, 158, 0, 0, 118, 216, 13, 0, 0, 56, 56, 0,
    ];
    let ops = [
        Op::Stranger,
        Op::Run(6938),
        Op::Run(21_100),
        Op::Stranger,
        Op::Delete(first()),
        Op::Delete(first()),
        Op::ByHand(first(), false),
        Op::Delete(chosen(&[(1, 2), (1, 3)])),
        Op::ByHand(first(), false),
        Op::Commit(1, 0),
        Op::Run(1962),
    ];
    settles_on(FOUR_IN_BATCHES, ops, tape);
}

/// Two that were ill were asked to go since there were too many, and the next plan rolled on.
#[test]
fn the_ill_that_go_as_surplus_let_no_rollout_on() {
    let tape = vec![
        32, 49, 0, 150, 0, 49, 0, 49, 0, 0, 0, 0, 0, 0, 0, 153, 0, 0, 0, 0, 0, 0, 52, 0, 0, 0, 0,
        6, 0, 0, 0, 0, 162, 0, 0, 0, 0, 82, 0, 0, 0, 0, 0, 0, 0, 0, 113, 0, 0, 0, 0, 15, 0, 0, 0,
        0, 96, 0, 0, 0, 0, 61, 0, 0, 0, 0, 153,
    ];
    let ops = [
        Op::Run(115_251),
        Op::Turn(chosen(&[(2, 4)]), Health::Unhealthy),
        Op::Turn(chosen(&[(1, 4)]), Health::Unhealthy),
        Op::ByHand(first(), false),
        Op::Delete(first()),
        Op::Run(100_000),
        Op::Commit(1, 0),
    ];
    settles_on(FOUR_IN_BATCHES, ops, tape);
}
