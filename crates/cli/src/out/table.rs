//! Tables: columns as wide as their content, two spaces apart, the last one without padding.

use std::borrow::Cow;
use std::io::{self, Write};

/// Whether the headings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Headings {
    /// Above the rows.
    Shown,
    /// Not at all: only rows, for scripts.
    Hidden,
}

impl Headings {
    /// Returns what the flag `-q` asks for.
    pub(crate) fn unless(quiet: bool) -> Self {
        if quiet { Self::Hidden } else { Self::Shown }
    }
}

/// Writes a table of `N` columns.
pub(crate) fn write<const N: usize>(
    out: &mut dyn Write,
    headings: [&str; N],
    shown: Headings,
    rows: &[[Cow<'_, str>; N]],
) -> io::Result<()> {
    let mut widths = match shown {
        Headings::Shown => headings.map(|heading| heading.len()),
        Headings::Hidden => [0; N],
    };
    for row in rows {
        // The last column is not padded, so that its width does not matter.
        for (width, cell) in widths.iter_mut().zip(row).take(N.saturating_sub(1)) {
            *width = (*width).max(columns(cell));
        }
    }
    let mut line = Vec::with_capacity(256);
    if shown == Headings::Shown {
        push_row(&mut line, &widths, headings.iter().copied());
        out.write_all(&line)?;
    }
    for row in rows {
        line.clear();
        push_row(&mut line, &widths, row.iter().map(|cell| &**cell));
        out.write_all(&line)?;
    }
    Ok(())
}

fn push_row<'a>(line: &mut Vec<u8>, widths: &[usize], cells: impl Iterator<Item = &'a str>) {
    for (index, (cell, width)) in cells.zip(widths).enumerate() {
        if index > 0 {
            line.extend_from_slice(b"  ");
        }
        let cell = printable(cell);
        line.extend_from_slice(cell.as_bytes());
        if index + 1 < widths.len() {
            let used = columns(&cell);
            line.extend(std::iter::repeat_n(b' ', width.saturating_sub(used)));
        }
    }
    while line.last() == Some(&b' ') {
        line.pop();
    }
    line.push(b'\n');
}

/// Returns how many columns `text` takes, one a character.
fn columns(text: &str) -> usize {
    if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_control()) {
        text.len()
    } else {
        printable(text).chars().count()
    }
}

/// Returns `text` without anything that would break the row or drive the terminal.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table<const N: usize>(headings: [&str; N], shown: Headings, rows: &[[&str; N]]) -> String {
        let rows: Vec<_> = rows.iter().map(|row| row.map(Cow::Borrowed)).collect();
        let mut out = Vec::new();
        write(&mut out, headings, shown, &rows).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_as_wide_as_their_content() {
        assert_eq!(
            table(
                ["ID", "LOGICAL", "TAGS"],
                Headings::Shown,
                &[["instance-1", "-", "a=1"], ["größe", "192.168.0.1", ""],]
            ),
            "ID          LOGICAL      TAGS\n\
             instance-1  -            a=1\n\
             größe       192.168.0.1\n"
        );
    }

    #[test]
    fn quiet_tables_have_rows_only() {
        assert_eq!(
            table(["LONG HEADING", "B"], Headings::Hidden, &[["x", "y"]]),
            "x  y\n"
        );
        assert_eq!(table(["ID"], Headings::Shown, &[]), "ID\n");
    }

    #[test]
    fn cells_cannot_break_the_row() {
        assert_eq!(
            table(["A", "B"], Headings::Hidden, &[["x\ny", "\x1b[2J"]]),
            "x\\ny  \\u{1b}[2J\n"
        );
    }
}
