//! What rendering costs: a template of 5,000 lines that includes others 200 times.
//!
//! `cargo run --release -p infrakit-template --example render_cost`

#![expect(clippy::unwrap_used, reason = "it is run by hand")]
#![expect(clippy::print_stdout, reason = "it reports")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use infrakit_template::{Access, Engine, FileAccess, Source, Vars};

const LINES: usize = 5000;
const INCLUDES: usize = 200;
const ROUNDS: usize = 50;

fn main() {
    let home = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for line in 0..LINES {
        if line % (LINES / INCLUDES) == 0 {
            let part = line / (LINES / INCLUDES) % 20;
            writeln!(
                text,
                "{{{{ include `part{part}.tmpl` (dict `n` {line}) }}}}"
            )
            .unwrap();
        } else {
            writeln!(
                text,
                "  key{line}: {{{{ .name | upper | quote }}}} {{{{ add {line} .size }}}}"
            )
            .unwrap();
        }
    }
    for part in 0..20 {
        let text = "{{ range $i, $z := list `a` `b` `c` }}\n- {{ $z }}-{{ $.n }}{{ if eq $i 1 }} # second{{ end }}{{ end }}\n".repeat(3);
        std::fs::write(home.path().join(format!("part{part}.tmpl")), text).unwrap();
    }
    let path = home.path().join("main.tmpl");
    std::fs::write(&path, &text).unwrap();
    let access = Access::none().with_files(FileAccess::Anywhere);
    let engine = Engine::new().with_access(&access);
    let context = serde_json::json!({"name": "web", "size": 3});
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let source = Source::load(path.to_str().unwrap(), &access).unwrap();
            let out = engine
                .render_source(&source, &context, &Vars::new())
                .unwrap();
            assert!(out.lines().count() > LINES);
            start.elapsed()
        })
        .collect();
    times.sort();
    println!(
        "{LINES} lines, {INCLUDES} includes: fastest {:.1} ms, median {:.1} ms, slowest {:.1} ms of {ROUNDS}",
        times[0].as_secs_f64() * 1e3,
        times[ROUNDS / 2].as_secs_f64() * 1e3,
        times[ROUNDS - 1].as_secs_f64() * 1e3
    );
}
