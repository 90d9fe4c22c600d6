//! Histories that once led the planner astray, found by the properties.
