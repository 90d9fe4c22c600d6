//! What people ask of the group.

use infrakit_spi::rollout::Hold;

use super::{Bench, GROUP};

impl Bench {
    /// Destroys it.
    pub(crate) fn destroy(&mut self) {
        self.core.destroy(&GROUP.into()).unwrap();
    }

    /// Names the record of a group that is new.
    pub(super) fn nonce(&self) -> String {
        match self.freed {
            0 => "nonce".to_owned(),
            freed => format!("nonce{freed}"),
        }
    }

    /// Frees it.
    pub(crate) fn free(&mut self) {
        self.core.free(&GROUP.into(), self.now).unwrap();
        self.settle();
        self.freed += 1;
        assert!(!self.core.knows(&GROUP.into()));
    }

    /// Holds a member, or releases it.
    pub(crate) fn hold(&mut self, id: &str, hold: Hold) {
        self.core.hold(&GROUP.into(), &id.into(), hold).unwrap();
        self.settle();
    }

    /// Gives it another size.
    pub(crate) fn scale(&mut self, size: i64) {
        self.core.set_size(&GROUP.into(), size, self.now).unwrap();
        self.settle();
    }
}
