//! The simulator on the command line: replays a seed, or soaks for years.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use infrakit_sim::faults::CATALOGUE;
use infrakit_sim::invariants;
use infrakit_sim::scenario::{Extent, Outcome, Scale, Scenario, ours};
use infrakit_sim::shrink::shrink;
use infrakit_sim::trace::{Clock, DAWN, Tells, news};

const DAY: f64 = 86_400e9;
const YEAR: f64 = 365.25 * DAY;

/// Simulates clusters under the engine's real logic, and judges every step.
///
/// A seed is a whole history: plugins, groups, what people ask, what fails and when. The same seed
/// gives the same history, bit by bit; its hash is printed.
#[derive(Parser)]
#[command(name = "infrakit-sim", after_help = EXAMPLES)]
struct Arguments {
    /// Replay the history of this seed and tell it
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Tell routine too: every list and every check
    #[arg(long, requires = "seed")]
    all: bool,
    /// Tell the history as it is when it fails, without looking for a smaller one
    #[arg(long, requires = "seed")]
    whole: bool,
    /// Simulate so many cluster-years, seed after seed, and stop at the first that fails
    #[arg(long, value_name = "N")]
    years: Option<f64>,
    /// Simulate so many seeds, and count which promises are broken
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// First seed of a soak
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    from: u64,
    /// How many seeds to simulate at once; as many as there are processors where it is not said
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// How much is to happen in one history
    #[arg(long, value_enum, default_value_t = Kind::Real)]
    world: Kind,
    /// Name every seed that fails, one a line, and sums, for programs
    #[arg(long)]
    report: bool,
    /// Take out each guard of the core, and say which promise that breaks
    #[cfg(debug_assertions)]
    #[arg(long)]
    guards: bool,
    /// List the faults that can strike and the promises that are held
    #[arg(long)]
    catalogue: bool,
}

const EXAMPLES: &str = "\
Examples:
  infrakit-sim --seeds 1500            play the first 1,500 histories
  infrakit-sim --years 10 --jobs 2     soak for ten cluster-years on two cores
  infrakit-sim --seed 42               tell the history of seed 42; if it breaks a promise, the
                                       smallest history found that breaks the same one
  infrakit-sim --seed 42 --all         the same, with every list and every check
  infrakit-sim --catalogue             what can go wrong, and what must not

The exit code is 0 when every promise was kept, and 1 otherwise.";

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// One group, one hour, on plugins that answer within seconds
    Small,
    /// A few groups, five days, on plugins that answer within seconds
    Days,
    /// A few groups, most of them small, on providers as they really are
    Real,
    /// Up to twenty groups of up to 300 members on up to six such providers
    Large,
    /// As the real one, with providers at the edge of what they may, and people who change their minds
    Edge,
}

impl Kind {
    fn draw(self, seed: u64) -> Scenario {
        match self {
            Self::Small => Scenario::draw(seed, Extent::Small),
            Self::Days => Scenario::draw(seed, Extent::Days),
            Self::Real => Scenario::draw_real(seed, Scale::Usual),
            Self::Large => Scenario::draw_real(seed, Scale::Large),
            Self::Edge => Scenario::draw_real(seed, Scale::Edge),
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    #[cfg(debug_assertions)]
    if arguments.guards {
        return guards();
    }
    let kept = if arguments.catalogue {
        catalogue();
        true
    } else if let Some(seed) = arguments.seed {
        replay(seed, &arguments)
    } else if let Some(years) = arguments.years {
        soak(&arguments, years * YEAR, u64::MAX)
    } else if let Some(seeds) = arguments.seeds {
        soak(&arguments, f64::INFINITY, seeds)
    } else {
        use clap::CommandFactory as _;
        // There is nothing to do when even the help cannot be printed.
        let _ = Arguments::command().print_help();
        true
    };
    if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Tells by which history each guard is missed, as a table.
#[cfg(debug_assertions)]
fn guards() -> ExitCode {
    use infrakit_plan::guards::Guard;
    use infrakit_sim::guards;
    let mut unmissed = 0;
    println!("| guard | world | seed | promise that is broken |\n| --- | --- | --- | --- |");
    for guard in Guard::ALL {
        match guards::first(guard) {
            Some(missed) => println!(
                "| {guard:?} | `{}` | {} | {} |",
                missed.world, missed.seed, missed.promise
            ),
            None => {
                unmissed += 1;
                println!("| {guard:?} | | | none within {} |", guards::MOST);
            }
        }
    }
    if unmissed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn catalogue() {
    println!("Faults, and how often they strike at most in 1000 opportunities:");
    for fault in CATALOGUE {
        println!("  {:<22}{:>4}", fault.name, fault.most);
    }
    println!("Promises:");
    for invariant in invariants::ALL {
        println!("  {}", invariant.name());
    }
    for name in invariants::OF_THE_WORLD {
        println!("  {name}");
    }
}

/// Tells a seed. Returns whether it keeps all promises.
fn replay(seed: u64, arguments: &Arguments) -> bool {
    let scenario = arguments.world.draw(seed);
    let outcome = scenario.run(ours(), Tells::Story);
    let kept = outcome.breaches.is_empty();
    if kept || arguments.whole {
        tell(&outcome, arguments.all);
        return kept;
    }
    println!("seed {seed} fails: {}", outcome.breaches[0]);
    println!("looking for the smallest history that fails in the same way …");
    let Some(small) = shrink(&scenario, 600) else {
        println!("it does not fail again: that is a fault of the simulator");
        return false;
    };
    println!(
        "{} deeds and {} strikes are left of {} and {}, after {} runs",
        small.scenario.deeds.len(),
        small.outcome.struck.len(),
        scenario.deeds.len(),
        outcome.struck.len(),
        small.runs,
    );
    tell(&small.outcome, arguments.all);
    false
}

fn tell(outcome: &Outcome, all: bool) {
    if all {
        for line in &outcome.story {
            println!("{}", line.text);
        }
    } else {
        println!("{}", news(&outcome.story));
    }
    for breach in &outcome.breaches {
        println!("broken: {breach}");
    }
    let counts = outcome.counts;
    println!(
        "{} events, {} creations, {} destructions, {} crashes, {} strikes in {}; hash {:016x}",
        counts.events,
        counts.creates,
        counts.destroys,
        counts.crashes,
        outcome.struck.len(),
        Clock(DAWN + outcome.lasted),
        outcome.hash,
    );
}

/// Simulates seed after seed. Returns whether all kept all promises.
fn soak(arguments: &Arguments, nanos: f64, seeds: u64) -> bool {
    let begun = Instant::now();
    let world = arguments.world;
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from.saturating_add(seeds);
    let stop = AtomicU64::new(0);
    let (send, receive) = mpsc::channel::<(u64, Outcome)>();
    let mut sum = Sum::default();
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = arguments.jobs.unwrap_or_else(processors);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (send, next, stop) = (send.clone(), &next, &stop);
            scope.spawn(move || {
                while stop.load(Ordering::Relaxed) == 0 {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        break;
                    }
                    let outcome = world.draw(seed).run(ours(), Tells::Hash);
                    if send.send((seed, outcome)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        for (seed, outcome) in receive {
            sum.take_in(seed, &outcome);
            if sum.runs.is_multiple_of(500) && !arguments.report {
                sum.report(begun);
            }
            let enough = sum.lasted >= nanos;
            let failed = seeds == u64::MAX && !sum.failed.is_empty();
            if enough || failed {
                stop.store(1, Ordering::Relaxed);
            }
        }
    });
    if arguments.report {
        sum.list();
        return sum.failed.is_empty();
    }
    sum.report(begun);
    for (name, seeds) in &sum.failed {
        let some: Vec<String> = seeds.iter().take(8).map(u64::to_string).collect();
        println!(
            "{name}: broken by {} seeds: {} …",
            seeds.len(),
            some.join(", ")
        );
    }
    if let Some(seed) = sum.failed.values().flatten().min() {
        println!("tell it with: infrakit-sim --seed {seed}");
    }
    sum.failed.is_empty()
}

/// What a soak has come to.
#[derive(Default)]
struct Sum {
    runs: u64,
    lasted: f64,
    events: u64,
    strikes: u64,
    crashes: u64,
    failed: std::collections::BTreeMap<&'static str, Vec<u64>>,
}

impl Sum {
    fn take_in(&mut self, seed: u64, outcome: &Outcome) {
        self.runs += 1;
        self.lasted += outcome.lasted as f64;
        self.events += outcome.counts.events;
        self.strikes += outcome.struck.len() as u64;
        self.crashes += outcome.counts.crashes;
        if let Some(breach) = outcome.breaches.first() {
            self.failed.entry(breach.invariant).or_default().push(seed);
        }
    }

    fn list(&self) {
        for (name, seeds) in &self.failed {
            for seed in seeds {
                println!("failed {seed} {name}");
            }
        }
        let Self {
            runs,
            lasted,
            events,
            strikes,
            crashes,
            ..
        } = self;
        let days = lasted / DAY;
        println!("sum {runs} {days:.3} {events} {strikes} {crashes}");
    }

    fn report(&self, begun: Instant) {
        let took = begun.elapsed().as_secs_f64();
        let days = self.lasted / DAY;
        println!(
            "{} histories, {:.1} cluster-years, {} events, {} strikes, {} crashes, {took:.0} s, \
             {:.0} cluster-days/s",
            self.runs,
            self.lasted / YEAR,
            self.events,
            self.strikes,
            self.crashes,
            days / took,
        );
    }
}
