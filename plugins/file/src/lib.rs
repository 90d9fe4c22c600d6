//! Instances as files in a directory.
