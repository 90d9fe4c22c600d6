//! Observes, plans, journals, acts.
