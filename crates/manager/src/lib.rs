//! Leads: loads specs, runs controllers, serves the manager's names.
