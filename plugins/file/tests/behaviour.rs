//! The plugin as its callers and the people at its directory see it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use futures_util::StreamExt as _;
use infrakit_plugin_file::FilePlugin;
use infrakit_spi::instance::{
    Context, Description, Detail, Fingerprint, Instance, InstanceSpec, Listing,
};
use infrakit_spi::{Any, InstanceId, Tags};

fn plugin(directory: &Path) -> FilePlugin {
    FilePlugin::new(directory.to_owned()).unwrap()
}

fn spec(json: &str) -> InstanceSpec {
    serde_json::from_str(json).unwrap()
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

async fn all(plugin: &FilePlugin) -> Vec<Description> {
    plugin
        .describe(&Tags::new(), Detail::Properties)
        .await
        .unwrap()
}

async fn ids(plugin: &FilePlugin) -> Vec<String> {
    let ids = all(plugin).await.into_iter();
    ids.map(|description| description.id.to_string()).collect()
}

async fn look(plugin: &FilePlugin, seen: Option<Fingerprint>) -> Option<Fingerprint> {
    match plugin
        .describe_since(&Tags::new(), Detail::Tags, seen)
        .await
    {
        Ok(Listing::Changed(_, now) | Listing::Part(.., now)) => Some(now.unwrap()),
        Ok(Listing::Unchanged) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Waits for one item, and then for quiet, since one change may be told several times.
async fn woken(changes: &mut Pin<Box<dyn Stream<Item = ()> + Send>>) {
    let first = tokio::time::timeout(Duration::from_secs(5), changes.next());
    first.await.expect("nobody told of the change").unwrap();
    let more = Duration::from_millis(20);
    while tokio::time::timeout(more, changes.next()).await.is_ok() {}
}

#[tokio::test]
async fn answers_as_the_original_was_recorded() {
    let home = tempfile::tempdir().unwrap();
    let plugin = plugin(home.path());
    let full = r##"{"Properties":{"Note":"x & <y>","n":1.50,"nested":{"b":[1,2]}},"Tags":{"infrakit.group":"g1","k":"v"},"Init":"#!/bin/sh\necho hi","LogicalID":"192.168.0.1","Attachments":[{"ID":"a1","Type":"ebs"}]}"##;
    let id = plugin.provision(&spec(full)).await.unwrap();
    let minimal = plugin.provision(&spec("{}")).await.unwrap();
    let number = id.as_str().strip_prefix("instance-").unwrap();
    assert!(number.parse::<i64>().unwrap() >= 0);

    let found = plugin
        .describe(&tags(&[("infrakit.group", "g1")]), Detail::Properties)
        .await
        .unwrap();
    let escaped = full.replace("x & <y>", r"x \u0026 \u003cy\u003e");
    let want = format!(
        r#"[{{"ID":"{id}","LogicalID":"192.168.0.1","Tags":{{"infrakit.group":"g1","k":"v"}},"Properties":{escaped}}}]"#
    );
    assert_eq!(serde_json::to_string(&found).unwrap(), want);
    for filter in [&[("infrakit.group", "zzz")], &[("nokey", "zzz")]] {
        let none = plugin.describe(&tags(filter), Detail::Tags).await.unwrap();
        assert_eq!(none, []);
    }

    plugin
        .label(&id, &tags(&[("k", "v2"), ("new", "n")]))
        .await
        .unwrap();
    plugin.label(&id, &Tags::new()).await.unwrap();
    let found = plugin
        .describe(&tags(&[("new", "n"), ("k", "v2")]), Detail::Properties)
        .await
        .unwrap();
    let want = want.replacen(r#""k":"v"}"#, r#""k":"v2","new":"n"}"#, 1);
    assert_eq!(serde_json::to_string(&found).unwrap(), want);

    let context = Context::default();
    plugin.destroy(&id, &context).await.unwrap();
    let path = home.path().join(id.as_str());
    let again = plugin.destroy(&id, &context).await.unwrap_err();
    assert_eq!(
        again.message(),
        format!("remove {}: no such file or directory", path.display())
    );
    let missing = InstanceId::from("nosuch");
    let error = plugin
        .label(&missing, &tags(&[("a", "b")]))
        .await
        .unwrap_err();
    let path = home.path().join("nosuch");
    assert_eq!(
        error.message(),
        format!("open {}: no such file or directory", path.display())
    );
    assert_eq!(ids(&plugin).await, [minimal.as_str()]);
}

#[tokio::test]
async fn validates_objects_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    let plugin = plugin(home.path());
    plugin.validate(None).await.unwrap();
    plugin
        .validate(Some(&Any::parse(" {\"a\":1}").unwrap()))
        .await
        .unwrap();
    for (json, kind) in [
        ("\"str\"", "string"),
        ("[1]", "array"),
        ("true", "bool"),
        ("-1", "number"),
    ] {
        let error = plugin
            .validate(Some(&Any::parse(json).unwrap()))
            .await
            .unwrap_err();
        let want = format!("json: cannot unmarshal {kind} into Go value of type file.Spec");
        assert_eq!(error.message(), want);
    }
    let example = plugin.example().unwrap();
    plugin.validate(Some(&example)).await.unwrap();
}

#[tokio::test]
async fn sees_at_once_what_a_person_does() {
    let home = tempfile::tempdir().unwrap();
    let plugin = plugin(home.path());
    let kept = plugin.provision(&spec("{}")).await.unwrap();
    let gone = plugin.provision(&spec("{}")).await.unwrap();
    assert_eq!(ids(&plugin).await.len(), 2);

    fs::remove_file(home.path().join(gone.as_str())).unwrap();
    assert_eq!(ids(&plugin).await, [kept.as_str()]);

    let path = home.path().join(kept.as_str());
    for value in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        // Same size, and many within one tick of the clock.
        fs::write(&path, format!(r#"{{"Tags":{{"edit":"{value}"}}}}"#)).unwrap();
        let list = all(&plugin).await;
        assert_eq!(list[0].tags.as_ref().unwrap()["edit"], value);
    }

    fs::write(home.path().join("other"), r#"{"LogicalID":"pet"}"#).unwrap();
    assert_eq!(ids(&plugin).await.len(), 1);
    fs::rename(home.path().join("other"), home.path().join("instance-0")).unwrap();
    let list = all(&plugin).await;
    assert_eq!(list[0].id.as_str(), "instance-0");
    assert_eq!(list[0].logical_id.as_ref().unwrap().as_str(), "pet");

    plugin
        .label(&list[0].id, &tags(&[("a", "b")]))
        .await
        .unwrap();
    fs::rename(
        home.path().join("instance-0"),
        home.path().join("instance-00"),
    )
    .unwrap();
    assert_eq!(ids(&plugin).await, ["instance-00", kept.as_str()]);
}

#[tokio::test]
async fn tells_of_changes_by_itself_and_by_others() {
    let home = tempfile::tempdir().unwrap();
    let plugin = plugin(home.path());
    let mut changes = plugin.changes().unwrap();
    let mut second = plugin.changes().unwrap();
    let id = plugin.provision(&spec("{}")).await.unwrap();
    woken(&mut changes).await;
    fs::write(home.path().join("instance-0"), "{}").unwrap();
    woken(&mut changes).await;
    assert_eq!(ids(&plugin).await.len(), 2);
    // The list reads the queue before the observer does, which must not swallow the news.
    fs::remove_file(home.path().join("instance-0")).unwrap();
    assert_eq!(ids(&plugin).await, [id.as_str()]);
    woken(&mut changes).await;
    woken(&mut second).await;
    fs::write(home.path().join("unrelated"), "{}").unwrap();
    let quiet = tokio::time::timeout(Duration::from_millis(50), changes.next()).await;
    assert!(quiet.is_err(), "woken by a file that is no instance");
}

#[tokio::test]
async fn answers_unchanged_until_something_changes() {
    let home = tempfile::tempdir().unwrap();
    let plugin = plugin(home.path());
    let id = plugin.provision(&spec("{}")).await.unwrap();
    let mut seen = look(&plugin, None).await;
    assert_eq!(look(&plugin, seen).await, None);
    let path = home.path().join(id.as_str());
    let steps: [&dyn Fn(); 3] = [
        &|| fs::write(&path, r#"{"Tags":{"a":"b"}}"#).unwrap(),
        &|| fs::write(home.path().join("instance-0"), "{}").unwrap(),
        &|| fs::remove_file(home.path().join("instance-0")).unwrap(),
    ];
    for step in steps {
        step();
        seen = look(&plugin, seen).await;
        assert!(seen.is_some(), "a change was missed");
        assert_eq!(look(&plugin, seen).await, None);
    }
    plugin.label(&id, &tags(&[("a", "c")])).await.unwrap();
    seen = look(&plugin, seen).await;
    plugin.destroy(&id, &Context::terminate()).await.unwrap();
    assert!(look(&plugin, seen).await.is_some());
    // A fingerprint of one question is none of another, and none of another plugin.
    let seen = look(&plugin, None).await;
    let filtered = tags(&[("a", "b")]);
    let listing = plugin.describe_since(&filtered, Detail::Tags, seen).await;
    assert!(matches!(listing, Ok(Listing::Changed(..))));
    let other = FilePlugin::new(home.path().to_owned()).unwrap();
    assert!(look(&other, seen).await.is_some());
}

#[tokio::test]
async fn a_vanished_directory_is_an_error_and_not_an_empty_list() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("d");
    let plugin = plugin(&directory);
    plugin.provision(&spec("{}")).await.unwrap();
    let before = ids(&plugin).await;
    let mut changes = plugin.changes().unwrap();
    fs::rename(&directory, home.path().join("e")).unwrap();
    woken(&mut changes).await;
    let want = format!("open {}: no such file or directory", directory.display());
    let error = plugin
        .describe(&Tags::new(), Detail::Tags)
        .await
        .unwrap_err();
    assert_eq!(error.message(), want);
    let error = plugin.provision(&spec("{}")).await.unwrap_err();
    assert!(
        error.message().contains("no such file or directory"),
        "{error}"
    );

    fs::rename(home.path().join("e"), &directory).unwrap();
    assert_eq!(ids(&plugin).await, before);
    fs::write(directory.join("instance-0"), "{}").unwrap();
    assert_eq!(ids(&plugin).await.len(), 2);
    // Another directory in its place, without a list in between.
    fs::rename(&directory, home.path().join("e")).unwrap();
    fs::create_dir(&directory).unwrap();
    assert_eq!(ids(&plugin).await, Vec::<String>::new());
    plugin.provision(&spec("{}")).await.unwrap();
    assert_eq!(ids(&plugin).await.len(), 1);
}

#[tokio::test]
async fn skips_what_is_no_instance_and_waits_for_what_is_being_written() {
    let home = tempfile::tempdir().unwrap();
    let plugin = plugin(home.path());
    let id = plugin.provision(&spec("{}")).await.unwrap();
    let path = home.path().join(id.as_str());
    // As a shell does it: emptied first, written next.
    fs::write(&path, "").unwrap();
    assert_eq!(ids(&plugin).await, [id.as_str()]);
    let old = SystemTime::now() - Duration::from_secs(10);
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(old).unwrap();
    assert_eq!(ids(&plugin).await, Vec::<String>::new());
    assert_eq!(ids(&plugin).await, Vec::<String>::new());
    fs::write(&path, "{}").unwrap();
    assert_eq!(ids(&plugin).await, [id.as_str()]);

    fs::create_dir(home.path().join("instance-directory")).unwrap();
    fs::write(home.path().join("outside"), "{}").unwrap();
    std::os::unix::fs::symlink("outside", home.path().join("instance-link")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        home.path().join("instance-pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    assert_eq!(ids(&plugin).await, [id.as_str()]);
}

#[tokio::test]
async fn an_id_never_leaves_the_directory() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("d");
    let plugin = plugin(&directory);
    let outside = home.path().join("instance-outside");
    fs::write(&outside, "{}").unwrap();
    fs::write(directory.join("README"), "{}").unwrap();
    let absolute = outside.to_str().unwrap().to_owned();
    let long = "x".repeat(300);
    for bad in [
        "../instance-outside",
        absolute.as_str(),
        "..",
        ".",
        "",
        "a\nb",
        "a\0b",
        "README",
        "instance-x/../../instance-outside",
        long.as_str(),
    ] {
        let id = InstanceId::from(bad);
        let context = Context::default();
        let errors = [
            plugin.destroy(&id, &context).await.unwrap_err(),
            plugin.label(&id, &tags(&[("a", "b")])).await.unwrap_err(),
        ];
        for error in errors {
            assert!(!error.message().contains('\n'), "{error}");
        }
    }
    assert_eq!(fs::read(&outside).unwrap(), b"{}");
    assert_eq!(fs::read(directory.join("README")).unwrap(), b"{}");
}

#[tokio::test]
async fn says_what_is_wrong_with_the_directory() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = FilePlugin::new(path.clone()).unwrap_err();
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
        assert!(std::error::Error::source(&error).is_some());
    }
    // What a read-only or full disk does to a write, root or not: a file cannot
    // be made, because something else is in the place of the directory.
    let directory = home.path().join("d");
    let plugin = plugin(&directory);
    fs::remove_dir(&directory).unwrap();
    fs::write(&directory, "").unwrap();
    let error = plugin.provision(&spec("{}")).await.unwrap_err();
    let text = error.message();
    assert!(
        text.starts_with("create ") && text.ends_with(": not a directory"),
        "{text}"
    );
    let error = plugin
        .describe(&Tags::new(), Detail::Tags)
        .await
        .unwrap_err();
    assert!(
        error.message().contains(directory.to_str().unwrap()),
        "{error}"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn many_at_once_neither_lose_nor_double_anything() {
    let home = tempfile::tempdir().unwrap();
    let plugin = plugin(home.path());
    let other = FilePlugin::new(home.path().to_owned()).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..400 {
        // Two plugins on one directory stand for two processes.
        let plugin = if number % 2 == 0 { &plugin } else { &other }.clone();
        tasks.spawn_blocking(move || {
            tokio::runtime::Handle::current().block_on(async {
                let id = plugin.provision(&spec("{}")).await.unwrap();
                let list = plugin.describe(&Tags::new(), Detail::Tags).await.unwrap();
                assert!(list.iter().any(|found| found.id == id), "{id} is missing");
                let number = number.to_string();
                let label = tags(&[("number", number.as_str())]);
                plugin.label(&id, &label).await.unwrap();
                let found = plugin.describe(&label, Detail::Tags).await.unwrap();
                assert_eq!(found.len(), 1);
                plugin.destroy(&id, &Context::terminate()).await.unwrap();
                let list = plugin.describe(&Tags::new(), Detail::Tags).await.unwrap();
                assert!(list.iter().all(|found| found.id != id), "{id} is back");
            });
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    for plugin in [&plugin, &other] {
        assert_eq!(ids(plugin).await, Vec::<String>::new());
    }
}

/// A list that lacks everybody is believed at once, so it has to be one.
#[tokio::test]
async fn lists_are_declared_as_proof_and_a_missing_directory_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("instances");
    let plugin = plugin(&directory);
    let declared = plugin.behaviour().await.unwrap().unwrap();
    assert_eq!(declared.check(), Ok(()));
    assert!(declared.list_is_proof() && !declared.reuses_ids());
    assert_eq!(declared.visibility(), Duration::ZERO);
    plugin.provision(&spec("{}")).await.unwrap();
    fs::remove_dir_all(&directory).unwrap();
    let listed = plugin.describe(&Tags::new(), Detail::Tags).await;
    assert!(listed.unwrap_err().message().contains("instances"));
}
