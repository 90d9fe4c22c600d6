//! Commands about rollouts that make no sense are refused in one line, and change nothing.

use infrakit_tests::refusal::Kept;
use infrakit_tests::{Home, fleet};

#[test]
fn commands_about_rollouts_that_make_no_sense_are_refused() {
    let home = Home::new();
    let kept = Kept::new(&home);
    home.write(
        "good.json",
        &fleet::cattle("good", "file", 2, 2).to_string(),
    );
    for (line, clue) in [
        ("group rollout status nobody", "nobody"),
        ("group rollout pause nobody", "nobody"),
        ("group rollout resume nobody", "nobody"),
        ("group rollout approve good", "approv"),
        ("group rollout abort good", "roll"),
        ("group rollout history nobody", "nobody"),
        ("group rollout rollback good --to 99", "99"),
        ("group rollout rollback good --to -1", "-1"),
        ("group rollout rollback good", "good"),
        ("group rollout restart good", "restart"),
        ("group hold good nothing", "nothing"),
        ("group hold good", "which member"),
        ("group release good nothing", "nothing"),
        ("group why nobody", "nobody"),
        ("group why good nothing", "nothing"),
        ("group commit good.json --plan nonsense", "nonsense"),
        ("group describe nobody --conditions", "nobody"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        kept.refused(&words, clue);
    }
    kept.untouched_after_a_restart();
}
