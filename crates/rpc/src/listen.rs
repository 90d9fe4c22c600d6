//! Becoming findable: a socket or a `.listen` file in the directory, with a pid file beside it.
//!
//! What a dead process left behind is replaced; what belongs to a live one is never touched.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _,
    PermissionsExt as _,
};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use infrakit_spi::{InvalidName, PluginName};
use rustix::fs::Mode;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::discovery::{Address, LISTEN};
use crate::server::{Listener, Plugin, serve};

/// Longest path of a unix socket on Linux, in bytes.
const LONGEST: usize = 107;

/// Connections that may wait to be accepted. A burst of calls must not be turned away.
const BACKLOG: i32 = 1024;

/// Time to find out whether somebody answers on the port of a `.listen` file.
const PROBE: Duration = Duration::from_secs(1);

/// Held while a starter looks and binds, so that of two at once exactly one wins.
const LOCK: &str = ".lock";

/// Why a plugin cannot be found under a name.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The name cannot be used.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The path does not fit into the address of a socket.
    #[error(
        "socket path {} is {} bytes long, {LONGEST} are possible: use a shorter directory or name",
        .path.display(), .path.as_os_str().len()
    )]
    TooLong {
        /// The path.
        path: PathBuf,
    },
    /// A live plugin has the name.
    #[error(
        "plugin {name} is already running at {address}{}: stop it first, or choose another name or directory",
        .pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
    )]
    Taken {
        /// Name of the plugin.
        name: String,
        /// Where it answers.
        address: String,
        /// Its process, where that is known.
        pid: Option<u32>,
    },
    /// Something else is where the socket would be.
    #[error("{} is in the way: it is no socket, and not replaced", .path.display())]
    InTheWay {
        /// The path.
        path: PathBuf,
    },
    /// The system refused.
    #[error("failed to {operation} {}", .path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

/// Returns a mapping of a failure of `operation` on `path`.
fn failed<E: Into<io::Error>>(
    operation: &'static str,
    path: &Path,
) -> impl FnOnce(E) -> ListenError {
    let path = path.to_owned();
    move |source| ListenError::Io {
        operation,
        path,
        source: source.into(),
    }
}

/// A plugin that can be found. The files disappear with it, unless they are somebody else's by then.
#[derive(Debug)]
pub struct Bound {
    listener: Option<Listener>,
    address: Address,
    files: Vec<Mine>,
}

/// A file that was made here, known by more than its name.
#[derive(Debug)]
struct Mine {
    path: PathBuf,
    identity: (u64, u64),
    /// Keeps the file's number from being given to another one while this one is remembered: a
    /// successor's file could bear it otherwise, and be taken for ours.
    _held: Option<OwnedFd>,
}

impl Mine {
    fn new(path: PathBuf) -> Result<Self, ListenError> {
        let found = path.symlink_metadata().map_err(failed("look at", &path))?;
        Ok(Self {
            identity: identity(&found),
            _held: hold(&path),
            path,
        })
    }

    fn remove(&self) {
        let unchanged = |found: &Metadata| identity(found) == self.identity;
        if self
            .path
            .symlink_metadata()
            .is_ok_and(|found| unchanged(&found))
        {
            std::fs::remove_file(&self.path).ok();
        }
    }
}

/// Opens a file, of whatever kind, for nothing but to have it.
#[cfg(target_os = "linux")]
fn hold(path: &Path) -> Option<OwnedFd> {
    use rustix::fs::{OFlags, open};
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    open(path, flags, Mode::empty()).ok()
}

/// Other systems cannot open a socket for that; the number alone has to do.
#[cfg(not(target_os = "linux"))]
fn hold(_path: &Path) -> Option<OwnedFd> {
    None
}

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

impl Bound {
    /// Returns where the plugin answers.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Serves a plugin until `shutdown` resolves, then removes the files.
    ///
    /// # Errors
    /// Returns why the listener cannot be used.
    pub async fn serve(
        mut self,
        plugin: Arc<Plugin>,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        match self.listener.take() {
            Some(listener) => serve(listener, plugin, shutdown).await,
            None => Ok(()),
        }
    }

    /// Takes the listener, to be served elsewhere; the files stay for as long as this value.
    pub fn take_listener(&mut self) -> Option<Listener> {
        self.listener.take()
    }

    /// Stops listening and removes the files.
    pub fn close(self) {}
}

impl Drop for Bound {
    fn drop(&mut self) {
        // Under the lock, so that a successor is not between its look and its bind.
        let lock = self
            .files
            .first()
            .and_then(|mine| lock(mine.path.parent()?).ok());
        for mine in self.files.drain(..) {
            mine.remove();
        }
        drop(lock);
    }
}

/// Listens on a unix socket in `directory`, for the owner only.
///
/// # Errors
/// Says who has the name, or what the system refused.
pub fn bind(directory: &Path, name: &str) -> Result<Bound, ListenError> {
    let name = check(name)?;
    let socket = directory.join(name.lookup());
    if socket.as_os_str().len() > LONGEST {
        return Err(ListenError::TooLong { path: socket });
    }
    let lock = enter(directory, &name)?;
    let listener = listen(&socket).map_err(failed("listen on", &socket))?;
    let mut bound = Bound {
        listener: Some(listener.into()),
        address: Address::Unix(socket.clone()),
        files: vec![Mine::new(socket)?],
    };
    let pid = write_pid(directory, &name);
    // Before `?`: what is made so far removes itself under the same lock.
    drop(lock);
    bound.files.push(pid?);
    Ok(bound)
}

/// Listens on a TCP port and says so in `directory`: `advertise` is the `host:port` to be called.
///
/// # Errors
/// Says who has the name, or what the system refused.
pub fn bind_tcp(
    directory: &Path,
    name: &str,
    listen: &str,
    advertise: &str,
) -> Result<Bound, ListenError> {
    let name = check(name)?;
    let lock = enter(directory, &name)?;
    let file = directory.join(format!("{}{LISTEN}", name.lookup()));
    let listener = TcpListener::bind(listen).map_err(failed("listen on", Path::new(listen)))?;
    let address = Address::Tcp(advertise.to_owned());
    write(&file, &address.to_string())?;
    let mut bound = Bound {
        listener: Some(listener.into()),
        address,
        files: vec![Mine::new(file)?],
    };
    let pid = write_pid(directory, &name);
    // Before `?`: what is made so far removes itself under the same lock.
    drop(lock);
    bound.files.push(pid?);
    Ok(bound)
}

fn check(name: &str) -> Result<PluginName, ListenError> {
    let name = PluginName::new(name);
    name.check()?;
    Ok(name)
}

/// Makes the directory, locks it, and clears the name of what the dead left behind.
fn enter(directory: &Path, name: &PluginName) -> Result<File, ListenError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(failed("create directory", directory))?;
    let name = name.lookup();
    let socket = directory.join(name);
    outlive(&socket);
    let lock = lock(directory).map_err(failed("lock directory", directory))?;
    let pid_file = directory.join(format!("{name}.pid"));
    let pid = || std::fs::read_to_string(&pid_file).ok()?.trim().parse().ok();
    let taken = |address: String| ListenError::Taken {
        name: name.to_owned(),
        address,
        pid: pid(),
    };

    let stale_socket = match socket.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(failed("look at", &socket)(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(ListenError::InTheWay { path: socket });
        }
        Ok(_) if is_live(&socket).map_err(failed("connect to", &socket))? => {
            return Err(taken(socket.display().to_string()));
        }
        Ok(_) => true,
    };
    let listen_file = directory.join(format!("{name}{LISTEN}"));
    if let Ok(address) = std::fs::read_to_string(&listen_file)
        && answers(&address)
    {
        return Err(taken(address));
    }
    for (stale, path) in [
        (stale_socket, &socket),
        (true, &listen_file),
        (true, &pid_file),
    ] {
        match std::fs::remove_file(path) {
            Err(error) if stale && error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove stale", path)(error));
            }
            _ => {}
        }
    }
    Ok(lock)
}

fn lock(directory: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    let file = options.open(directory.join(LOCK))?;
    file.lock()?;
    Ok(file)
}

/// Waits a moment for a socket to fall silent. The sockets of a process that was just killed answer
/// until the kernel has taken it apart, which takes some milliseconds; whoever is started in its
/// place must not take it for alive.
fn outlive(socket: &Path) {
    for _ in 0..10 {
        if !matches!(is_live(socket), Ok(true)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Returns whether somebody listens on a socket. A full queue is a sign of life.
fn is_live(path: &Path) -> io::Result<bool> {
    use rustix::io::Errno;
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    match rustix::net::connect(&socket, &SocketAddrUnix::new(path)?) {
        Ok(()) | Err(Errno::AGAIN | Errno::INPROGRESS) => Ok(true),
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Returns whether somebody answers at the address in a `.listen` file.
fn answers(text: &str) -> bool {
    let (Ok(Address::Tcp(authority)) | Ok(Address::Http { authority, .. })) = text.parse() else {
        return false;
    };
    let Ok(mut addresses) = authority.to_socket_addrs() else {
        return false;
    };
    addresses.any(|address| TcpStream::connect_timeout(&address, PROBE).is_ok())
}

/// Listens on a socket that nobody but its owner could ever connect to: on Linux the mode that a
/// socket has before it is bound becomes the mode of its file.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    // For systems where that is not so.
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

fn write_pid(directory: &Path, name: &PluginName) -> Result<Mine, ListenError> {
    let path = directory.join(format!("{}.pid", name.lookup()));
    write(&path, &std::process::id().to_string())?;
    Mine::new(path)
}

fn write(path: &Path, text: &str) -> Result<(), ListenError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true).mode(0o644);
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(failed("write", path))
}
