//! A flavor of init lines, tags, attachments, checks and drains.
