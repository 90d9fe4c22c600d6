//! Gives memory that was freed back to the system.
//!
//! The allocator of glibc keeps what was freed below anything that is still in use, so a process that
//! once had a million members stays as large as it was then. Other C libraries give memory back by
//! themselves.

/// Gives pages that are free back to the system. It walks the whole heap, in milliseconds, and
/// whoever allocates meanwhile may have to wait for it.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "the C library is called directly")]
    // SAFETY: `malloc_trim` takes no pointer, changes nothing that is in use, and locks each arena
    // against other threads (malloc_trim(3): MT-Safe).
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    /// Memory of this process that is in use, in bytes.
    fn resident() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").expect("it is always there");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .expect("it names what is resident");
        let kibibytes = line.trim().trim_end_matches(" kB").parse::<usize>();
        kibibytes.expect("a number") << 10
    }

    #[test]
    fn what_is_free_between_things_in_use_is_given_back() {
        const PIECES: usize = 64 << 10;
        const PIECE: usize = 1 << 10;
        let mut pieces: Vec<Vec<u8>> = (0..PIECES).map(|_| vec![1; PIECE]).collect();
        let before = resident();
        // The last stays, and everything below it is free.
        pieces.drain(..PIECES - 1);
        give_back();
        let freed = before.saturating_sub(resident());
        assert!(freed > PIECES * PIECE / 2, "{freed} bytes");
        assert_eq!(pieces.len(), 1);
    }
}
