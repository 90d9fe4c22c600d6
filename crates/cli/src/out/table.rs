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

/// Width below which text in a column is not read any more but spelled.
const READABLE: usize = 20;

/// Writes a table that is no wider than `width`, where that is given: the last column is wrapped, and
/// where that leaves too little of it each row becomes a block of lines, one for each cell.
pub(crate) fn write_within<const N: usize>(
    out: &mut dyn Write,
    width: Option<usize>,
    (headings, shown): ([&str; N], Headings),
    rows: &[[Cow<'_, str>; N]],
) -> io::Result<()> {
    let mut whole = Vec::new();
    write(&mut whole, headings, shown, rows)?;
    let text = String::from_utf8_lossy(&whole);
    let Some(width) = width.filter(|width| text.lines().any(|line| columns(line) > *width)) else {
        return out.write_all(&whole);
    };
    let before: usize = (0..N.saturating_sub(1))
        .map(|at| {
            let cells = rows.iter().map(|row| columns(&row[at])).max();
            let heading = match shown {
                Headings::Shown => headings[at].len(),
                Headings::Hidden => 0,
            };
            cells.unwrap_or_default().max(heading) + 2
        })
        .sum();
    if before + READABLE <= width {
        for line in text.lines() {
            wrap(out, line, before, width)?;
        }
        return Ok(());
    }
    let named = headings.iter().map(|heading| heading.len()).max();
    let indent = named.unwrap_or_default() + 2;
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.write_all(b"\n")?;
        }
        for (heading, cell) in headings
            .iter()
            .zip(row)
            .filter(|(_, cell)| !cell.is_empty())
        {
            let cell = printable(cell);
            wrap(out, &format!("{heading:indent$}{cell}"), indent, width)?;
        }
    }
    Ok(())
}

/// Writes a line, and what is beyond the width below it, behind so many columns. A word that is longer
/// than a line is cut.
fn wrap(out: &mut dyn Write, line: &str, indent: usize, width: usize) -> io::Result<()> {
    let mut rest: Vec<char> = line.chars().collect();
    let room = width.max(indent + 1);
    let mut first = true;
    loop {
        let lead = if first { 0 } else { indent };
        let most = room - lead;
        let ends = rest.len() <= most;
        // No break within the columns before.
        let least = if first { indent } else { 0 };
        let space = || (least + 1..=most).rev().find(|at| rest[*at] == ' ');
        let at = if ends {
            rest.len()
        } else {
            space().unwrap_or(most)
        };
        let left = rest.split_off(at);
        let text: String = rest.iter().collect();
        writeln!(out, "{:lead$}{}", "", text.trim_end())?;
        rest = left.into_iter().skip_while(|c| *c == ' ').collect();
        if rest.is_empty() {
            return Ok(());
        }
        first = false;
    }
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

    fn within(width: usize, headings: [&str; 3], rows: &[[&str; 3]]) -> String {
        let rows: Vec<_> = rows.iter().map(|row| row.map(Cow::Borrowed)).collect();
        let mut out = Vec::new();
        let shown = (headings, Headings::Shown);
        write_within(&mut out, Some(width), shown, &rows).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn on_a_narrow_terminal_the_last_column_is_wrapped() {
        let rows = [
            ["Frozen", "no", "nothing is frozen"],
            [
                "Degraded",
                "yes",
                "3 creations in a row failed, the last with: no quota",
            ],
        ];
        assert_eq!(
            within(40, ["TYPE", "STATUS", "MESSAGE"], &rows),
            "TYPE      STATUS  MESSAGE\n\
             Frozen    no      nothing is frozen\n\
             Degraded  yes     3 creations in a row\n\
             \x20                 failed, the last with:\n\
             \x20                 no quota\n"
        );
        let wide = within(100, ["TYPE", "STATUS", "MESSAGE"], &rows);
        assert_eq!(wide.lines().count(), 3);
    }

    #[test]
    fn where_nothing_is_left_for_it_each_row_is_a_block() {
        let rows = [
            ["a-rather-long-name", "freed", "2026-11-29T14:24:22Z"],
            ["b", "", "a-word-that-is-longer-than-the-line"],
        ];
        assert_eq!(
            within(30, ["GROUP", "FATE", "SINCE"], &rows),
            "GROUP  a-rather-long-name\n\
             FATE   freed\n\
             SINCE  2026-11-29T14:24:22Z\n\
             \n\
             GROUP  b\n\
             SINCE  a-word-that-is-longer-t\n\
             \x20      han-the-line\n"
        );
        for width in 1..30 {
            let text = within(width, ["GROUP", "FATE", "SINCE"], &rows);
            let longest = text.lines().map(|line| line.chars().count()).max();
            assert!(longest.unwrap() <= width.max(8), "{width}: {text}");
        }
    }
}
