//! The show with a person: a live table above, a line to type on below.

use std::collections::BTreeSet;
use std::io::BufRead as _;
use std::time::Duration;

use tokio::sync::mpsc;

use super::stage::{GROUP, Sight, Stage};
use crate::context::Context;
use crate::error::{CommandError, Result, did_you_mean};

/// How often to look.
const LOOK: Duration = Duration::from_millis(50);
/// Rows of the table; the rest is counted.
const ROWS: usize = 10;
/// First row of the screen that belongs to the person: below the table and its two headings.
const BELOW: usize = ROWS + 4;

/// What a person can type.
const COMMANDS: [(&str, &str); 7] = [
    ("kill", "remove the file of one instance"),
    ("kill N", "remove the files of N instances"),
    ("kill ID", "remove the file of that instance"),
    ("scale N", "change the size of the group"),
    (
        "roll",
        "commit a new version: every instance is replaced, one at a time",
    ),
    ("help", "this list"),
    ("quit", "end the show"),
];

/// Runs the show.
pub(super) async fn run(context: &Context, stage: &Stage) -> Result {
    let mut act = Act {
        context,
        stage,
        version: 1,
        before: Sight::default(),
        drawn: false,
    };
    if context.out.terminal {
        // The table stands still above; what is typed and said scrolls below it.
        context
            .out
            .text(format!("\x1b[2J\x1b[{BELOW};r\x1b[{BELOW};1H"))?;
    }
    act.introduce()?;
    let details = stage.commit(act.version, 5, false).await?;
    act.say(&format!("Committed {GROUP}: {details}"))?;
    act.explain()?;
    let mut lines = typed();
    let mut tick = tokio::time::interval(LOOK);
    let mut open = true;
    loop {
        tokio::select! {
            _ = tick.tick() => act.look().await?,
            line = lines.recv(), if open => match line {
                Some(line) => if act.obey(&line).await? { return Ok(()) },
                // Without a person at the keyboard the show goes on until a signal ends it, unless
                // nobody could be watching either.
                None if context.out.terminal => return Ok(()),
                None => open = false,
            },
        }
    }
}

/// Gives the terminal back as it was.
pub(super) fn leave(context: &Context) {
    if context.out.terminal {
        // The show is over; a terminal that is gone needs no repair.
        let _ = context.out.text("\x1b[r\x1b[999;1H\n");
        let _ = context.out.flush();
    }
}

/// Reads the keyboard on a thread of its own: a read cannot be given up.
fn typed() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

struct Act<'a> {
    context: &'a Context,
    stage: &'a Stage,
    version: u32,
    before: Sight,
    drawn: bool,
}

impl Act<'_> {
    fn say(&self, text: &str) -> Result {
        self.context.out.line(text)?;
        self.context.out.flush()
    }

    fn introduce(&self) -> Result {
        let home = self.stage.home().display();
        self.say(&format!(
            "Each instance of the group is a file in {}",
            self.stage.instances().display()
        ))?;
        self.say("Remove one there, or type `kill` here, and watch.")?;
        self.say("From another terminal:")?;
        self.say(&format!("  export INFRAKIT_HOME={home}"))?;
        self.say("  infrakit group describe cattle --watch")
    }

    fn explain(&self) -> Result {
        for (command, what) in COMMANDS {
            self.say(&format!("  {command:<8} {what}"))?;
        }
        self.prompt()
    }

    fn prompt(&self) -> Result {
        if self.context.out.terminal {
            self.context.out.text("> ")?;
            self.context.out.flush()?;
        }
        Ok(())
    }

    /// Does what was typed; true ends the show.
    async fn obey(&mut self, line: &str) -> Result<bool> {
        let mut words = line.split_whitespace();
        let (word, argument) = (words.next(), words.next());
        let done = match (word, argument) {
            (None, _) => Ok(()),
            (Some("quit" | "exit" | "q"), _) => return Ok(true),
            (Some("help" | "?"), _) => {
                self.explain()?;
                return Ok(false);
            }
            (Some("kill"), victim) => self.kill(victim).await,
            (Some("scale"), size) => self.scale(size).await,
            (Some("roll"), _) => self.roll().await,
            (Some(other), _) => {
                let words = ["kill", "scale", "roll", "help", "quit"];
                let hint = did_you_mean(other, words).unwrap_or_else(|| "type `help`".to_owned());
                self.say(&format!(
                    "There is no `{}` here; {hint}",
                    other.escape_debug()
                ))
            }
        };
        // A mistake at the keyboard does not end the show.
        if let Err(error) = done {
            self.say(error.message())?;
        }
        self.prompt()?;
        Ok(false)
    }

    async fn kill(&mut self, victim: Option<&str>) -> Result {
        let members = self.stage.look().await?.members;
        let victims: Vec<String> = match victim.map(|text| (text, text.parse::<usize>())) {
            Some((id, Err(_))) => vec![id.to_owned()],
            Some((_, Ok(count))) => members
                .iter()
                .take(count)
                .map(|member| member.id.clone())
                .collect(),
            None => members
                .first()
                .map(|member| member.id.clone())
                .into_iter()
                .collect(),
        };
        if victims.is_empty() {
            return Err(CommandError::user("There is nothing to kill"));
        }
        for victim in victims {
            self.stage.kill(&victim)?;
            self.say(&format!("Removed {victim}"))?;
        }
        Ok(())
    }

    async fn scale(&self, size: Option<&str>) -> Result {
        let size = size
            .and_then(|size| size.parse::<u16>().ok())
            .ok_or_else(|| CommandError::user("To which size? Like `scale 8`"))?;
        self.stage.scale(size.into()).await?;
        self.say(&format!("Scaled to {size}"))
    }

    async fn roll(&mut self) -> Result {
        self.version += 1;
        let details = self
            .stage
            .commit(self.version, self.before.members.len().max(1), false)
            .await?;
        self.say(&format!("Committed {GROUP}: {details}"))
    }

    /// Looks, and shows what is new.
    async fn look(&mut self) -> Result {
        let now = self.stage.look().await?;
        if self.drawn && now == self.before {
            return Ok(());
        }
        if self.context.out.terminal {
            self.draw(&now)?;
        } else {
            for line in changes(&self.before, &now) {
                self.say(&line)?;
            }
        }
        self.before = now;
        self.drawn = true;
        Ok(())
    }

    /// Draws the table above, leaving the cursor where the person types.
    fn draw(&self, now: &Sight) -> Result {
        let old: BTreeSet<&str> = self
            .before
            .members
            .iter()
            .map(|member| member.id.as_str())
            .collect();
        let (green, bold, reset) = if self.context.out.color {
            ("\x1b[32m", "\x1b[1m", "\x1b[0m")
        } else {
            ("", "", "")
        };
        let state = if now.converged {
            "as specified"
        } else {
            "at work"
        };
        let mut text = format!(
            "\x1b7\x1b[H\x1b[K{bold}Group {GROUP}: {} instances, {state}{reset}\n\x1b[K{:<32}VERSION\n",
            now.members.len(),
            "ID"
        );
        for row in 0..ROWS {
            text.push_str("\x1b[K");
            if let Some(member) = now.members.get(row) {
                let new = self.drawn && !old.contains(member.id.as_str());
                let (paint, mark) = if new { (green, "  new") } else { ("", "") };
                text.push_str(&format!(
                    "{paint}{:<32}{}{mark}{reset}",
                    member.id, member.hash
                ));
            }
            text.push('\n');
        }
        let more = now.members.len().saturating_sub(ROWS);
        if more > 0 {
            text.push_str(&format!("\x1b[K… and {more} more"));
        } else {
            text.push_str("\x1b[K");
        }
        text.push_str("\x1b8");
        self.context.out.text(&text)?;
        self.context.out.flush()
    }
}

/// Returns what came and went between two looks.
fn changes(before: &Sight, now: &Sight) -> Vec<String> {
    let ids = |sight: &Sight| -> BTreeSet<String> {
        sight
            .members
            .iter()
            .map(|member| member.id.clone())
            .collect()
    };
    let (old, new) = (ids(before), ids(now));
    let mut lines: Vec<String> = old.difference(&new).map(|id| format!("- {id}")).collect();
    lines.extend(new.difference(&old).map(|id| format!("+ {id}")));
    if now.converged && (!before.converged || !lines.is_empty()) {
        lines.push(format!(
            "Group {GROUP} at {} instances, as specified",
            now.members.len()
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::stage::Member;
    use super::*;

    fn sight(ids: &[&str], converged: bool) -> Sight {
        let member = |id: &&str| Member {
            id: (*id).to_owned(),
            hash: "h".to_owned(),
        };
        Sight {
            members: ids.iter().map(member).collect(),
            converged,
        }
    }

    #[test]
    fn a_pipe_is_told_what_came_and_went() {
        assert_eq!(
            changes(&sight(&["a", "b"], false), &sight(&["b", "c"], true)),
            ["- a", "+ c", "Group cattle at 2 instances, as specified"]
        );
        assert!(changes(&sight(&["a"], true), &sight(&["a"], true)).is_empty());
    }
}
