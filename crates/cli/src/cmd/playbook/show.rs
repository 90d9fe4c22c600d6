//! `infrakit playbook show`: where a playbook is from, what it holds, and whether that is still so.

use std::sync::Arc;

use clap::Args;
use infrakit_playbook::{
    Changes, Definition, Flag, Kept, Locked, Node, Place, Playbook, Player, Tree,
};
use serde_json::{Value, json};

use super::home::{self, shelf};
use crate::context::Context;
use crate::error::{Result, one_line};
use crate::out::{Format, OutputArgs};

/// Show a playbook: its source, its commands with their flags, and its files
///
/// Says whether its content is still the one that was locked. A playbook that has changed is shown
/// as it was locked as far as that is possible, and nothing of it is run.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  infrakit playbook show web\n  infrakit playbook show web -o json"
)]
pub(super) struct ShowArgs {
    /// Name of the playbook
    name: String,
    #[command(flatten)]
    output: OutputArgs,
}

/// A command for the list.
struct Listed {
    path: String,
    about: String,
    definition: Definition,
}

/// Shows one.
pub(super) fn show(context: &Context, args: &ShowArgs) -> Result {
    let shelf = shelf(context)?;
    let built_in = home::built_in_place(&args.name);
    let kept = match shelf.kept(&args.name) {
        Ok(kept) => Some(kept),
        Err(_) if built_in.is_some() => None,
        Err(error) => return Err(error.into()),
    };
    let mut changes = Changes::default();
    if let Some(kept) = &kept
        && let Some(locked) = &kept.locked
    {
        let root = Place::stored(&kept.entry.source).map_err(infrakit_playbook::Error::from)?;
        changes = shelf.compare(&root, &kept.entry, locked)?.1;
    }
    let commands = if changes.is_empty() {
        all(&home::open(context, &args.name)?)
    } else {
        Vec::new()
    };
    // It may have been locked just now.
    let kept = shelf.kept(&args.name).ok().or(kept);
    let source = kept.as_ref().map_or_else(
        || built_in.map_or_else(String::new, |place| place.to_string()),
        |kept| kept.entry.source.clone(),
    );
    match args.output.format() {
        Format::Table => print(context, &source, kept.as_ref(), &changes, &commands),
        format => {
            let document = document(&source, kept.as_ref(), &changes, &commands);
            context.out.document(&document, format)
        }
    }
}

/// Returns all commands of a playbook.
fn all(playbook: &Playbook) -> Vec<Listed> {
    let tree = playbook.tree();
    let player = Player::new(playbook, None, Arc::new(|_| {}));
    let mut found = Vec::new();
    if let Ok(node) = tree.first() {
        collect(&tree, &player, node, &mut found);
    }
    found
}

fn collect(tree: &Tree<'_>, player: &Player<'_>, node: Node, found: &mut Vec<Listed>) {
    match node {
        Node::Command(command) => found.push(Listed {
            path: command.words[1..].join(" "),
            about: infrakit_playbook::description(&command.text).unwrap_or_default(),
            definition: player.define(&command),
        }),
        Node::Index(index) => {
            for word in index.commands.keys() {
                match tree.below(&index, word) {
                    Ok(below) => collect(tree, player, below, found),
                    Err(error) => found.push(Listed {
                        path: format!("{} {word}", index.words[1..].join(" "))
                            .trim()
                            .to_owned(),
                        about: error.to_string(),
                        definition: Definition::default(),
                    }),
                }
            }
        }
    }
}

fn state(kept: Option<&Kept>, changes: &Changes) -> String {
    match kept.map(|kept| &kept.locked) {
        None => "part of this program".to_owned(),
        Some(None) => "not locked; it will be when it is used first".to_owned(),
        Some(Some(_)) if changes.is_empty() => "as it was locked".to_owned(),
        Some(Some(_)) => format!("NOT as it was locked, nothing of it is run ({changes})"),
    }
}

fn allowed(locked: &Locked) -> String {
    let remote = Place::stored(&locked.source)
        .is_ok_and(|place| place.origin() == infrakit_playbook::Origin::Remote);
    if !remote {
        return "everything, it is on this machine".to_owned();
    }
    let names: Vec<&str> = locked.allow.iter().map(|grant| grant.name()).collect();
    if names.is_empty() {
        "nothing but its own server".to_owned()
    } else {
        names.join(", ")
    }
}

fn print(
    context: &Context,
    source: &str,
    kept: Option<&Kept>,
    changes: &Changes,
    commands: &[Listed],
) -> Result {
    let out = &context.out;
    out.line(format!("Source:  {source}"))?;
    let locked = kept.and_then(|kept| kept.locked.as_ref());
    if let Some(kept) = kept
        && !kept.entry.cache.is_empty()
    {
        out.line(format!("Cache:   {}", kept.entry.cache))?;
    }
    out.line(format!("Content: {}", one_line(&state(kept, changes))))?;
    if let Some(locked) = locked {
        out.line(format!("Allowed: {}", allowed(locked)))?;
        if let Some(signed) = &locked.signed {
            out.line(format!(
                "Signed:  {}, from root {}",
                signed.repository, signed.root_sha256
            ))?;
        }
    }
    if !commands.is_empty() {
        out.line("Commands:")?;
    }
    for command in commands {
        let backend = command
            .definition
            .directive
            .as_ref()
            .map_or("-", |directive| directive.backend.name());
        let path = if command.path.is_empty() {
            "(itself)"
        } else {
            &command.path
        };
        let line = format!("  {path} ({backend}) {}", one_line(&command.about));
        out.line(line.trim_end())?;
        for flag in &command.definition.flags {
            out.line(format!("    {}", one_line(&line_of(flag))))?;
        }
    }
    if let Some(locked) = locked {
        out.line("Files:")?;
        for (key, file) in &locked.files {
            out.line(format!("  {}  {}", file.sha256, one_line(key)))?;
        }
        for key in &locked.missing {
            out.line(format!("  {:64}  {}", "not there", one_line(key)))?;
        }
    }
    Ok(())
}

fn line_of(flag: &Flag) -> String {
    let default = flag
        .default
        .as_ref()
        .map(ToString::to_string)
        .filter(|default| !default.is_empty())
        .map_or_else(String::new, |default| format!(" [default: {default}]"));
    format!(
        "--{} {}  {}{default}",
        flag.name,
        flag.kind.word(),
        flag.about
    )
}

fn document(source: &str, kept: Option<&Kept>, changes: &Changes, commands: &[Listed]) -> Value {
    let commands: Vec<Value> = commands
        .iter()
        .map(|command| {
            let flags: Vec<Value> = command
                .definition
                .flags
                .iter()
                .map(|flag| {
                    json!({
                        "Name": flag.name,
                        "Type": flag.kind.word(),
                        "Description": flag.about,
                        "Default": flag.default.as_ref().map(ToString::to_string),
                    })
                })
                .collect();
            json!({
                "Command": command.path,
                "Description": command.about,
                "Backend": command.definition.directive.as_ref().map(|it| it.backend.name()),
                "Flags": flags,
            })
        })
        .collect();
    let locked = kept.and_then(|kept| kept.locked.as_ref());
    let files: serde_json::Map<String, Value> = locked
        .iter()
        .flat_map(|locked| &locked.files)
        .map(|(key, file)| (key.clone(), file.sha256.clone().into()))
        .collect();
    json!({
        "Source": source,
        "Cache": kept.map(|kept| kept.entry.cache.as_str()).unwrap_or_default(),
        "Locked": locked.is_some(),
        "Matches": changes.is_empty(),
        "Changes": {
            "Changed": changes.changed,
            "New": changes.added,
            "Gone": changes.removed,
        },
        "Allow": locked.map(|locked| locked.allow.iter().map(|grant| grant.name()).collect::<Vec<_>>()),
        "Signed": locked.and_then(|locked| locked.signed.as_ref()).map(|signed| signed.root_sha256.as_str()),
        "Commands": commands,
        "Files": files,
    })
}
