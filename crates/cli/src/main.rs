//! The `infrakit` program.

mod app;
mod cmd;
mod compose;
mod context;
mod dynamic;
mod error;
mod fixed;
mod input;
mod machine;
mod names;
mod out;
mod overrides;
mod progress;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod usage;
mod verbs;
mod view;
mod words;

fn main() -> std::process::ExitCode {
    app::main()
}
