//! The `infrakit` program.

mod app;
mod cmd;
mod compose;
mod context;
mod dynamic;
mod error;
mod input;
mod names;
mod out;
mod overrides;
mod progress;
mod settings;
mod target;
#[cfg(test)]
mod tests;
mod verbs;
mod view;

fn main() -> std::process::ExitCode {
    app::main()
}
