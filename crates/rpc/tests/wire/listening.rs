//! Who owns a name: the living keep it, the dead lose it, and of two at once one wins.

use std::fs::{read_to_string, symlink_metadata, write};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Barrier};

use infrakit_rpc::{Address, Directory, ListenError, bind, bind_tcp};

fn mode(path: &Path) -> u32 {
    symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".lock")
        .collect();
    names.sort();
    names
}

#[test]
fn socket_and_pid_come_and_go_together() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("a/plugins");
    let bound = bind(&directory, "foo/sub").unwrap();
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join("foo")), 0o600);
    assert_eq!(mode(&directory.join("foo.pid")), 0o644);
    let pid = std::process::id().to_string();
    assert_eq!(read_to_string(directory.join("foo.pid")).unwrap(), pid);
    assert_eq!(bound.address(), &Address::Unix(directory.join("foo")));
    assert_eq!(names(&directory), ["foo", "foo.pid"]);
    bound.close();
    assert!(names(&directory).is_empty());
}

#[test]
fn the_living_keep_their_name() {
    let home = tempfile::tempdir().unwrap();
    let _bound = bind(home.path(), "foo").unwrap();
    let error = bind(home.path(), "foo").unwrap_err().to_string();
    let (socket, pid) = (home.path().join("foo"), std::process::id());
    let want = format!(
        "plugin foo is already running at {} (pid {pid}): ",
        socket.display()
    );
    assert!(error.starts_with(&want), "{error}");
    assert!(bind_tcp(home.path(), "foo", "127.0.0.1:0", "localhost:1").is_err());
    assert!(socket.exists() && home.path().join("foo.pid").exists());
}

#[test]
fn the_dead_lose_theirs() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path();
    drop(UnixListener::bind(path.join("foo")).unwrap());
    write(path.join("foo.pid"), "1").unwrap();
    let unused = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    write(path.join("foo.listen"), format!("tcp://{unused}")).unwrap();
    let bound = bind(path, "foo").unwrap();
    assert_eq!(names(path), ["foo", "foo.pid"]);
    assert_eq!(
        read_to_string(path.join("foo.pid")).unwrap(),
        std::process::id().to_string()
    );
    drop(bound);
    write(path.join("bar.pid"), "1").unwrap();
    bind(path, "bar").unwrap();
}

#[test]
fn what_is_no_socket_is_not_removed() {
    let home = tempfile::tempdir().unwrap();
    write(home.path().join("foo"), "precious").unwrap();
    let error = bind(home.path(), "foo").unwrap_err();
    assert!(matches!(error, ListenError::InTheWay { .. }), "{error}");
    assert_eq!(read_to_string(home.path().join("foo")).unwrap(), "precious");
}

#[test]
fn of_two_at_once_one_wins() {
    for _ in 0..30 {
        let home = tempfile::tempdir().unwrap();
        drop(UnixListener::bind(home.path().join("foo")).unwrap());
        let barrier = Arc::new(Barrier::new(8));
        let starters: Vec<_> = (0..8)
            .map(|_| {
                let (path, barrier) = (home.path().to_owned(), Arc::clone(&barrier));
                std::thread::spawn(move || {
                    barrier.wait();
                    bind(&path, "foo")
                })
            })
            .collect();
        let results: Vec<_> = starters
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        assert!(
            symlink_metadata(home.path().join("foo"))
                .unwrap()
                .file_type()
                .is_socket()
        );
    }
}

#[test]
fn a_successor_keeps_its_files() {
    let home = tempfile::tempdir().unwrap();
    let first = bind(home.path(), "foo").unwrap();
    // Somebody cleans up by hand and starts another one.
    std::fs::remove_file(home.path().join("foo")).unwrap();
    std::fs::remove_file(home.path().join("foo.pid")).unwrap();
    let _second = bind(home.path(), "foo").unwrap();
    drop(first);
    assert_eq!(names(home.path()), ["foo", "foo.pid"]);
}

#[test]
fn tcp_plugins_write_where_they_are() {
    let home = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let bound = bind_tcp(home.path(), "foo", &port.to_string(), &port.to_string()).unwrap();
    let text = read_to_string(home.path().join("foo.listen")).unwrap();
    assert_eq!(text, format!("tcp://{port}"));
    let found = Directory::new(home.path()).find(&"foo".into()).unwrap();
    assert_eq!(found, Address::Tcp(port.to_string()));
    assert!(matches!(
        bind(home.path(), "foo"),
        Err(ListenError::Taken { .. })
    ));
    bound.close();
    assert!(names(home.path()).is_empty());
}

#[test]
fn impossible_names_are_refused_in_one_line() {
    let home = tempfile::tempdir().unwrap();
    let long = "x".repeat(300);
    for name in ["", ".", "..", "a b", "a\nb", "foo.pid", "foo.listen", &long] {
        let error = bind(home.path(), name).unwrap_err().to_string();
        assert!(error.len() < 200 && !error.contains('\n'), "{error}");
    }
    let error = bind(&home.path().join("d".repeat(100)), "foo").unwrap_err();
    assert!(matches!(error, ListenError::TooLong { .. }), "{error}");
    assert!(names(home.path()).is_empty());
    write(home.path().join("file"), "").unwrap();
    let error = bind(&home.path().join("file"), "foo")
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("failed to create directory "), "{error}");
}
