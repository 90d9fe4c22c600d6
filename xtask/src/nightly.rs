//! Fresh histories, night after night: each is played once, what fails is played for ever.
//!
//! The table in docs/nightly.md says how far each world has come and what it came to; a run goes on
//! from there. Seeds that break a promise are added to crates/sim/tests/seeds.txt.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::step::{Failed, Line, root, step};

/// Worlds that can be played, each with histories that a minute is enough for by far.
const WORLDS: [(&str, u64); 5] = [
    ("real", 100),
    ("edge", 100),
    ("large", 10),
    ("days", 100),
    ("small", 200),
];

/// The properties of the planner: it comes to rest from anything, and plans nothing twice.
const CONVERGENCE: &str = "convergence";
/// Cases of each property that are tried with one seed: five minutes on a slow core.
const CASES: u64 = 4_000;

/// First seed of a world that was never played here; those below are played by the tests, or were
/// while the simulator was written.
const FIRST: u64 = 10_000_000;

/// What a world has come to: the columns of its row.
#[derive(Default)]
struct Row {
    histories: u64,
    days: f64,
    events: u64,
    strikes: u64,
    deaths: u64,
    failed: u64,
    next: u64,
}

/// Plays fresh histories of the world that `arguments` name, for so many minutes; or takes out each
/// guard of the core, which has to break a promise.
pub(crate) fn nightly(arguments: &[&str]) -> Result<(), Failed> {
    if arguments == ["guards"] {
        Line::new("cargo build --quiet --locked -p infrakit-sim").step("build")?;
        return Line::new("target/debug/infrakit-sim --guards").step("guards");
    }
    let usage = "cargo xtask nightly guards, or nightly AREA [--minutes N], where the area is \
                 convergence or a world: real|edge|large|days|small";
    let (world, batch, minutes) = step("area", usage, || read(arguments))?;
    if world == CONVERGENCE {
        return convergence(batch, minutes);
    }
    Line::new("cargo build --quiet --locked -p infrakit-sim").step("build")?;
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    let mut rows = rows();
    let position = rows.iter().position(|(name, _)| *name == world);
    let position = position.unwrap_or_else(|| {
        rows.push((world.to_owned(), Row::default()));
        rows.len() - 1
    });
    let before = rows[position].1.failed;
    while Instant::now() < end {
        let row = &mut rows[position].1;
        let from = row.next.max(FIRST);
        let what = format!("{world}: seeds {from} to {}", from + batch - 1);
        let repeat =
            format!("target/debug/infrakit-sim --world {world} --seeds {batch} --from {from}");
        let found = step(&what, &repeat, || play(world, batch, from, row))?;
        for line in &found {
            println!("    {line}");
        }
        step("keep", "look at docs/nightly.md", || keep(&found, &rows))?;
    }
    let failed = rows[position].1.failed - before;
    if failed == 0 {
        return Ok(());
    }
    println!("    {failed} seeds fail; they are in crates/sim/tests/seeds.txt");
    Err(Failed)
}

fn read<'a>(arguments: &[&'a str]) -> Result<(&'a str, u64, u64), String> {
    let (area, minutes) = match arguments {
        [area] => (*area, "10"),
        [area, "--minutes", minutes] => (*area, *minutes),
        _ => return Err("which area?".to_owned()),
    };
    let minutes = minutes
        .parse()
        .map_err(|_| "`--minutes` needs a number".to_owned())?;
    let mut areas = WORLDS.iter().chain([&(CONVERGENCE, CASES)]);
    let known = areas.find(|(name, _)| *name == area);
    let (_, batch) = known.ok_or_else(|| format!("there is no area `{area}`"))?;
    Ok((area, *batch, minutes))
}

/// Tries the planner's properties with fresh cases for so many minutes, and stops at the first that fails:
/// what it comes down to belongs into crates/plan/tests/convergence/found.rs.
fn convergence(cases: u64, minutes: u64) -> Result<(), Failed> {
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    while Instant::now() < end {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let seed = since.unwrap_or_default().as_secs();
        let tests = "cargo test --release --locked -p infrakit-plan --test convergence";
        let line = Line::new(tests)
            .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
            .env("PROPTEST_CASES", cases.to_string())
            .env("PROPTEST_RNG_SEED", seed.to_string());
        line.step(&format!("convergence: {cases} cases of seed {seed}"))?;
    }
    Ok(())
}

/// Plays a batch, adds it to the sums, and returns the lines of what failed.
fn play(world: &str, batch: u64, from: u64, row: &mut Row) -> Result<Vec<String>, String> {
    let output = Command::new(root().join("target/debug/infrakit-sim"))
        .args(["--report", "--jobs", "2", "--world", world])
        .args(["--seeds", &batch.to_string(), "--from", &from.to_string()])
        .output()
        .map_err(|error| format!("cannot run the simulator: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut found = Vec::new();
    let mut whole = false;
    for line in text.lines() {
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        match words.as_slice() {
            ["failed", seed, promise] => found.push(format!("{world} {seed} {promise}")),
            ["sum", histories, rest] => {
                row.histories += histories.parse().unwrap_or(0);
                let mut rest = rest.split(' ');
                let mut next = || rest.next().unwrap_or_default();
                row.days += next().parse().unwrap_or(0.0);
                row.events += next().parse().unwrap_or(0);
                row.strikes += next().parse().unwrap_or(0);
                row.deaths += next().parse().unwrap_or(0);
                whole = true;
            }
            _ => {}
        }
    }
    if !whole {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    row.failed += found.len() as u64;
    row.next = from + batch;
    Ok(found)
}

fn page() -> PathBuf {
    root().join("docs/nightly.md")
}

/// Returns the rows of the table, by world.
fn rows() -> Vec<(String, Row)> {
    let text = fs::read_to_string(page()).unwrap_or_default();
    let cells = |line: &str| -> Vec<String> {
        let cells = line.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().replace(',', "")).collect()
    };
    let known = |name: &str| WORLDS.iter().any(|(world, _)| *world == name);
    text.lines()
        .map(cells)
        .filter(|cells| cells.len() == 8 && known(&cells[0]))
        .map(|cells| {
            let number = |at: usize| cells[at].parse().unwrap_or(0);
            let row = Row {
                histories: number(1),
                days: cells[2].parse().unwrap_or(0.0),
                events: number(3),
                strikes: number(4),
                deaths: number(5),
                failed: number(6),
                next: number(7),
            };
            (cells[0].clone(), row)
        })
        .collect()
}

/// Writes the table, and adds what failed to the fixed seeds.
fn keep(found: &[String], rows: &[(String, Row)]) -> Result<(), String> {
    let seeds = root().join("crates/sim/tests/seeds.txt");
    let mut fixed = fs::read_to_string(&seeds).map_err(|error| error.to_string())?;
    for line in found {
        fixed.push_str(line);
        fixed.push('\n');
    }
    fs::write(&seeds, fixed).map_err(|error| error.to_string())?;
    let text = fs::read_to_string(page()).map_err(|error| error.to_string())?;
    let head = text.lines().take_while(|line| !line.starts_with("| ---"));
    let mut text: String = head.map(|line| format!("{line}\n")).collect();
    text.push_str("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (world, row) in rows {
        let Row {
            histories,
            days,
            events,
            strikes,
            deaths,
            failed,
            next,
        } = row;
        text.push_str(&format!(
            "| {world} | {histories} | {days:.1} | {events} | {strikes} | {deaths} | {failed} | {next} |\n"
        ));
    }
    fs::write(page(), text).map_err(|error| error.to_string())
}
