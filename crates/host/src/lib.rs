//! Runs plugins: in process or as children.
