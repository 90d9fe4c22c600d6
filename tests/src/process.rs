//! Ending what was started, with all that it started itself.

use std::process::Child;

use rustix::process::{Pid, Signal, kill_process_group};

/// Kills a child that leads a process group, and the group.
pub(crate) fn kill_group(child: &Child) {
    let _ = kill_process_group(pid(child), Signal::KILL);
}

/// The id of a child.
pub(crate) fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}
