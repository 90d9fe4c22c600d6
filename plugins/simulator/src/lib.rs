//! Simulated instances with delays and failures on demand.
