//! Keeps records: revisions, compare-and-set, crash safety.
