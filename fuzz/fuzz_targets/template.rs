//! Any text as a template: parsed, checked and rendered under small limits, with both pairs of
//! delimiters. It may fail, and nothing else.

#![no_main]

use std::time::Duration;

use infrakit_template::{Access, Engine, Limits, UnsetVar, Vars};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let context = serde_json::json!({
        "name": "bob", "list": ["a", "b", 3], "map": {"a": 1, "b": {"c": [1.5, null, true]}}, "num": 3, "nul": null
    });
    let limits = Limits {
        time: Duration::from_secs(2),
        depth: 4,
        output: 64 * 1024,
        fetches: 8,
        fetch_bytes: 4096,
    };
    let access = Access::none().with_env([("HOME".to_owned(), "/h".to_owned())].into());
    let engine = Engine::new()
        .with_access(&access)
        .with_limits(limits)
        .with_clock(|| 1_600_000_000)
        .with_unset_var(UnsetVar::Keep);
    for engine in [engine.clone(), engine.with_delimiters("=%", "%=")] {
        let checked = engine.check(text, "fuzz");
        let vars = Vars::new();
        let rendered = engine.render(text, "fuzz", &context, &vars);
        // What is no template cannot be rendered.
        assert!(checked.is_ok() || rendered.is_err());
        if let Err(error) = rendered {
            assert!(!error.to_string().contains("panic"), "{error}");
            let _ = error.snippet();
        }
        for name in vars.names() {
            let _ = vars.get(&name);
        }
    }
});
