//! Renders Go templates.
