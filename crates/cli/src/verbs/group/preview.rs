//! What a commit would do, for people: what changes, who goes and comes in which waves, how long.

use infrakit_spi::Any;
use infrakit_spi::rollout::{Change, Comer, Leaver, Preview, Wave};

/// Members that are listed one a line in a wave; of more, the first ones and how many others.
const LISTED: usize = 10;

/// The same in a plan of more than [`MANY`] members.
const FEW: usize = 3;

/// Members that go and come, together, beyond which a plan is told in short.
const MANY: usize = 80;

/// Waves that are told one by one; of more, equal neighbours are told together, as are all in a
/// plan of many members.
const WAVES: usize = 12;

/// Longest value of a field that is shown whole, in characters.
const LONGEST: usize = 60;

/// Returns the plan in lines. `commit` is the command that carries it out, but for the plan.
pub(super) fn lines(preview: &Preview, commit: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if !preview.changes.is_empty() {
        lines.push("What changes in the specification:".to_owned());
        lines.extend(preview.changes.iter().map(change));
    }
    lines.extend(waves(&preview.waves));
    match &preview.duration {
        Some(duration) if preview.basis.is_empty() => {
            lines.push(format!("It is expected to take {duration}."));
        }
        Some(duration) => {
            lines.push(format!(
                "It is expected to take {duration}, going by {}.",
                preview.basis
            ));
        }
        None if preview.waves.is_empty() => {}
        None if preview.basis.is_empty() => {
            lines.push("How long it takes is not known: nothing was measured yet.".to_owned());
        }
        None => lines.push(format!(
            "How long it takes is not known: {}.",
            preview.basis
        )),
    }
    lines.extend(preview.notes.iter().map(|note| format!("Note: {note}")));
    if !preview.plan.is_empty() {
        lines.push(format!(
            "This is plan {}. To have this or nothing: `{commit} --plan {}`",
            preview.plan, preview.plan
        ));
    }
    lines
}

fn change(change: &Change) -> String {
    let path = &change.path;
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            let (before, after) = (shown(before), shown(after));
            format!("  ~ {path}: {before} -> {after}")
        }
        (None, Some(after)) => format!("  + {path}: {}", shown(after)),
        (Some(before), None) => format!("  - {path}: {}", shown(before)),
        (None, None) => format!("  ~ {path}"),
    }
}

fn shown(value: &Any) -> String {
    let text = value.as_str();
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let begin: String = text.chars().take(LONGEST - 1).collect();
    format!("{begin}…")
}

fn waves(waves: &[Wave]) -> Vec<String> {
    let members = waves.iter().map(|wave| wave.go.len() + wave.come.len());
    let many = members.sum::<usize>() > MANY;
    let listed = if many { FEW } else { LISTED };
    if waves.len() <= WAVES && !many {
        return waves
            .iter()
            .enumerate()
            .flat_map(|(at, wave)| one(at + 1, wave, listed))
            .collect();
    }
    let mut lines = Vec::new();
    let mut rest = waves;
    while let Some(first) = rest.first() {
        let alike = rest.iter().take_while(|wave| same(wave, first)).count();
        let (run, others) = rest.split_at(alike);
        let at = waves.len() - rest.len() + 1;
        match run {
            [only] => lines.extend(one(at, only, listed)),
            run => lines.extend(several(at, run, listed)),
        }
        rest = others;
    }
    lines
}

/// Returns whether two waves differ only in who goes and comes.
fn same(a: &Wave, b: &Wave) -> bool {
    (a.go.len(), a.come.len(), &a.then) == (b.go.len(), b.come.len(), &b.then)
}

fn one(number: usize, wave: &Wave, most: usize) -> Vec<String> {
    let mut lines = vec![format!(
        "Wave {number}{}: {}",
        timing(wave),
        counts(wave.go.len(), wave.come.len())
    )];
    lines.extend(listed(wave.go.iter().map(leaver), most));
    lines.extend(listed(comers(&wave.come).into_iter(), most));
    lines.extend(then(wave));
    lines
}

fn several(number: usize, run: &[Wave], most: usize) -> Vec<String> {
    let last = number + run.len() - 1;
    let (Some(first), Some(end)) = (run.first(), run.last()) else {
        return Vec::new();
    };
    let timing = match (first.starts, end.starts) {
        (Some(first), Some(end)) => format!(" (begin at {first} to {end})"),
        _ => String::new(),
    };
    let mut lines = vec![format!(
        "Waves {number} to {last}{timing}: in each, {}",
        counts(first.go.len(), first.come.len())
    )];
    let go: Vec<&Leaver> = run.iter().flat_map(|wave| &wave.go).collect();
    lines.extend(listed(go.into_iter().map(leaver), most));
    let come: Vec<Comer> = run.iter().flat_map(|wave| wave.come.clone()).collect();
    lines.extend(listed(comers(&come).into_iter(), most));
    lines.extend(then(first));
    lines
}

fn timing(wave: &Wave) -> String {
    match (wave.starts, wave.takes) {
        (Some(starts), Some(takes)) => format!(" (at {starts}, takes {takes})"),
        (Some(starts), None) => format!(" (at {starts})"),
        (None, Some(takes)) => format!(" (takes {takes})"),
        (None, None) => String::new(),
    }
}

fn counts(go: usize, come: usize) -> String {
    let verb = |count: usize, one: &str, many: &str| {
        let word = if count == 1 { one } else { many };
        format!("{count} {word}")
    };
    match (go, come) {
        (go, 0) => verb(go, "goes", "go"),
        (0, come) => verb(come, "comes", "come"),
        (go, come) => format!(
            "{}, {}",
            verb(go, "goes", "go"),
            verb(come, "comes", "come")
        ),
    }
}

fn leaver(leaver: &Leaver) -> String {
    let logical = leaver
        .logical_id
        .as_ref()
        .map(|id| format!(" ({id})"))
        .unwrap_or_default();
    format!("  - {}{logical}  {}", leaver.id, leaver.reason)
}

/// Returns a line for each pet, and one for all cattle of a configuration.
fn comers(come: &[Comer]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut cattle: Vec<(&str, usize)> = Vec::new();
    for comer in come {
        let hash = comer.hash.as_str();
        match &comer.logical_id {
            Some(id) => lines.push(format!("  + {id}  {hash}")),
            None => match cattle.iter_mut().find(|(known, _)| *known == hash) {
                Some((_, count)) => *count += 1,
                None => cattle.push((hash, 1)),
            },
        }
    }
    lines.extend(
        cattle
            .iter()
            .map(|(hash, count)| format!("  + {count} new  {hash}")),
    );
    lines
}

fn listed(lines: impl ExactSizeIterator<Item = String>, most: usize) -> Vec<String> {
    let count = lines.len();
    let shown = if count > most + 1 { most } else { count };
    let mut lines: Vec<String> = lines.take(shown).collect();
    if count > shown {
        lines.push(format!(
            "    and {} more; `-o json` lists them",
            count - shown
        ));
    }
    lines
}

fn then(wave: &Wave) -> Option<String> {
    (!wave.then.is_empty()).then(|| format!("  then: {}", wave.then))
}
