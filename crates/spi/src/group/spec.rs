//! What is asked of a group.

use crate::{Any, GroupId, wire_struct};

wire_struct! {
    /// A group as its operator specified it.
    #[derive(PartialEq)]
    pub struct GroupSpec {
        /// Id of the group.
        pub id: GroupId => "ID",
        /// The controller's own schema.
        pub properties: Option<Any> => "Properties",
    }
}
