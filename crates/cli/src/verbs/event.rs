//! Verbs of plugins with events.

use clap::{Args, Subcommand};
use futures_util::StreamExt as _;
use infrakit_spi::event::Event;
use serde_json::Value;

use super::tree::{self, Tree, TreeArgs};
use super::verb::{Verb, verb};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::out::{Format, OutputArgs};
use crate::target::Target;
use crate::view::View;

/// Returns the verbs.
pub(super) fn verbs() -> Vec<Verb> {
    vec![
        verb!("topics", TopicsArgs, topics),
        verb!("tail", TailArgs, tail),
        verb!("event", EventArgs, event),
    ]
}

/// List the topics of the object
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit time/streams topics -a")]
pub(crate) struct TopicsArgs {
    /// Topics to list below
    #[arg(value_name = "TOPIC")]
    topics: Vec<String>,
    #[command(flatten)]
    tree: TreeArgs,
}

/// Print events as they come
///
/// A topic that ends in `/` stands for all below it. Stops when the plugin does, or on Ctrl-C.
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit time/streams tail sec/1 -n 3")]
pub(crate) struct TailArgs {
    /// Topics; without any, all
    #[arg(value_name = "TOPIC")]
    topics: Vec<String>,
    #[command(flatten)]
    pub(crate) print: PrintArgs,
}

/// How events are printed.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct PrintArgs {
    /// Template over the event: .Topic .Type .ID .Timestamp .Data .Message
    #[arg(long, visible_alias = "url", value_name = "TEMPLATE")]
    view: Option<String>,
    /// Stop after so many events
    #[arg(short = 'n', long, value_name = "COUNT")]
    count: Option<u64>,
    #[command(flatten)]
    output: OutputArgs,
}

/// Use the events of the object
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  infrakit group event ls\n  infrakit group event tail")]
struct EventArgs {
    #[command(subcommand)]
    command: EventCommand,
}

#[derive(Subcommand, Debug)]
enum EventCommand {
    Ls(TopicsArgs),
    Tail(TailArgs),
}

async fn event(context: &Context, target: &Target, args: EventArgs) -> Result {
    match args.command {
        EventCommand::Ls(args) => topics(context, target, args).await,
        EventCommand::Tail(args) => tail(context, target, args).await,
    }
}

async fn topics(context: &Context, target: &Target, args: TopicsArgs) -> Result {
    let paths = if args.topics.is_empty() {
        vec![String::new()]
    } else {
        args.topics
    };
    for path in &paths {
        let names = tree::list(target, Tree::Topics, path, &args.tree, "").await?;
        tree::print(context, &args.tree, &names)?;
    }
    Ok(())
}

async fn tail(context: &Context, target: &Target, args: TailArgs) -> Result {
    let topics = if args.topics.is_empty() {
        vec![String::new()]
    } else {
        args.topics
    };
    let topics: Vec<String> = topics
        .iter()
        .map(|topic| tree::topic(target, topic))
        .collect();
    follow(context, &[(target.clone(), topics)], &args.print).await
}

/// Prints the events of several topics of several plugins as they come.
pub(crate) async fn follow(
    context: &Context,
    sources: &[(Target, Vec<String>)],
    args: &PrintArgs,
) -> Result {
    let mut streams = Vec::new();
    for (target, topics) in sources {
        for topic in topics {
            let stream = target.client().events(topic).await.map_err(|error| {
                CommandError::remote(format!(
                    "plugin `{}` sends no events: {error}",
                    target.socket()
                ))
            })?;
            streams.push(stream);
        }
    }
    let mut events = futures_util::stream::select_all(streams);
    let view = args.view.as_deref().map(View::new);
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 {
        let Some(event) = events.next().await else {
            return Err(CommandError::remote(
                "the plugin closed the stream of events",
            ));
        };
        print(context, &event?, view.as_ref(), args)?;
        context.out.flush()?;
        left -= 1;
    }
    Ok(())
}

fn print(context: &Context, event: &Event, view: Option<&View<'_>>, args: &PrintArgs) -> Result {
    if let Some(view) = view {
        let value = serde_json::to_value(event)
            .map_err(|error| CommandError::remote(format!("an event makes no sense: {error}")))?;
        return context.out.line(view.render(&value)?);
    }
    if let Some(format @ (Format::Json | Format::Yaml)) = args.output.asked() {
        return context.out.document(event, format);
    }
    let data = event
        .data
        .as_ref()
        .map_or(Value::Null, |data| data.to_value().unwrap_or(Value::Null));
    let data = match data {
        Value::Null => String::new(),
        data => format!("  {data}"),
    };
    let message = if event.message.is_empty() {
        String::new()
    } else {
        format!("  {}", event.message)
    };
    let line = format!(
        "{}  {}  {}{message}{data}",
        event.timestamp, event.topic, event.id
    );
    context.out.line(&*crate::out::table::printable(&line))
}
