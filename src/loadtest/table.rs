//! Columns for a terminal.

use std::fmt::Write as _;

/// Space between two columns.
const GAP: &str = "  ";

/// Lines of cells under a head: the first column on its left, the others on their right, each as wide as its widest cell.
pub(super) fn columns(head: &[&str], rows: &[Vec<String>]) -> String {
    let n_chars = |text: &str| text.chars().count();
    let widths: Vec<usize> = head
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| n_chars(cell)).max().unwrap_or(0).max(n_chars(name))
        })
        .collect();
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut written = String::new();
        for (column, (cell, width)) in cells.zip(&widths).enumerate() {
            let _ = match column {
                0 => write!(written, "{cell:<width$}"),
                _ => write!(written, "{GAP}{cell:>width$}"),
            };
        }
        text.push_str(written.trim_end());
        text.push('\n');
    };
    line(&mut head.iter().copied());
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    text
}

/// Milliseconds with as many decimals as can be told apart; a dash for none.
pub(super) fn millis(value: Option<f64>) -> String {
    value.map_or_else(
        || "–".to_owned(),
        |value| if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") },
    )
}

/// A count, with its share of a whole where that says something.
pub(super) fn count(n: u64, of: u64) -> String {
    if n == 0 || of == 0 { n.to_string() } else { format!("{n} ({:.1} %)", 100.0 * n as f64 / of as f64) }
}

/// Bytes as MiB.
pub(super) fn mib(bytes: u64) -> String {
    format!("{:.0} MiB", bytes as f64 / 1_048_576.0)
}

#[cfg(test)]
mod tests {
    use super::{columns, count, mib, millis};

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["talk–1".to_owned(), "7".to_owned()], vec!["x".to_owned(), "1000".to_owned()]];
        assert_eq!(columns(&["FILE", "N"], &rows), "FILE       N\ntalk–1     7\nx       1000\n");
        assert_eq!(columns(&["FILE", "N"], &[]), "FILE  N\n");
    }

    #[test]
    fn figures_are_short() {
        assert_eq!([millis(None), millis(Some(12.34)), millis(Some(1_234.5))], ["–", "12.3", "1234"]);
        assert_eq!([count(0, 10), count(1, 8), count(3, 0)], ["0", "1 (12.5 %)", "3"]);
        assert_eq!(mib(3 << 20), "3 MiB");
    }
}
